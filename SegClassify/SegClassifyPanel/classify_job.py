"""One Classify from click to result: export the volumes, ask the worker, bring the result into the scene."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.chunks import Chunks, Steps
from SegClassifyPanel.phases import EXPORT, IMPORT, overall, phase_text, within
from SegClassifyPanel.result_nodes import earlier_result, put_result, put_segmentation
from SegClassifyPanel.segmentation_node import build_segmentation
from SegClassifyPanel.slice_views import show_in_slices
from SegClassifyPanel.undo import Snapshot
from SegClassifyPanel.volumes import ExportedVolume, VolumeError, export_volumes
from SegClassifyPanel.worker_call import WorkerFailure
from SegClassifyPanel.worker_process import WorkerProcess

from SegClassifyLib.worker.protocol import ClassifyParams, ClassifyResult, Id, JobProgress  # isort: skip


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


@dataclass(frozen=True)
class JobListener:
    """Who is told: ``on_phase(text, fraction or None)`` often, then exactly one of the others, once."""

    on_phase: Callable[[str, float | None], None]
    on_done: Callable[[Outcome], None]
    on_failed: Callable[[str], None]
    on_cancelled: Callable[[], None]


class ClassifyJob:
    """Runs by itself from Qt's event loop once made.

    Args:
        worker: asked to classify.
        request: what.
        folder: for temporary files; a folder of the job's own is made in it and removed at the end.
        listener: told of progress and end; of the end never before the constructor has returned.
    """

    def __init__(
        self, worker: WorkerProcess, request: ClassifyRequest, folder: Path, listener: JobListener
    ) -> None:
        self.request = request
        self.snapshot: Snapshot | None = None
        self._worker, self._listener = worker, listener
        self._began = time.monotonic()
        self._folder = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
        self._exported: list[ExportedVolume] = []
        self._call: Id | None = None
        self._over = self._stopping = False
        export = export_volumes(request.volumes, self._folder, _gone())
        self._chunks: Chunks | None = Chunks(export, self._ask, self._broke, self._export_progress)

    @property
    def over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self._over

    def cancel(self) -> None:
        """Stop; what has come into the scene already goes again. ``on_cancelled`` follows within about a second."""
        if self._over or self._stopping:
            return
        self._stopping = True
        if self._chunks is not None:
            self._chunks.stop()
            qt.QTimer.singleShot(0, self._cancelled)
        elif self._call is not None:
            self._listener.on_phase(_("Cancelling"), None)
            self._worker.cancel(self._call)

    def forget_scene(self) -> None:
        """Cancel because the scene is being closed: there is nothing to take back."""
        self.snapshot = None
        self.cancel()

    def finish(self) -> None:
        """Do the rest without leaving the call, for scripts that wait; the window is not updated meanwhile."""
        while not self._over:
            if self._stopping and self._call is None:
                self._cancelled()
            elif self._chunks is not None:
                self._chunks.finish()
            elif self._call is not None:
                self._worker.wait(self._call)

    def _export_progress(self, fraction: float) -> None:
        self._listener.on_phase(_("Handing over the images"), within(EXPORT, fraction))

    def _ask(self, exported: list[ExportedVolume]) -> None:
        self._chunks, self._exported = None, exported
        params = ClassifyParams(
            model=self.request.model,
            images=tuple(volume.source for volume in self._exported),
            output=str(self._folder),
            name=self._exported[0].source.name,
            device=self.request.device,
        )
        self._listener.on_phase(phase_text("Starting"), None)
        self._call = self._worker.call(params, self._answered, self._refused, self._worker_progress)

    def _worker_progress(self, note: JobProgress) -> None:
        self._listener.on_phase(note.note or phase_text(note.phase), overall(note))

    def _answered(self, result: ClassifyResult) -> None:
        self._call = None
        if self._stopping:  # the answer was on its way already
            self._cancelled()
            return
        self._chunks = Chunks(self._import(result), self._done, self._broke, self._import_progress)

    def _refused(self, failure: WorkerFailure) -> None:
        self._call = None
        if failure.cancelled:
            self._cancelled()
        else:
            if failure.details:
                logging.info("SegClassify worker: %s", failure.details)
            self._failed(failure.sentence)

    def _import_progress(self, fraction: float) -> None:
        self._listener.on_phase(_("Showing the result"), within(IMPORT, fraction))

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

    def _done(self, outcome: Outcome) -> None:
        if self._end():
            self._listener.on_done(outcome)

    def _broke(self, error: Exception) -> None:
        self._failed(failure_sentence(error, self._folder.parent))

    def _failed(self, sentence: str) -> None:
        if self._end():
            self._take_back()
            self._listener.on_failed(sentence)

    def _cancelled(self) -> None:
        if self._end():
            self._take_back()
            self._listener.on_cancelled()

    def _take_back(self) -> None:
        if self.snapshot is not None:
            self.snapshot.restore()
            self.snapshot = None

    def _end(self) -> bool:
        """Whether this is the end, which comes only once."""
        if self._over:
            return False
        self._over, self._chunks, self._call = True, None, None
        shutil.rmtree(self._folder, ignore_errors=True)
        return True


def _gone() -> str:
    return _("An image was removed from the scene while it was being classified: load it and classify again.")


def failure_sentence(error: Exception, folder: Path) -> str:
    """What to say of an error that ended work in Slicer; one that nobody foresaw goes to the log.

    Args:
        error: any.
        folder: where files for the worker were written.
    """
    if isinstance(error, VolumeError):
        return str(error)
    if isinstance(error, OSError):
        return no_room(folder, error)
    logging.error("SegClassify: an error that nobody foresaw", exc_info=error)
    return _(
        "Something went wrong that should not ({kind}: {text}); details are in the application's log."
    ).format(kind=type(error).__name__, text=error)


def no_room(folder: Path, error: OSError) -> str:
    """What to say when files for the worker cannot be written."""
    return _(
        "Files for the worker cannot be written to {folder} ({reason}): free space on that disk."
    ).format(folder=folder, reason=error.strerror or error)


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
