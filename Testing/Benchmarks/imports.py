"""How long importing the library keeps a process waiting, beside a process that imports nothing.

    python Testing/Benchmarks/imports.py [--repeats 5] [--modules SegClassifyLib SegClassifyLib.cli.main]

Every run is a fresh interpreter, and they take turns; one run of each before that warms the cache of the disk. Prints
the median of the runs and how much longer that is than ``python -c pass``. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

NOTHING = "pass"
MODULES = ("SegClassifyLib", "SegClassifyLib.cli.main", "torch")
"""The library, the command line (imported before it knows which command is meant), and what both leave alone."""


def main() -> None:
    """Time every statement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--modules", nargs="+", default=MODULES)
    options = parser.parse_args()
    statements = [NOTHING, *(f"import {module}" for module in options.modules)]
    for statement in statements:
        _seconds(statement)
    rounds = [[_seconds(statement) for statement in statements] for _ in range(options.repeats)]
    medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
    for statement, median in zip(statements, medians, strict=True):
        more = "" if statement == NOTHING else f"  {1000 * (median - medians[0]):+6.0f} ms"
        print(f"python -c {statement!r:<34} {1000 * median:6.0f} ms{more}")


def _seconds(statement: str) -> float:
    """Wall time of a fresh interpreter that runs ``statement``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
