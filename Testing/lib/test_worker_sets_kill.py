"""The worker is killed at random moments of changing a training set: nothing that it had answered is lost."""

from __future__ import annotations

import os
from pathlib import Path

from kill_cycles import KillCycles

CYCLES = int(os.environ.get("SEGCLASSIFY_KILL_CYCLES", "8"))
"""More of them by that variable, or with Testing/Benchmarks/kill_cycles.py, which says what it saw."""


def test_no_case_is_lost_whenever_the_worker_is_killed(tmp_path: Path) -> None:
    cycles = KillCycles(tmp_path, seed=11, most=4)
    seen = [cycles.run(number) for number in range(CYCLES)]
    cycles.finish()
    assert any(cycle.during for cycle in seen), (
        "no life ended in the middle of a change: the test shows nothing"
    )
    assert sum(cycle.answered for cycle in seen) > CYCLES
