"""What the module can do, with and without its panel."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from SegClassifyPanel.batch import BatchItem, BatchListener, BatchRunner
from SegClassifyPanel.classify_job import ClassifyJob, ClassifyRequest, Outcome, requested
from SegClassifyPanel.evidence_logic import EvidenceLogic
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.set_logic import SetLogic
from SegClassifyPanel.surfaces import SurfaceJob
from SegClassifyPanel.training_logic import TrainingLogic
from SegClassifyPanel.undo import Snapshot
from SegClassifyPanel.volumes import VolumeError
from SegClassifyPanel.worker_call import WorkerFailure
from SegClassifyPanel.worker_job import JobListener, no_room
from SegClassifyPanel.worker_process import WorkerProcess

make_importable()

from SegClassifyLib.worker.protocol import (  # noqa: E402
    AddModelParams,
    Device,
    DevicesParams,
    ModelInfo,
    ModelsParams,
    Nothing,
    RemoveModelParams,
)

OnFailed = Callable[[str], None]


class ClassifyError(RuntimeError):
    """A blocking call failed; the message is a sentence for the user."""


class ModuleLogic(VTKObservationMixin):
    """Owns the workers and what runs; what belongs to the scene is cancelled when that is closed.

    ``worker`` classifies, keeps training sets and trains classifiers; ``background`` trains segmenters, for hours.

    Args:
        parameters: gives the parameter node of the scene, wrapped.
    """

    def __init__(self, parameters: Callable[[], Any]) -> None:
        super().__init__()
        self.worker = WorkerProcess()
        self.background = WorkerProcess()
        self.models_folder = ""
        self.sets = SetLogic(self.worker, self.temporary_folder)
        self.training = TrainingLogic(self.worker, self.background, lambda: self.models_folder)
        self.evidence = EvidenceLogic(self.worker, self.temporary_folder)
        self._parameters = parameters
        self._folder: Path | None = None
        self._jobs: list[ClassifyJob] = []
        self._batches: list[BatchRunner] = []
        self._surfaces: list[SurfaceJob] = []
        self._undo: Snapshot | None = None
        self._closed = False
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._on_scene_closing)
        # A script may forget to clean up, and the worker should not learn of Slicer's end by a broken pipe.
        slicer.app.aboutToQuit.connect(self.cleanup)

    def classify(
        self,
        volumes: Sequence[slicer.vtkMRMLVolumeNode],
        model: str | Path,
        device: str = "auto",
        keep_earlier: bool = False,
    ) -> Outcome:
        """Segment and classify, and return when the result is in the scene. For scripts: the window waits too.

        Args:
            volumes: one a channel of the model, in its order.
            model: folder of the model package.
            device: "auto", "cpu", "cuda:0" …
            keep_earlier: make new nodes instead of updating those of an earlier run.

        Raises:
            ClassifyError: in a sentence, why there is no result.
        """
        done: list[Outcome] = []
        failed: list[str] = []
        try:
            job = self.start_classify(
                volumes,
                model,
                device,
                keep_earlier,
                on_done=done.append,
                on_failed=failed.append,
                on_cancelled=lambda: failed.append(_("Cancelled.")),
            )
        except VolumeError as error:
            raise ClassifyError(str(error)) from error
        job.finish()
        if failed:
            raise ClassifyError(failed[0])
        return done[0]

    def start_classify(
        self,
        volumes: Sequence[slicer.vtkMRMLVolumeNode],
        model: str | Path,
        device: str = "auto",
        keep_earlier: bool = False,
        *,
        on_phase: Callable[[str, float | None], None] = lambda _text, _fraction: None,
        on_done: Callable[[Outcome], None] = lambda _outcome: None,
        on_failed: OnFailed = lambda _sentence: None,
        on_cancelled: Callable[[], None] = lambda: None,
        show: bool = True,
    ) -> ClassifyJob:
        """Begin to classify and return at once; the callbacks come from Qt's event loop.

        Args:
            on_phase: told what is happening and how much of everything is done, 0 to 1 (``None``: not known).
            on_done, on_failed, on_cancelled: exactly one of them is called, once.
            show: put the volume into the slice views.

        Raises:
            VolumeError: the choice of volumes makes no sense, or there is no room for files; in a sentence.
        """
        request = ClassifyRequest(requested(volumes), str(model), device, keep_earlier, show)

        def done(outcome: Outcome) -> None:
            self._keep(job, outcome)
            on_done(outcome)

        listener = JobListener(done, on_failed, on_cancelled, on_phase)
        try:
            job = ClassifyJob(self.worker, request, self.temporary_folder(), listener)
        except OSError as error:
            raise VolumeError(no_room(Path(slicer.app.temporaryPath), error)) from error
        self._jobs = [*(j for j in self._jobs if not j.over), job]
        return job

    def batch(
        self,
        items: Sequence[BatchItem],
        model: str | Path,
        device: str = "auto",
        keep_earlier: bool = False,
        listener: BatchListener | None = None,
    ) -> BatchRunner:
        """Begin to classify many cases one after another; see :class:`BatchRunner`."""
        runner = BatchRunner(self, items, str(model), device, keep_earlier, listener or BatchListener())
        self._batches = [*(b for b in self._batches if b.running), runner]
        return runner

    def list_models(self, done: Callable[[tuple[ModelInfo, ...]], None], failed: OnFailed) -> None:
        """The models in ``models_folder``; where that is empty, the user's own and those shipped with the software."""
        folders = (self.models_folder,) if self.models_folder else ()
        self.worker.call(ModelsParams(folders), done, _sentence_of(failed))

    def add_model(self, path: str | Path, done: Callable[[ModelInfo], None], failed: OnFailed) -> None:
        """Verify a model package, a folder or a .zip, and copy it into the user's folder of models."""
        self.worker.call(AddModelParams(str(path), self.models_folder), done, _sentence_of(failed))

    def remove_model(self, path: str | Path, done: Callable[[Nothing], None], failed: OnFailed) -> None:
        """Delete a model package from the user's folder of models."""
        self.worker.call(RemoveModelParams(str(path), self.models_folder), done, _sentence_of(failed))

    def list_devices(self, done: Callable[[tuple[Device, ...]], None], failed: OnFailed) -> None:
        """What can run a network, the best first. The first time takes seconds."""
        self.worker.call(DevicesParams(), done, _sentence_of(failed))

    def show_3d(
        self,
        segmentation: slicer.vtkMRMLSegmentationNode,
        shown: bool,
        on_done: Callable[[], None] = lambda: None,
        on_failed: OnFailed = lambda _sentence: None,
    ) -> None:
        """Show or hide a segmentation in 3D views; its surfaces are made by another process where they are missing."""
        for job in [j for j in self._surfaces if j.node_id == segmentation.GetID() and not j.over]:
            job.cancel()
        self._surfaces = [j for j in self._surfaces if not j.over]
        display = segmentation.GetDisplayNode()
        if not shown:
            if display is not None:
                display.SetVisibility3D(False)
            on_done()
            return
        self._surfaces.append(SurfaceJob(segmentation, self.temporary_folder(), on_done, on_failed))

    @property
    def can_undo(self) -> bool:
        """Whether there is a result that :meth:`undo` would take back."""
        return self._undo is not None

    def undo(self) -> None:
        """Bring the scene back to before the last result: new nodes go, updated ones are as they were."""
        if self._undo is not None:
            snapshot, self._undo = self._undo, None
            for job in self._surfaces:
                job.cancel()
            snapshot.restore()

    def cancel_all(self) -> None:
        """Stop everything that runs."""
        self.evidence.cancel()
        for batch in self._batches:
            batch.cancel()
        for job in self._jobs:
            job.cancel()
        for surface in self._surfaces:
            surface.cancel()

    def cleanup(self, *_: Any) -> None:
        """Stop everything, end the worker, remove observers and temporary files. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        self.removeObservers()
        slicer.app.aboutToQuit.disconnect(self.cleanup)
        self.cancel_all()
        self.sets.close()
        self.training.close()
        for worker in (self.worker, self.background):
            worker.log_changed = None
            worker.stop()
        self._undo = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def temporary_folder(self) -> Path:
        """A folder of this logic's own, removed by :meth:`cleanup`."""
        if self._folder is None or not self._folder.is_dir():
            self._folder = Path(tempfile.mkdtemp(prefix="SegClassify-", dir=slicer.app.temporaryPath))
        return self._folder

    def _keep(self, job: ClassifyJob, outcome: Outcome) -> None:
        self._undo = job.snapshot
        parameters = self._parameters()
        before = (parameters.outputSegmentation, parameters.outputTable)
        parameters.outputSegmentation = slicer.mrmlScene.GetNodeByID(outcome.segmentation)
        parameters.outputTable = slicer.mrmlScene.GetNodeByID(outcome.table) if outcome.table else None
        if self._undo is not None:
            self._undo.before_outputs(self._parameters, before)

    def _on_scene_closing(self, *_: Any) -> None:
        self._undo = None
        self.evidence.cancel()
        for batch in self._batches:
            batch.cancel()
        for job in self._jobs:
            job.forget_scene()
        for surface in self._surfaces:
            surface.cancel()


def _sentence_of(failed: OnFailed) -> Callable[[WorkerFailure], None]:
    return lambda failure: failed(failure.sentence)
