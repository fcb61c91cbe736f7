"""One Classify from click to result: export the volumes, ask the worker, bring the result into the scene."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.chunks import Steps
from SegClassifyPanel.result_nodes import earlier_result, put_result, put_segmentation
from SegClassifyPanel.segmentation_node import build_segmentation
from SegClassifyPanel.slice_views import show_in_slices
from SegClassifyPanel.undo import Snapshot
from SegClassifyPanel.volumes import ExportedVolume, VolumeError, export_volumes
from SegClassifyPanel.worker_job import JobListener, WorkerJob
from SegClassifyPanel.worker_process import WorkerProcess

from SegClassifyLib.worker.protocol import ClassifyParams, ClassifyResult  # isort: skip


@dataclass(frozen=True)
class ClassifyRequest:
    """What to classify, and how.

    Args:
        volumes: node IDs, one a channel of the model, in its order.
        model: path of the model package.
        device: "auto", or the name of a device.
        keep_earlier: make new nodes, also where this model has classified this volume before.
        show: put the volume into the slice views.
    """

    volumes: tuple[str, ...]
    model: str
    device: str = "auto"
    keep_earlier: bool = False
    show: bool = True


@dataclass(frozen=True)
class Outcome:
    """A finished Classify.

    Args:
        result: what the worker answered, without the files: what they held is in the scene.
        segmentation: node ID.
        table: node ID; empty for a model that only segments.
        seconds: from click to result.
        notes: sentences on what was done to the images, and by the worker.
    """

    result: ClassifyResult
    segmentation: str
    table: str
    seconds: float
    notes: tuple[str, ...]


class ClassifyJob(WorkerJob):
    """Runs by itself from Qt's event loop once made.

    Args:
        worker: asked to classify.
        request: what.
        folder: for temporary files; a folder of the job's own is made in it and removed at the end.
        listener: told of progress and end; of the end never before the constructor has returned.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        request: ClassifyRequest,
        folder: Path,
        listener: JobListener[Outcome],
    ) -> None:
        self.request = request
        self.snapshot: Snapshot | None = None
        self._began = time.monotonic()
        self._exported: list[ExportedVolume] = []
        own = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
        super().__init__(worker, self._export(own), own, listener)

    def cancel(self) -> None:
        """Stop; what has come into the scene already goes again. ``on_cancelled`` follows within about a second."""
        before = self._stopping
        super().cancel()
        if self._call is not None and not before:
            self._listener.on_phase(_("Cancelling"), None)

    def forget_scene(self) -> None:
        """Cancel because the scene is being closed: there is nothing to take back."""
        self.snapshot = None
        self.cancel()

    def _export(self, folder: Path) -> Steps[ClassifyParams]:
        self._exported = yield from export_volumes(self.request.volumes, folder, _gone())
        return ClassifyParams(
            model=self.request.model,
            images=tuple(volume.source for volume in self._exported),
            output=str(folder),
            name=self._exported[0].source.name,
            device=self.request.device,
        )

    def _answered(self, result: ClassifyResult) -> None:
        self._bring_in(self._import(result))

    def _import(self, result: ClassifyResult) -> Steps[Outcome]:
        first = self._exported[0]
        segmentation = yield from build_segmentation(
            Path(result.label_file), result.labels, first.ijk_to_parent
        )
        volumes = [slicer.mrmlScene.GetNodeByID(node_id) for node_id in self.request.volumes]
        if None in volumes:
            raise VolumeError(_gone())
        self.snapshot = Snapshot()
        earlier = None if self.request.keep_earlier else earlier_result(volumes[0], self.request.model)
        node = put_segmentation(segmentation, volumes, first.transform_id, earlier, self.snapshot)
        yield 0.9
        table = put_result(node, result, self.request.model, self.snapshot)
        yield 0.95
        if self.request.show:
            show_in_slices(volumes[0])
        notes = (*(note for volume in self._exported for note in volume.notes), *result.notes)
        seconds = time.monotonic() - self._began
        # The files go with the job's folder.
        kept = replace(result, label_file="", features_file="")
        return Outcome(kept, node.GetID(), table.GetID() if table else "", seconds, notes)

    def _take_back(self) -> None:
        if self.snapshot is not None:
            self.snapshot.restore()
            self.snapshot = None


def _gone() -> str:
    return _("An image was removed from the scene while it was being classified: load it and classify again.")


def requested(volumes: Sequence[slicer.vtkMRMLVolumeNode]) -> tuple[str, ...]:
    """Node IDs of volumes, each of which must be there and only once.

    Raises:
        VolumeError: in a sentence.
    """
    if not volumes or any(volume is None for volume in volumes):
        raise VolumeError(_("No image is chosen: choose one for each channel of the model."))
    ids = tuple(volume.GetID() for volume in volumes)
    twice = next((v.GetName() for v in volumes if ids.count(v.GetID()) > 1), None)
    if twice is not None:
        raise VolumeError(
            _("{volume} is chosen for two channels: choose another image.").format(volume=twice)
        )
    return ids
