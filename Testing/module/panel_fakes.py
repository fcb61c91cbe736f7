"""A small real object in place of the logic: it keeps what the panel asked for, and a test says what happens next.

Results are put into the scene by the module's own functions, so nodes, undo and saving are the real thing.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from set_fakes import SetWorker, set_logic
from training_fakes import training_logic

MR_LABELS = ("scalp and skull", "CSF", "grey matter", "white matter", "tumour")
COLOURS = ((0.87, 0.72, 0.53), (0.33, 0.6, 0.9), (0.56, 0.56, 0.6), (0.95, 0.94, 0.84), (0.9, 0.25, 0.2))

SUMMARY = (
    "Segments a head and says which of three types of tumour it shows. Trained on made-up heads, so it is of no use "
    "for real ones.\n\nIt wants a contrast-enhanced T1 and a FLAIR of the same visit. Images that were taken without "
    "contrast agent are answered wrongly more often than not.\n\nTrained on 60 cases, tested on 30 others."
)


def label_infos() -> tuple[Any, ...]:
    """Labels as the worker tells them."""
    from SegClassifyLib.worker.protocol import LabelInfo

    return tuple(LabelInfo(i + 1, name, COLOURS[i]) for i, name in enumerate(MR_LABELS))


def model_info(name: str = "Brain tumour type", **changes: Any) -> Any:
    """A model as the worker lists it."""
    from SegClassifyLib.worker.protocol import ChannelInfo, ModelInfo

    model = ModelInfo(
        name=name,
        version="2026-01-02 0123abcd",
        path=f"/models/{name}",
        ndim=3,
        channels=(ChannelInfo("T1c"), ChannelInfo("FLAIR")),
        classes=("glioma", "meningioma", "metastasis"),
        labels=label_infos(),
        summary=SUMMARY,
        balanced_accuracy="80 % (95 % interval 68 to 89 %)",
        problem="",
        shipped=False,
    )
    return replace(model, **changes)


def classify_result(classes: Sequence[str], probabilities: Sequence[float], **changes: Any) -> Any:
    """A result as the worker answers it."""
    from SegClassifyLib.worker.protocol import ClassifyResult

    best = int(np.argmax(probabilities)) if len(probabilities) else None
    result = ClassifyResult(
        name="alpha_T1c",
        model="Brain tumour type",
        classes=tuple(classes),
        probabilities=tuple(float(p) for p in probabilities),
        predicted=None if best is None else classes[best],
        sentence="" if best is None else f"{classes[best]} ({probabilities[best]:.0%})",
        warnings=(),
        notes=(),
        device="cpu",
        seconds={"open": 0.1, "read": 0.2, "network": 2.5},
        labels=label_infos(),
        label_file="",
        label_volumes={"scalp and skull": 1180.2, "CSF": 310.25, "tumour": 12.34},
        features_file="",
    )
    return replace(result, **changes)


@dataclass
class FakeWorker:
    """The process that is not there."""

    log: str = ""
    log_changed: Callable[[], None] | None = None
    stops: int = 0

    def say(self, line: str) -> None:
        """Something appears in the log."""
        self.log = f"{self.log}\n{line}".strip()
        if self.log_changed is not None:
            self.log_changed()

    def stop(self) -> None:
        """End."""
        self.stops += 1


@dataclass
class FakeJob:
    """A Classify whose progress and end the test tells."""

    logic: FakeLogic
    volumes: tuple[str, ...]
    model: str
    device: str
    keep_earlier: bool
    on_phase: Callable[[str, float | None], None]
    on_done: Callable[[Any], None]
    on_failed: Callable[[str], None]
    on_cancelled: Callable[[], None]
    cancels: int = 0

    def cancel(self) -> None:
        """Asked to stop; the end comes when the test says so."""
        self.cancels += 1

    def cancelled(self) -> None:
        """It has stopped."""
        self.on_cancelled()

    def failed(self, sentence: str) -> None:
        """It went wrong."""
        self.on_failed(sentence)

    def done(self, result: Any, labels: np.ndarray | None = None, notes: tuple[str, ...] = ()) -> Any:
        """It is done: the result goes into the scene. Labels are ``(K, J, I)`` uint8; zeros unless given."""
        outcome = self.logic.put(self, result, labels, notes)
        self.on_done(outcome)
        return outcome


@dataclass
class FakeLogic:
    """What :class:`SegClassifyPanel.panel_logic.PanelLogic` asks for."""

    models: tuple[Any, ...] = ()
    devices: tuple[Any, ...] = ()
    worker: FakeWorker = field(default_factory=FakeWorker)
    background: FakeWorker = field(default_factory=FakeWorker)
    problem: str = ""
    jobs: list[FakeJob] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    set_worker: SetWorker = field(default_factory=SetWorker)
    _snapshot: Any = None

    @cached_property
    def sets(self) -> Any:
        """The real logic of training sets, over a worker that keeps them in memory."""
        return set_logic(self.set_worker)

    @cached_property
    def training(self) -> Any:
        """The real logic of trainings, over workers that never answer."""
        return training_logic().training

    @property
    def job(self) -> FakeJob:
        """The latest."""
        return self.jobs[-1]

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return self._snapshot is not None

    def undo(self) -> None:
        """Take it back."""
        snapshot, self._snapshot = self._snapshot, None
        snapshot.restore()

    def list_models(self, done: Callable[..., None], failed: Callable[[str], None]) -> None:
        """Answer later, as the worker does."""
        self.calls.append(("list_models", None))
        self._later(failed, self.problem) if self.problem else self._later(done, self.models)

    def list_devices(self, done: Callable[..., None], failed: Callable[[str], None]) -> None:
        """Answer later."""
        self._later(done, self.devices)

    def add_model(self, path: str, done: Callable[..., None], failed: Callable[[str], None]) -> None:
        """A file called bad is refused."""
        self.calls.append(("add_model", path))
        if Path(path).stem == "bad":
            self._later(failed, "bad.zip is damaged: get it again.")
            return
        self.models = (*self.models, model_info(Path(path).stem))
        self._later(done, self.models[-1])

    def remove_model(self, path: str, done: Callable[..., None], failed: Callable[[str], None]) -> None:
        """Forget it."""
        self.calls.append(("remove_model", path))
        self.models = tuple(m for m in self.models if m.path != path)
        self._later(done, None)

    def start_classify(
        self,
        volumes: Sequence[Any],
        model: str,
        device: str = "auto",
        keep_earlier: bool = False,
        *,
        on_phase: Callable[[str, float | None], None],
        on_done: Callable[[Any], None],
        on_failed: Callable[[str], None],
        on_cancelled: Callable[[], None],
        show: bool = True,
    ) -> FakeJob:
        """Keep it for the test."""
        ids = tuple(volume.GetID() for volume in volumes)
        job = FakeJob(self, ids, model, device, keep_earlier, on_phase, on_done, on_failed, on_cancelled)
        self.jobs.append(job)
        return job

    def batch(self, items: Sequence[Any], model: str, device: str, keep_earlier: bool, listener: Any) -> Any:
        """The real runner, over this logic."""
        from SegClassifyPanel.batch import BatchRunner

        return BatchRunner(self, items, model, device, keep_earlier, listener)  # type: ignore[arg-type]

    def show_3d(
        self, segmentation: Any, shown: bool, on_done: Callable[[], None], on_failed: Callable[[str], None]
    ) -> None:
        """Keep it, and be done later."""
        self.calls.append(("show_3d", shown))
        self._later(on_done)

    def cleanup(self) -> None:
        """Nothing to clean."""

    def put(self, job: FakeJob, result: Any, labels: np.ndarray | None, notes: tuple[str, ...]) -> Any:
        """Put a result into the scene as the real logic does; its outcome."""
        import slicer
        import vtk
        from SegClassifyPanel.chunks import finished
        from SegClassifyPanel.classify_job import Outcome
        from SegClassifyPanel.geometry import array_of
        from SegClassifyPanel.result_nodes import earlier_result, put_result, put_segmentation
        from SegClassifyPanel.segmentation_node import build_segmentation
        from SegClassifyPanel.undo import Snapshot

        volumes = [slicer.mrmlScene.GetNodeByID(i) for i in job.volumes]
        shape = volumes[0].GetImageData().GetDimensions()[::-1]
        matrix = vtk.vtkMatrix4x4()
        volumes[0].GetIJKToRASMatrix(matrix)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "labels.npy"
            np.save(file, np.zeros(shape, np.uint8) if labels is None else labels.astype(np.uint8))
            segmentation = finished(build_segmentation(file, result.labels, array_of(matrix)))
        self._snapshot = Snapshot()
        earlier = None if job.keep_earlier else earlier_result(volumes[0], job.model)
        node = put_segmentation(segmentation, volumes, "", earlier, self._snapshot)
        table = put_result(node, result, job.model, self._snapshot)
        return Outcome(result, node.GetID(), table.GetID() if table else "", 3.25, (*notes, *result.notes))

    @staticmethod
    def _later(call: Callable[..., None], *values: Any) -> None:
        import qt

        qt.QTimer.singleShot(0, lambda: call(*values))


_seeds = itertools.count()


def add_volume(name: str, shape: tuple[int, ...] = (6, 8, 10), kind: str = "vtkMRMLScalarVolumeNode") -> Any:
    """A volume node of noise, ``(K, J, I)`` (``(K, J, I, 3)`` for a vector volume)."""
    import slicer

    voxels = np.random.default_rng(next(_seeds)).integers(0, 200, shape).astype(np.int16)
    return slicer.util.addVolumeFromArray(voxels, name=name, nodeClassName=kind)


def add_head(name: str, channel: int, head: Any) -> Any:
    """A channel of a head phantom as a volume node."""
    import slicer

    geometry = head.image.geometry
    ijk_to_lps = np.eye(4)
    ijk_to_lps[:3, :3] = geometry.matrix * np.array(geometry.spacing)
    ijk_to_lps[:3, 3] = geometry.origin
    ijk_to_ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ijk_to_lps
    return slicer.util.addVolumeFromArray(head.image.array[channel], ijkToRAS=ijk_to_ras, name=name)
