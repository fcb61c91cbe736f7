"""What can be done with a training set, with and without the panel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from SegClassifyPanel.worker_process import WorkerProcess


class SetLogic:
    """Asks the worker for everything that concerns a training set.

    Args:
        worker: asked.
        temporary_folder: gives a folder for files that are handed to the worker.
    """

    def __init__(self, worker: WorkerProcess, temporary_folder: Callable[[], Path]) -> None:
        self._worker = worker
        self._temporary_folder = temporary_folder

    def close(self) -> None:
        """Cancel what runs; answers that come later are for nobody."""
