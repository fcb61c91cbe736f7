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
    """Work done and to do, in seconds: expected ones, and measured ones as soon as there are some."""

    def __init__(self, ready: Ready) -> None:
        self._left: dict[str, int] = {}
        self._expected = {arm.key: arm.seconds for arm in ready.arms}
        self._measured: dict[str, list[float]] = {}
        self._done = 0.0
        for unit in ready.todo:
            self._left[unit.arm.key] = self._left.get(unit.arm.key, 0) + 1

    def finished(self, unit: Unit, seconds: float) -> None:
        """One unit less."""
        key = unit.arm.key
        self._left[key] -= 1
        if not math.isnan(seconds):
            self._measured.setdefault(key, []).append(seconds)
            self._done += seconds

    @property
    def state(self) -> tuple[float, float]:
        """Done, and done with what is left."""
        left = 0.0
        for key, count in self._left.items():
            measured = self._measured.get(key)
            left += count * (sum(measured) / len(measured) if measured else self._expected[key])
        return self._done, self._done + left
