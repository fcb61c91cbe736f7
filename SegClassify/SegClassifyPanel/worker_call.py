"""A request to the worker while it is under way, what is told of it meanwhile, and why it may have no result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from SegClassifyPanel.lib_path import make_importable

make_importable()

from SegClassifyLib.worker.protocol import Code, JobProgress, Notification, Params  # noqa: E402
from SegClassifyLib.worker.segmenter_messages import EpochDone, EpochInfo  # noqa: E402


@dataclass(frozen=True)
class WorkerFailure:
    """Why a call has no result.

    Args:
        code: one of :class:`SegClassifyLib.worker.protocol.Code`.
        sentence: for the user.
        details: for a log: a traceback, or the last lines of the worker's log.
    """

    code: int
    sentence: str
    details: str = ""

    @property
    def cancelled(self) -> bool:
        """Whether it ended because it was asked to."""
        return self.code == Code.CANCELLED


Done = Callable[[Any], None]
Failed = Callable[[WorkerFailure], None]
OnProgress = Callable[[JobProgress], None]
OnEpoch = Callable[[EpochInfo], None]
Note = JobProgress | EpochDone


@dataclass
class Call:
    """A request that is not answered yet.

    ``deadline`` is set once it was asked to stop: when it has to have stopped, by ``time.monotonic``.
    """

    params: Params[Any]
    done: Done
    failed: Failed
    progress: OnProgress | None
    epoch: OnEpoch | None = None
    deadline: float | None = None

    @property
    def asked_to_stop(self) -> bool:
        """Whether somebody has cancelled it."""
        return self.deadline is not None

    def tell(self, note: Note) -> None:
        """Pass on what the worker says of it; nobody hears of progress any more once it was asked to stop."""
        if isinstance(note, EpochDone):
            if self.epoch is not None:
                self.epoch(note.epoch)
        elif self.progress is not None and not self.asked_to_stop:
            self.progress(note)


def read_note(message: Notification) -> Note | None:
    """A notification in its own type; ``None`` for a kind that is not known.

    Raises:
        ShapeError: it is out of shape.
    """
    for kind in (JobProgress, EpochDone):
        if message.method == kind.METHOD:
            return kind.from_json(message.params)
    return None
