"""One explanation from click to map: export the volumes, ask the worker, bring the map into the scene."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.chunks import Steps
from SegClassifyPanel.evidence_nodes import put_evidence
from SegClassifyPanel.result_nodes import CHANNEL, MODEL, result_of
from SegClassifyPanel.volumes import ExportedVolume, VolumeError, export_volumes
from SegClassifyPanel.worker_job import JobListener, WorkerJob
from SegClassifyPanel.worker_process import WorkerProcess

from SegClassifyLib.worker.protocol import EvidenceParams, EvidenceResult  # isort: skip


class EvidenceJob(WorkerJob):
    """Runs by itself from Qt's event loop once made.

    Args:
        worker: asked to explain.
        segmentation: node that carries a result; its volumes must still be there.
        class_name: the class to explain.
        folder: for temporary files; a folder of the job's own is made in it and removed at the end.
        listener: told of progress and end; ``on_done`` gets the node ID of the map.

    Raises:
        VolumeError: an image or the model of the result is gone; in a sentence.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        segmentation: slicer.vtkMRMLSegmentationNode,
        class_name: str,
        folder: Path,
        listener: JobListener[str],
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
        self._exported: list[ExportedVolume] = []
        own = Path(tempfile.mkdtemp(prefix="evidence-", dir=folder))
        super().__init__(worker, self._export(own), own, listener)

    def _export(self, folder: Path) -> Steps[EvidenceParams]:
        self._exported = yield from export_volumes(self._volumes, folder, _gone())
        return EvidenceParams(
            model=self._model,
            images=tuple(volume.source for volume in self._exported),
            output=str(folder),
            name=self._exported[0].source.name,
            class_name=self._class_name,
            device=self._device or "auto",
        )

    def _answered(self, result: EvidenceResult) -> None:
        self._bring_in(self._import(result))

    def _import(self, result: EvidenceResult) -> Steps[str]:
        yield 0.0  # there is no step after the map: nobody can cancel between it and the end
        segmentation = _node(self._segmentation)
        if segmentation is None or None in [_node(v) for v in self._volumes]:
            raise VolumeError(_gone())
        notes = (*(n for volume in self._exported for n in volume.notes), *result.notes)
        return put_evidence(replace(result, notes=notes), self._exported[0], segmentation).GetID()


def _node(node_id: str) -> slicer.vtkMRMLNode | None:
    return slicer.mrmlScene.GetNodeByID(node_id) if node_id else None


def _gone() -> str:
    return _("An image of this result is no longer in the scene: load it and classify again.")
