"""Kill the worker at random moments while it changes a training set, and look each time whether anything was lost.

    python Testing/Benchmarks/kill_cycles.py [--cycles 50] [--seed 1]

Every cycle starts a worker on the same set, lets it add cases, change their classes, replace segmentations, remove and
undo for a random time, and ends it: three of four times by SIGKILL, else by closing its pipe as the death of the panel
does. Then all images, segmentations and classes of the set are compared, voxel by voxel, with what had been answered.
Ends with an error at the first difference.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from kill_cycles import KillCycles


def main() -> None:
    """Run the cycles and say what was seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lives = KillCycles(Path(folder), options.seed)
        seen = []
        print("cycle  ended        answered  and then  in the middle of           landed  cases")
        for number in range(options.cycles):
            c = lives.run(number)
            seen.append(c)
            landed = "-" if not c.during else "yes" if c.landed else "no"
            middle = f"{c.during:25}  {landed:6}"
            print(
                f"{number + 1:5}  {c.how:11}  {c.answered:8}  {1000 * c.seconds:5.0f} ms  {middle}  {c.cases:5}",
                flush=True,
            )
        lives.finish()
    middle = Counter(c.during for c in seen if c.during)
    print(f"\n{sum(c.answered for c in seen)} changes were answered, all of them are there.")
    print("Ended in the middle of: " + ", ".join(f"{k} {n}" for k, n in middle.most_common()))
    print(f"Of these {sum(c.landed for c in seen if c.during)} were on the disk though not answered.")


if __name__ == "__main__":
    main()
