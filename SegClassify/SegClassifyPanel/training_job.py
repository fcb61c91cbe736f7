"""A request about a training: told of as it goes, cancelled by a click, waited for by a script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.training_words import progress_words
from SegClassifyPanel.worker_call import OnEpoch, WorkerFailure
from SegClassifyPanel.worker_job import JobListener
from SegClassifyPanel.worker_process import WorkerProcess

make_importable()

from SegClassifyLib.worker.protocol import JobProgress, Params  # noqa: E402


@dataclass(frozen=True)
class TrainingListener(JobListener[Any]):
    """Who is told of a training; ``on_epoch`` of every epoch of a segmenter."""

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
