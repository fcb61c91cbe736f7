"""Classifies a case that lies in files: the worker reads them itself, and nothing of it goes through Slicer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from SegClassifyPanel.batch_items import BatchItem
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.phases import overall, phase_text
from SegClassifyPanel.worker_call import WorkerFailure
from SegClassifyPanel.worker_process import WorkerProcess

make_importable()

from SegClassifyLib.worker.protocol import ClassifyParams, ClassifyResult, FileSource, JobProgress  # noqa: E402


class FileJob:
    """Runs from Qt's event loop once made; see :class:`JobListener` for the callbacks.

    Args:
        worker: asked to classify.
        item: with files, one a channel.
        model, device: as for :class:`ClassifyRequest`.
        folder: where a folder with the label file is made; it stays, for showing the case later.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        item: BatchItem,
        model: str,
        device: str,
        folder: Path,
        on_phase: Callable[[str, float | None], None],
        on_done: Callable[[ClassifyResult], None],
        on_failed: Callable[[str], None],
        on_cancelled: Callable[[], None],
    ) -> None:
        self._worker = worker
        self._on_phase, self._on_failed, self._on_cancelled = on_phase, on_failed, on_cancelled
        images = tuple(FileSource(path) for path in item.files)
        output = tempfile.mkdtemp(prefix="case-", dir=folder)
        params = ClassifyParams(model, images, output, item.name, device)
        self._call = worker.call(params, on_done, self._refused, self._progress)

    def cancel(self) -> None:
        """Stop; ``on_cancelled`` follows within about a second."""
        self._worker.cancel(self._call)

    def _progress(self, note: JobProgress) -> None:
        self._on_phase(note.note or phase_text(note.phase), overall(note))

    def _refused(self, failure: WorkerFailure) -> None:
        if failure.cancelled:
            self._on_cancelled()
        else:
            self._on_failed(failure.sentence)
