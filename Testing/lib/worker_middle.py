"""Stands between a test and a worker and can be killed: a worker's parent. Started by the tests as a script.

The worker has this script's own stdin and stdout, whose other ends the test keeps: they stay open when this ends.
"""

from __future__ import annotations

import subprocess
import sys
import time

if __name__ == "__main__":
    worker = subprocess.Popen([sys.executable, "-m", "SegClassifyLib.worker"])
    print(worker.pid, file=sys.stderr, flush=True)
    while True:
        time.sleep(60)
