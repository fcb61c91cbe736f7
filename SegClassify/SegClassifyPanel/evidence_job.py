"""One explanation from click to map: export the volumes, ask the worker, bring the map into the scene."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.chunks import Chunks
from SegClassifyPanel.classify_job import no_room
from SegClassifyPanel.evidence_nodes import put_evidence
from SegClassifyPanel.phases import EXPORT, overall, phase_text, within
from SegClassifyPanel.result_nodes import CHANNEL, MODEL, result_of
from SegClassifyPanel.volumes import ExportedVolume, VolumeError, export_volumes
from SegClassifyPanel.worker_call import WorkerFailure
from SegClassifyPanel.worker_process import WorkerProcess

from SegClassifyLib.worker.protocol import EvidenceParams, EvidenceResult, Id, JobProgress  # isort: skip


@dataclass(frozen=True)
class EvidenceListener:
    """Who is told: ``on_phase(text, fraction or None)`` often, then exactly one of the others, once.

    ``on_done`` gets the node ID of the map.
    """

    on_phase: Callable[[str, float | None], None]
    on_done: Callable[[str], None]
    on_failed: Callable[[str], None]
    on_cancelled: Callable[[], None]


class EvidenceJob:
    """Runs by itself from Qt's event loop once made.

    Args:
        worker: asked to explain.
        segmentation: node that carries a result; its volumes must still be there.
        class_name: the class to explain.
        folder: for temporary files; a folder of the job's own is made in it and removed at the end.
        listener: told of progress and end; never before the constructor has returned.

    Raises:
        VolumeError: an image or the model of the result is gone; in a sentence.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        segmentation: slicer.vtkMRMLSegmentationNode,
        class_name: str,
        folder: Path,
        listener: EvidenceListener,
    ) -> None:
        result = result_of(segmentation)
        self._volumes = [
            segmentation.GetNthNodeReferenceID(CHANNEL, n)
            for n in range(segmentation.GetNumberOfNodeReferences(CHANNEL))
        ]
        if result is None or not self._volumes or None in [_node(v) for v in self._volumes]:
            raise VolumeError(_gone())
        self._segmentation, self._class_name = segmentation.GetID(), class_name
        self._model, self._device = segmentation.GetAttribute(MODEL) or "", result.device
        self._worker, self._listener = worker, listener
        self._folder = Path(tempfile.mkdtemp(prefix="evidence-", dir=folder))
        self._exported: list[ExportedVolume] = []
        self._call: Id | None = None
        self._over = self._stopping = False
        export = export_volumes(self._volumes, self._folder, _gone())
        self._chunks: Chunks | None = Chunks(export, self._ask, self._broke, self._export_progress)

    @property
    def over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self._over

    def cancel(self) -> None:
        """Stop; ``on_cancelled`` follows within about a second."""
        if self._over or self._stopping:
            return
        self._stopping = True
        if self._call is not None:
            self._worker.cancel(self._call)
            return
        if self._chunks is not None:
            self._chunks.stop()
        self._ended(self._listener.on_cancelled)

    def _export_progress(self, fraction: float) -> None:
        self._listener.on_phase(_("Handing over the images"), within(EXPORT, fraction))

    def _ask(self, exported: list[ExportedVolume]) -> None:
        self._chunks, self._exported = None, exported
        params = EvidenceParams(
            model=self._model,
            images=tuple(volume.source for volume in self._exported),
            output=str(self._folder),
            name=self._exported[0].source.name,
            class_name=self._class_name,
            device=self._device or "auto",
        )
        self._listener.on_phase(phase_text("Starting"), None)
        self._call = self._worker.call(params, self._answered, self._refused, self._worker_progress)

    def _worker_progress(self, note: JobProgress) -> None:
        self._listener.on_phase(note.note or phase_text(note.phase), overall(note))

    def _answered(self, result: EvidenceResult) -> None:
        self._call = None
        segmentation = _node(self._segmentation)
        if self._stopping:
            self._ended(self._listener.on_cancelled)
            return
        try:
            if segmentation is None or None in [_node(v) for v in self._volumes]:
                raise VolumeError(_gone())
            notes = (*(n for volume in self._exported for n in volume.notes), *result.notes)
            node = put_evidence(replace(result, notes=notes), self._exported[0], segmentation)
        except (VolumeError, OSError, ValueError) as error:
            self._broke(error)
            return
        self._ended(lambda: self._listener.on_done(node.GetID()))

    def _refused(self, failure: WorkerFailure) -> None:
        self._call = None
        if failure.cancelled:
            self._ended(self._listener.on_cancelled)
            return
        if failure.details:
            logging.info("SegClassify worker: %s", failure.details)
        self._ended(lambda: self._listener.on_failed(failure.sentence))

    def _broke(self, error: Exception) -> None:
        if isinstance(error, OSError):
            sentence = no_room(self._folder.parent, error)
        else:
            sentence = str(error)
            if not isinstance(error, VolumeError):
                logging.error("SegClassify: an error that nobody foresaw", exc_info=error)
        self._ended(lambda: self._listener.on_failed(sentence))

    def _ended(self, tell: Callable[[], None]) -> None:
        if self._over:
            return
        self._over, self._chunks, self._call = True, None, None
        shutil.rmtree(self._folder, ignore_errors=True)
        tell()


def _node(node_id: str) -> slicer.vtkMRMLNode | None:
    return slicer.mrmlScene.GetNodeByID(node_id) if node_id else None


def _gone() -> str:
    return _("An image of this result is no longer in the scene: load it and classify again.")
