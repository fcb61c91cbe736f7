"""Runs a comparison as far as it is not there yet."""

from __future__ import annotations

import math

from SegClassifyLib.experiment.processes import Outcome, run_units
from SegClassifyLib.experiment.ready import Ready
from SegClassifyLib.experiment.result import CompareResult
from SegClassifyLib.experiment.settings import size_name
from SegClassifyLib.experiment.summing import sum_up
from SegClassifyLib.experiment.units import Unit
from SegClassifyLib.progress import Progress

_PHASE = "Training and testing"


def run_ready(
    ready: Ready, jobs: int = 1, scheduler: str = "", progress: Progress | None = None
) -> CompareResult:
    """Run what is left to do and sum everything up.

    Args:
        ready: from :func:`make_ready`.
        jobs: processes.
        scheduler: address of a Dask scheduler; empty for processes on this machine.
        progress: told of every training, with the time left; may cancel: what is finished is kept.
    """
    progress = progress or Progress()
    clock = _Clock(ready)
    failures: list[tuple[str, str, int, str]] = []

    def done(outcome: Outcome) -> None:
        unit = ready.todo[outcome.number]
        if outcome.error:
            failures.append((unit.arm.key, size_name(unit.size), unit.draw, outcome.error))
        clock.finished(unit, outcome.seconds)
        progress.report(_PHASE, *clock.state, f"{unit.arm.title}, {size_name(unit.size)} per class")

    progress.report(_PHASE, *clock.state)
    run_units(ready.study, ready.todo, jobs, scheduler, done, progress)
    return sum_up(ready, failures, progress)


class _Clock:
    """Work done and to do, in seconds: expected ones, set right by measured ones as soon as an arm has some."""

    def __init__(self, ready: Ready) -> None:
        self._left: dict[str, float] = {}
        self._expected: dict[str, float] = {}
        self._measured: dict[str, float] = {}
        for unit in ready.todo:
            self._left[unit.arm.key] = self._left.get(unit.arm.key, 0.0) + unit.expected_seconds

    def finished(self, unit: Unit, seconds: float) -> None:
        """One unit less."""
        key = unit.arm.key
        self._left[key] -= unit.expected_seconds
        if not math.isnan(seconds):
            self._expected[key] = self._expected.get(key, 0.0) + unit.expected_seconds
            self._measured[key] = self._measured.get(key, 0.0) + seconds

    @property
    def state(self) -> tuple[float, float]:
        """Done, and done with what is left."""
        left = 0.0
        for key, expected in self._left.items():
            slower = self._measured[key] / self._expected[key] if key in self._measured else 1.0
            left += max(expected, 0.0) * slower
        done = sum(self._measured.values())
        return done, done + left
