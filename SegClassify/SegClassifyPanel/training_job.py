"""A request about a training: told of as it goes, cancelled by a click, waited for by a script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.training_words import progress_words
from SegClassifyPanel.worker_call import OnEpoch, WorkerFailure
from SegClassifyPanel.worker_process import WorkerProcess

make_importable()

from SegClassifyLib.worker.protocol import JobProgress, Params  # noqa: E402


@dataclass(frozen=True)
class TrainingListener:
    """Who is told; the calls come from Qt's event loop.

    Args:
        on_done, on_failed, on_cancelled: exactly one of them is called, once; with the answer, with a sentence.
        on_phase: what happens in words, and how far it is, 0 to 1 (``None``: not known).
        on_epoch: told of every epoch of a segmenter.
    """

    on_done: Callable[[Any], None] = lambda _answer: None
    on_failed: Callable[[str], None] = lambda _sentence: None
    on_cancelled: Callable[[], None] = lambda: None
    on_phase: Callable[[str, float | None], None] = lambda _text, _fraction: None
    on_epoch: OnEpoch = lambda _epoch: None


class TrainingJob:
    """Begins at once.

    Args:
        worker: who does it.
        params: what.
        listener: who is told.
    """

    def __init__(self, worker: WorkerProcess, params: Params[Any], listener: TrainingListener) -> None:
        self.params = params
        self.over = False
        self._worker = worker
        self._listener = listener
        self._call = worker.call(params, self._done, self._failed, self._progress, listener.on_epoch)

    def cancel(self) -> None:
        """Ask it to stop; the end is told later, within about a second."""
        if not self.over:
            self._worker.cancel(self._call)

    def finish(self) -> None:
        """Return when it is over. Nothing else happens in Slicer meanwhile: for scripts only."""
        self._worker.wait(self._call)

    def _done(self, answer: Any) -> None:
        self.over = True
        self._listener.on_done(answer)

    def _failed(self, failure: WorkerFailure) -> None:
        self.over = True
        if failure.cancelled:
            self._listener.on_cancelled()
        else:
            self._listener.on_failed(failure.sentence)

    def _progress(self, note: JobProgress) -> None:
        self._listener.on_phase(*progress_words(note))
