"""Long work in small pieces between which Slicer lives on: generators driven by a timer."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

import qt

T = TypeVar("T")

Steps = Generator[float, None, T]
"""Work that yields how much of it is done, 0 to 1, often enough, and returns its result."""

BUDGET = 0.015
"""Seconds of work at a stretch; a piece that has begun is finished."""


def finished(steps: Steps[T]) -> T:
    """The result of work that is done at once."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def scaled(steps: Steps[T], start: float, share: float) -> Steps[T]:
    """Work that is a part of some larger work: what it yields goes from ``start`` to ``start + share``."""
    while True:
        try:
            fraction = next(steps)
        except StopIteration as stop:
            return stop.value
        yield start + share * fraction


class Chunks(Generic[T]):
    """Runs steps bit by bit from Qt's event loop.

    Args:
        steps: the work.
        done: called with its result.
        failed: called with the exception that ended it.
        progress: called after each stretch of work with what the work yielded last.
    """

    def __init__(
        self,
        steps: Steps[T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self._steps, self._done, self._failed, self._progress = steps, done, failed, progress
        self._over = False
        # Not a timer of our own. While connected, Qt would hold this for ever, a ring that no garbage collector sees;
        # and let go of in its own signal, Python would delete it while that is still under way.
        qt.QTimer.singleShot(0, self._tick)

    def stop(self) -> None:
        """Do no more of it; what the generator holds open is closed."""
        self._over = True
        self._steps.close()

    def finish(self) -> None:
        """Do all the rest at once, for scripts that wait."""
        while not self._over:
            self._work()

    def _tick(self) -> None:
        if not self._over:
            self._work()
        if not self._over:
            qt.QTimer.singleShot(0, self._tick)

    def _work(self) -> None:
        """One stretch."""
        end = time.monotonic() + BUDGET
        try:
            fraction = next(self._steps)
            while time.monotonic() < end:
                fraction = next(self._steps)
        except StopIteration as stop:
            self._over = True
            self._done(stop.value)
        except Exception as error:  # whatever it is, who started the work has to learn of it
            self._over = True
            self._failed(error)
        else:
            if self._progress is not None:
                self._progress(fraction)
