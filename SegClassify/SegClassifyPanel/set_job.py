"""A request about a training set: its volumes are handed over first, then the worker is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.training_words import progress_words
from SegClassifyPanel.worker_job import JobListener, WorkerJob

make_importable()

from SegClassifyLib.worker.protocol import JobProgress  # noqa: E402


@dataclass(frozen=True)
class SetListener(JobListener[Any]):
    """Who is told of a request about a training set."""


class SetJob(WorkerJob):
    """Ends with the answer, also where that comes after Cancel: what it tells of is on the disk."""

    def _handing_over(self, fraction: float) -> None:
        self._listener.on_phase(_("Handing over the images"), fraction)

    def _waiting(self) -> None:
        """What was said last stays: most requests are answered at once."""

    def _progress(self, note: JobProgress) -> None:
        self._listener.on_phase(*progress_words(note))
