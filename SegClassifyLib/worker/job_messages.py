"""What is said about a job: its images, its progress, its result, its end. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from SegClassifyLib.worker.model_messages import LabelInfo
from SegClassifyLib.worker.params import Params
from SegClassifyLib.worker.plain import PlainData, ShapeError
from SegClassifyLib.worker.wire import Notification

PHASES = (
    "Starting",
    "Opening the model",
    "Reading",
    "Preparing",
    "Segmenting",
    "Classifying",
    "Writing back",
    "Saving",
)
"""Every phase that :class:`JobProgress` names for ``classify``, in the order in which they come."""


@dataclass(frozen=True)
class VolumeSource(PlainData):
    """A volume that the panel has in memory, its voxels in a .npy file that both sides map.

    Args:
        name: what to call it in sentences.
        array: path of a .npy file, ``(D, H, W)`` of any real dtype; a 2D image is ``(1, H, W)``. The worker maps
            it read-only and has let go of it when it answers.
        spacing: mm along x, y, z.
        origin: LPS position of the first voxel's centre, mm.
        direction: unit vectors of the axes x, y, z as columns of a 3 x 3 matrix, LPS, row by row.
    """

    name: str
    array: str
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]

    def __post_init__(self) -> None:
        for field, wanted in (("spacing", 3), ("origin", 3), ("direction", 9)):
            if len(getattr(self, field)) != wanted:
                raise ShapeError(f"{field} of {self.name!r} should be {wanted} numbers")


@dataclass(frozen=True)
class FileSource(PlainData):
    """An image file, or the folder of one DICOM series."""

    path: str


@dataclass(frozen=True)
class ClassifyResult(PlainData):
    """One case, segmented and classified.

    Args:
        name: as asked.
        model: name of the model.
        classes: all classes, in the model's order; empty for a model that only segments.
        probabilities: in the order of ``classes``, adding up to 1.
        predicted: the most probable class; ``None`` for a model that only segments.
        sentence: the answer in words.
        warnings: sentences on why to trust it less.
        notes: sentences on how it was run otherwise than asked (smaller parts, another device).
        device: where the network ran.
        seconds: by phase: "open" (next to nothing when the model was warm), "read", "prepare", "network", "classify",
            "write back", "save".
        labels: what the integers of the label map mean, background left out.
        label_file: .npy, ``(D, H, W)`` or ``(H, W)`` uint8 (uint16 for a model of more than 256 labels), on the
            grid of the first image: a label map of the shape of its array.
        label_volumes: by label name, in ``volume_unit``.
        features_file: .json, every feature by name.
        volume_unit: "ml"; "mm2" for a 2D image.
        prediction_set: classes that cannot be ruled out, the most probable first; empty where the model cannot tell.
        set_sentence: the prediction set in words; empty where it promises nothing: without a set, or where ``novel``.
        confidence: share of cases whose true class is in their prediction set, 0 to 1; ``None`` where the set promises
            nothing.
        novelty: share of the training cases that are less unlike the others than this image, 0 to 100; ``None`` where
            the model cannot tell.
        novel: too unlike the training cases to believe the probabilities or the set; a warning says in what.
    """

    name: str
    model: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    predicted: str | None
    sentence: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    device: str
    seconds: dict[str, float]
    labels: tuple[LabelInfo, ...]
    label_file: str
    label_volumes: dict[str, float]
    features_file: str
    volume_unit: str = "ml"
    prediction_set: tuple[str, ...] = ()
    set_sentence: str = ""
    confidence: float | None = None
    novelty: float | None = None
    novel: bool = False


@dataclass(frozen=True)
class ClassifyParams(Params[ClassifyResult]):
    """``classify``: segment and classify one case. A job: one at a time, others wait in the order they came.

    Args:
        model: path of a model package.
        images: one a channel, in the model's order. Those on another grid are resampled onto the first one's.
        output: folder for the label map and the features; made when needed.
        name: what to call the case; files in ``output`` begin with it, so give each case its own.
        device: "auto", or the name of a :class:`Device`.
    """

    METHOD: ClassVar[str] = "classify"
    ANSWER: ClassVar[Any] = ClassifyResult

    model: str
    images: tuple[VolumeSource | FileSource, ...]
    output: str
    name: str
    device: str = "auto"


@dataclass(frozen=True)
class Cancelling(PlainData):
    """Whether a job of that id was waiting or running; its own response is then the error ``CANCELLED``."""

    accepted: bool


@dataclass(frozen=True)
class CancelParams(Params[Cancelling]):
    """``cancel``: stop the job whose request had this id. Answered at once; a running job ends at its next tile."""

    METHOD: ClassVar[str] = "cancel"
    ANSWER: ClassVar[Any] = Cancelling

    id: int | str


@dataclass(frozen=True)
class JobProgress(PlainData):
    """The notification ``progress``: how far a job is; at most ten a second, and the first of every phase.

    Args:
        id: of the job's request.
        phase: one of :data:`PHASES`; other methods have phases of their own, see ``docs/worker-protocol.md``.
        done: steps of this phase that are behind us.
        total: all its steps; ``None`` where that is not known.
        note: what a person may want to know of this step; may be empty.
        seconds_left: estimate for this phase; ``None`` where it is not known.
    """

    METHOD: ClassVar[str] = "progress"

    id: int | str
    phase: str
    done: float
    total: float | None
    note: str
    seconds_left: float | None

    def notification(self) -> Notification:
        """The notification to send."""
        return Notification(self.METHOD, self.to_json())
