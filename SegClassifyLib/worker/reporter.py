"""Progress of a job as notifications, not too many of them."""

from __future__ import annotations

import time
from collections.abc import Callable

from SegClassifyLib.progress import Progress, ProgressEvent
from SegClassifyLib.worker.protocol import EpochDone, EpochInfo, Id, JobProgress, Notification

INTERVAL = 0.1
"""Seconds between two notifications of one phase."""


class Reporter(Progress):
    """Sends what it is told, at most ten times a second, and the first of every phase.

    Args:
        identity: of the job's request.
        send: gets the notifications.
        is_cancelled: asked often.
        clock: seconds; another one for tests.
    """

    def __init__(
        self,
        identity: Id,
        send: Callable[[Notification], None],
        is_cancelled: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(self._tell, is_cancelled)
        self._id, self._send, self._clock = identity, send, clock
        self._steps: tuple[float, float] = (0, 0)
        self._told = ("", float("-inf"))

    def report(self, phase: str, done: float = 0, total: float = 0, note: str = "") -> None:
        """See :meth:`Progress.report`; the event knows only the fraction, the notification the steps."""
        self._steps = (done, total)
        super().report(phase, done, total, note)

    def epoch(self, done: EpochInfo) -> None:
        """Say that an epoch of a segmenter's training has ended; every one is sent."""
        self._send(EpochDone(self._id, done).notification())

    def _tell(self, event: ProgressEvent) -> None:
        phase, when = self._told
        now = self._clock()
        if event.phase == phase and now - when < INTERVAL:
            return
        self._told = (event.phase, now)
        done, total = self._steps
        told = JobProgress(
            self._id, event.phase, done, total if total > 0 else None, event.note, event.seconds_left
        )
        self._send(told.notification())
