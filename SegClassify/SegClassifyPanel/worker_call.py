"""A request to the worker while it is under way, and why it may have no result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from SegClassifyPanel.lib_path import make_importable

make_importable()

from SegClassifyLib.worker.protocol import Code, JobProgress, Params  # noqa: E402


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


@dataclass
class Call:
    """A request that is not answered yet.

    ``deadline`` is set once it was asked to stop: when it has to have stopped, by ``time.monotonic``.
    """

    params: Params[Any]
    done: Done
    failed: Failed
    progress: OnProgress | None
    deadline: float | None = None

    @property
    def asked_to_stop(self) -> bool:
        """Whether somebody has cancelled it."""
        return self.deadline is not None
