"""Explanations that run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import slicer

from SegClassifyPanel.evidence_job import EvidenceJob
from SegClassifyPanel.volumes import VolumeError
from SegClassifyPanel.worker_job import JobListener, no_room
from SegClassifyPanel.worker_process import WorkerProcess


class EvidenceLogic:
    """Begins explanations, and stops them.

    Args:
        worker: asked to explain.
        folder: gives a folder for temporary files.
    """

    def __init__(self, worker: WorkerProcess, folder: Callable[[], Path]) -> None:
        self._worker, self._folder = worker, folder
        self._jobs: list[EvidenceJob] = []

    def start(
        self, segmentation: slicer.vtkMRMLSegmentationNode, class_name: str, listener: JobListener[str]
    ) -> EvidenceJob:
        """Begin to explain a result and return at once; the callbacks come from Qt's event loop.

        Args:
            segmentation: node that carries the result.
            class_name: one of the model's classes.
            listener: told of progress and end.

        Raises:
            VolumeError: an image is gone, or there is no room for files; in a sentence.
        """
        try:
            job = EvidenceJob(self._worker, segmentation, class_name, self._folder(), listener)
        except OSError as error:
            raise VolumeError(no_room(Path(slicer.app.temporaryPath), error)) from error
        self._jobs = [*(j for j in self._jobs if not j.over), job]
        return job

    def cancel(self) -> None:
        """Stop everything that runs."""
        for job in self._jobs:
            job.cancel()
