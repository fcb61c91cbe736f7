"""``python -m SegClassifyLib.worker``: the process that runs models for the panel."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import sys
from typing import NoReturn

from SegClassifyLib.worker.parent import lead_group, step_back, watch_parent
from SegClassifyLib.worker.server import Server
from SegClassifyLib.worker.streams import leave, received, take_over


def main() -> NoReturn:
    """Serve until told to stop, stdin is closed, or the parent is gone."""
    parser = argparse.ArgumentParser(
        prog="python -m SegClassifyLib.worker",
        description="Runs models for another program: JSON-RPC 2.0, one message per line on stdin and stdout.",
    )
    parser.add_argument("--parent-pid", type=int, help="end when this process is gone")
    parser.add_argument(
        "--idle-seconds", type=float, default=300.0, help="without a job, until memory is given back"
    )
    parser.add_argument(
        "--own-group",
        action="store_true",
        help="lead a process group (POSIX), so that whoever started this can end it and all it started at once",
    )
    parser.add_argument(
        "--step-back",
        action="store_true",
        help="let programs with a window go first where processors are scarce",
    )
    options = parser.parse_args()
    if options.own_group:
        lead_group()
    if options.step_back:
        step_back()
    requests, outlet = take_over()
    faulthandler.enable(sys.stderr, all_threads=False)  # of the thread that crashed: short enough to be read
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    watch_parent(options.parent_pid, lambda: leave(0))
    server = Server(outlet.send, leave, options.idle_seconds, options.parent_pid)
    for message in received(requests):
        server.take(message)
    server.close()
    leave(0)


if __name__ == "__main__":
    main()
