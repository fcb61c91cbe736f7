"""How long work says how far it is, and learns that it should stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from SegClassifyLib.errors import Cancelled


@dataclass(frozen=True)
class ProgressEvent:
    """One step of long work.

    Args:
        phase: what is happening now, in words ("Training the segmenter").
        fraction: done part of this phase, 0 to 1; ``None`` where it is not known.
        note: what a person may want to know of this step ("epoch 12, Dice 0.81").
        seconds_left: estimate for this phase; ``None`` where it is not known.
    """

    phase: str
    fraction: float | None = None
    note: str = ""
    seconds_left: float | None = None


class Progress:
    """Passed down through long work; ``Progress()`` is silent and never cancels.

    Args:
        on_event: called with every :class:`ProgressEvent`.
        is_cancelled: asked often; when it says true, :meth:`check` raises :class:`Cancelled`.

    Example:
        >>> events = []
        >>> progress = Progress(events.append)
        >>> progress.report("Reading", 1, 2)
        >>> events[0].fraction
        0.5
    """

    def __init__(
        self,
        on_event: Callable[[ProgressEvent], None] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._on_event = on_event
        self._is_cancelled = is_cancelled
        self._phase = ""
        self._started = 0.0
        self._first_done = 0.0

    def report(self, phase: str, done: float = 0, total: float = 0, note: str = "") -> None:
        """Say that ``done`` of ``total`` steps of ``phase`` are behind us; raises Cancelled if asked to stop."""
        self.check()
        if phase != self._phase:
            self._phase, self._started, self._first_done = phase, time.monotonic(), done
        if self._on_event is None:
            return
        fraction = min(1.0, done / total) if total > 0 else None
        left = None
        advanced = done - self._first_done
        if fraction is not None and advanced > 0:
            left = (time.monotonic() - self._started) * max(0.0, total - done) / advanced
        self._on_event(ProgressEvent(phase, fraction, note, left))

    def check(self) -> None:
        """Raise :class:`Cancelled` if the user asked to stop."""
        if self.is_cancelled():
            raise Cancelled

    def is_cancelled(self) -> bool:
        """Whether the user asked to stop."""
        return self._is_cancelled is not None and self._is_cancelled()


class Part(Progress):
    """One part of longer work: its steps of one phase are told as a share of the whole.

    Args:
        outer: told of them; other phases are passed on as they are.
        phase: that is told as a share.
        begin, end: the share, 0 to 1.
        note: put in front of every note ("fold 1 of 3").
    """

    def __init__(self, outer: Progress, phase: str, begin: float, end: float, note: str = "") -> None:
        super().__init__(is_cancelled=outer.is_cancelled)
        self._outer, self._whole, self._span, self._name = outer, phase, (begin, end), note

    def report(self, phase: str, done: float = 0, total: float = 0, note: str = "") -> None:
        """See :meth:`Progress.report`."""
        if phase != self._whole:
            self._outer.report(phase, done, total, note)
            return
        begin, end = self._span
        inside = min(1.0, done / total) if total > 0 else 0.0
        words = ", ".join(part for part in (self._name, note) if part)
        self._outer.report(phase, begin + (end - begin) * inside, 1, words)


class Laps:
    """Seconds of wall time by phase: call :meth:`lap` at the end of each."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, phase: str) -> None:
        """What took place since the last lap was ``phase``."""
        now = time.perf_counter()
        self.seconds[phase] = now - self._last
        self._last = now
