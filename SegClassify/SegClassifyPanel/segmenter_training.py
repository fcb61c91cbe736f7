"""The training of a segmenter that runs in the background: it belongs to a folder, not to a scene or a page."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from slicer.i18n import tr as _

from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.training_job import TrainingJob, TrainingListener
from SegClassifyPanel.worker_process import WorkerProcess

make_importable()

from SegClassifyLib.worker.segmenter_messages import EpochInfo, SegmenterRun, TrainSegmenterParams  # noqa: E402


class SegmenterTraining:
    """Begins at once, and remembers what it was told, so that a page made later can show all of it.

    Args:
        worker: who trains.
        params: what.
        earlier: epochs of the run that it goes on with.
        changed: called after every word of it.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        params: TrainSegmenterParams,
        earlier: Sequence[EpochInfo],
        changed: Callable[[], None],
    ) -> None:
        self.params = params
        self.epochs = list(earlier)
        self.text, self.fraction = _("Waiting for the worker"), None
        self.started = time.monotonic()
        self.pausing = False
        self.run: SegmenterRun | None = None
        self.problem = ""
        self._changed = changed
        self._job = TrainingJob(
            worker,
            params,
            TrainingListener(self._done, self._failed, changed, self._phase, self._epoch),
        )

    fraction: float | None

    @property
    def over(self) -> bool:
        """Whether it has ended: finished (``run``), gone wrong (``problem``), or paused (neither)."""
        return self._job.over

    @property
    def paused(self) -> bool:
        """Whether it ended because somebody paused it."""
        return self.over and self.run is None and not self.problem

    def pause(self) -> None:
        """Stop; it can go on later."""
        self.pausing = True
        self._job.cancel()
        self._changed()

    def _done(self, run: SegmenterRun) -> None:
        self.run = run
        self.epochs = list(run.epochs) or self.epochs
        self._changed()

    def _failed(self, sentence: str) -> None:
        self.problem = sentence
        self._changed()

    def _phase(self, text: str, fraction: float | None) -> None:
        self.text, self.fraction = text, fraction
        self._changed()

    def _epoch(self, epoch: EpochInfo) -> None:
        # A training that goes on may do an epoch again whose end was told and not yet written.
        again = [e for e in self.epochs if e.part == epoch.part and e.epoch >= epoch.epoch]
        self.epochs = [e for e in self.epochs if e not in again] + [epoch]
        self._changed()
