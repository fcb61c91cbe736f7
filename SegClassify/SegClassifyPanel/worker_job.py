"""What jobs for the worker have in common: begin, cancel, wait, and one end, however it comes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.chunks import Chunks, Steps
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.phases import EXPORT, IMPORT, overall, phase_text, within
from SegClassifyPanel.volumes import VolumeError
from SegClassifyPanel.worker_call import WorkerFailure
from SegClassifyPanel.worker_process import WorkerProcess

make_importable()

from SegClassifyLib.worker.protocol import Id, JobProgress, Params  # noqa: E402

A = TypeVar("A")


@dataclass(frozen=True)
class JobListener(Generic[A]):
    """Who is told; the calls come from Qt's event loop.

    Args:
        on_done, on_failed, on_cancelled: exactly one of them is called, once; with the answer, with a sentence.
        on_phase: what happens in words, and how far it is, 0 to 1 (``None``: not known).
    """

    on_done: Callable[[A], None] = lambda _answer: None
    on_failed: Callable[[str], None] = lambda _sentence: None
    on_cancelled: Callable[[], None] = lambda: None
    on_phase: Callable[[str, float | None], None] = lambda _text, _fraction: None


class WorkerJob:
    """Runs by itself from Qt's event loop once made: steps in Slicer, then the worker, then its answer.

    Args:
        worker: asked.
        steps: hand over what the worker needs, and return the request.
        folder: holds the files that are handed over; removed at the end.
        listener: told of progress and end; of the end never before the constructor has returned.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        steps: Steps[Params[Any]],
        folder: Path | None,
        listener: JobListener[Any],
    ) -> None:
        self._worker, self._folder, self._listener = worker, folder, listener
        self._call: Id | None = None
        self._over = self._stopping = False
        self._chunks: Chunks[Any] | None = Chunks(steps, self._ask, self._broke, self._handing_over)

    @property
    def over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self._over

    def cancel(self) -> None:
        """Stop; ``on_cancelled`` follows within about a second."""
        if self._over or self._stopping:
            return
        self._stopping = True
        if self._chunks is not None:
            self._chunks.stop()
            qt.QTimer.singleShot(0, self._cancelled)
        elif self._call is not None:
            self._worker.cancel(self._call)

    def finish(self) -> None:
        """Return when it is over. Nothing else happens in Slicer meanwhile: for scripts only."""
        while not self._over:
            if self._stopping and self._call is None:
                self._cancelled()
            elif self._chunks is not None:
                self._chunks.finish()
            elif self._call is not None:
                self._worker.wait(self._call)

    # What a job may do otherwise.

    def _answered(self, answer: Any) -> None:
        """The worker is done: so is the job."""
        self._done(answer)

    def _take_back(self) -> None:
        """It went wrong or was cancelled: nothing of it may stay in the scene."""

    def _handing_over(self, fraction: float) -> None:
        self._listener.on_phase(_("Handing over the images"), within(EXPORT, fraction))

    def _waiting(self) -> None:
        self._listener.on_phase(phase_text("Starting"), None)

    def _progress(self, note: JobProgress) -> None:
        self._listener.on_phase(note.note or phase_text(note.phase), overall(note))

    # What all do.

    def _ask(self, params: Params[Any]) -> None:
        self._chunks = None
        self._waiting()
        self._call = self._worker.call(params, self._answered, self._refused, self._progress)

    def _bring_in(self, steps: Steps[Any]) -> None:
        """Go on in Slicer after the answer, unless somebody cancelled while that was on its way."""
        self._call = None
        if self._stopping:
            self._cancelled()
        else:
            self._chunks = Chunks(steps, self._done, self._broke, self._bringing_in)

    def _bringing_in(self, fraction: float) -> None:
        self._listener.on_phase(_("Showing the result"), within(IMPORT, fraction))

    def _refused(self, failure: WorkerFailure) -> None:
        if failure.cancelled:
            self._cancelled()
            return
        if failure.details:
            logging.info("SegClassify worker: %s", failure.details)
        self._failed(failure.sentence)

    def _broke(self, error: Exception) -> None:
        self._failed(failure_sentence(error, self._folder.parent if self._folder else Path()))

    def _done(self, outcome: Any) -> None:
        if self._end():
            self._listener.on_done(outcome)

    def _failed(self, sentence: str) -> None:
        if self._end():
            self._take_back()
            self._listener.on_failed(sentence)

    def _cancelled(self) -> None:
        if self._end():
            self._take_back()
            self._listener.on_cancelled()

    def _end(self) -> bool:
        """Whether this is the end, which comes only once."""
        if self._over:
            return False
        self._over, self._chunks, self._call = True, None, None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        return True


def failure_sentence(error: Exception, folder: Path) -> str:
    """What to say of an error that ended work in Slicer; one that nobody foresaw goes to the log.

    Args:
        error: any.
        folder: where files for the worker were written.
    """
    if isinstance(error, VolumeError):
        return str(error)
    if isinstance(error, OSError):
        return no_room(folder, error)
    logging.error("SegClassify: an error that nobody foresaw", exc_info=error)
    return _(
        "Something went wrong that should not ({kind}: {text}); details are in the application's log."
    ).format(kind=type(error).__name__, text=error)


def no_room(folder: Path, error: OSError) -> str:
    """What to say when files for the worker cannot be written."""
    return _(
        "Files for the worker cannot be written to {folder} ({reason}): free space on that disk."
    ).format(folder=folder, reason=error.strerror or error)
