"""A request about a training set: its volumes are handed over first, then the worker is asked."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.chunks import Chunks, Steps
from SegClassifyPanel.classify_job import failure_sentence
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.training_words import progress_words
from SegClassifyPanel.worker_call import WorkerFailure
from SegClassifyPanel.worker_process import WorkerProcess

make_importable()

from SegClassifyLib.worker.protocol import Id, JobProgress, Params  # noqa: E402


@dataclass(frozen=True)
class SetListener:
    """Who is told; the calls come from Qt's event loop.

    Args:
        on_done, on_failed, on_cancelled: exactly one of them is called, once; with the answer, with a sentence.
        on_phase: what happens in words, and how far it is, 0 to 1 (``None``: not known).
    """

    on_done: Callable[[Any], None] = lambda _answer: None
    on_failed: Callable[[str], None] = lambda _sentence: None
    on_cancelled: Callable[[], None] = lambda: None
    on_phase: Callable[[str, float | None], None] = lambda _text, _fraction: None


class SetJob:
    """Runs by itself from Qt's event loop once made.

    An answer counts also where it comes after Cancel: what it tells of is on the disk.

    Args:
        worker: asked.
        steps: hand over what the worker needs, and return the request.
        folder: holds the files that are handed over; removed at the end.
        listener: told of progress and end; of the end never before the constructor has returned.
    """

    def __init__(
        self, worker: WorkerProcess, steps: Steps[Params[Any]], folder: Path | None, listener: SetListener
    ) -> None:
        self._worker, self._listener, self._folder = worker, listener, folder
        self._call: Id | None = None
        self._over = self._stopping = False
        self._chunks: Chunks | None = Chunks(steps, self._ask, self._broke, self._handing_over)

    @property
    def over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self._over

    def cancel(self) -> None:
        """Stop; the end follows within about a second."""
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

    def _handing_over(self, fraction: float) -> None:
        self._listener.on_phase(_("Handing over the images"), fraction)

    def _ask(self, params: Params[Any]) -> None:
        self._chunks = None
        try:
            self._call = self._worker.call(params, self._answered, self._refused, self._progress)
        except RuntimeError as error:
            self._fail(str(error))

    def _progress(self, note: JobProgress) -> None:
        self._listener.on_phase(*progress_words(note))

    def _answered(self, answer: Any) -> None:
        if self._end():
            self._listener.on_done(answer)

    def _refused(self, failure: WorkerFailure) -> None:
        if failure.cancelled:
            self._cancelled()
            return
        if failure.details:
            logging.info("SegClassify worker: %s", failure.details)
        self._fail(failure.sentence)

    def _broke(self, error: Exception) -> None:
        self._fail(failure_sentence(error, self._folder.parent if self._folder else Path()))

    def _fail(self, sentence: str) -> None:
        if self._end():
            self._listener.on_failed(sentence)

    def _cancelled(self) -> None:
        if self._end():
            self._listener.on_cancelled()

    def _end(self) -> bool:
        """Whether this is the end, which comes only once."""
        if self._over:
            return False
        self._over, self._chunks, self._call = True, None, None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        return True
