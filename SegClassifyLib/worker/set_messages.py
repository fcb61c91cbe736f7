"""What is said about training sets: open, add, change, import, check. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from SegClassifyLib.worker.job_messages import FileSource, VolumeSource
from SegClassifyLib.worker.model_messages import LabelInfo
from SegClassifyLib.worker.params import Nothing, Params
from SegClassifyLib.worker.plain import PlainData

SEGMENTATION_STATES = ("none", "drawn", "predicted")
ROLES = ("both", "segmenter", "classifier")
SPLITS = ("train", "test")


@dataclass(frozen=True)
class CaseRow(PlainData):
    """A case as the table shows it.

    Args:
        name: unique in the set.
        class_name: its class; empty while nobody has said.
        group: what must not be split across folds; empty: the case is alone.
        role: one of :data:`ROLES`: what it may train.
        split: one of :data:`SPLITS`.
        segmentation: one of :data:`SEGMENTATION_STATES`.
        images: absolute paths, one a channel.
        segmentation_file: absolute path; empty for none.
        predicted: class that the last training or look ahead gave it, as a case it had not seen; empty for none.
        probability: of ``predicted``; 0 for none.
    """

    name: str
    class_name: str
    group: str
    role: str
    split: str
    segmentation: str
    images: tuple[str, ...]
    segmentation_file: str
    predicted: str = ""
    probability: float = 0.0


@dataclass(frozen=True)
class SetInfo(PlainData):
    """A training set as it is on the disk.

    Args:
        folder: its absolute path.
        name: what people call it.
        revision: changes whenever the set changes, whoever changed it.
        ndim: 2 or 3.
        channels: names, in order.
        labels: without background.
        classes: in order.
        cases: in the order of ``dataset.json``.
        others: a sentence on who else has it open; empty for nobody.
        undo: what ``undo_set`` would take back, in a few words ("remove alpha"); empty for nothing.
    """

    folder: str
    name: str
    revision: str
    ndim: int
    channels: tuple[str, ...]
    labels: tuple[LabelInfo, ...]
    classes: tuple[str, ...]
    cases: tuple[CaseRow, ...]
    others: str = ""
    undo: str = ""


@dataclass(frozen=True)
class SetChanged(PlainData):
    """What became of a change.

    Args:
        set: as it is now.
        cases: names of the cases that were added or changed.
        notes: sentences: what was passed over, and why.
    """

    set: SetInfo
    cases: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SetLook(PlainData):
    """``set`` is ``None`` where nothing changed since the revision that was named."""

    set: SetInfo | None


@dataclass(frozen=True)
class SegmentationSource(PlainData):
    """A label map that the panel has in memory.

    Args:
        volume: integers on the grid of the case's first image.
        labels: what they mean; found again in the set by name, upper and lower case alike.
    """

    volume: VolumeSource
    labels: tuple[LabelInfo, ...]


@dataclass(frozen=True)
class FindingInfo(PlainData):
    """One thing to put right.

    Args:
        severity: "error", "warning" or "info".
        kind: see :data:`SegClassifyLib.cases.findings.Kind`.
        sentence: what is the matter and what to do.
        cases: it is about; empty for the whole set.
    """

    severity: str
    kind: str
    sentence: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class ClassCounts(PlainData):
    """Cases and patients of one class that may train the classifier, and its cases kept for a test."""

    name: str
    cases: int
    groups: int
    test_cases: int


@dataclass(frozen=True)
class SetGuide(PlainData):
    """What a set has and lacks.

    Args:
        classes: in the order of the set.
        cases, groups: in all.
        unlabelled: cases that could train the classifier and have no class yet.
        segmented: cases that may train the segmenter.
        predicted: cases whose segmentation nobody has corrected yet.
        test_cases: kept for a final test.
        segmenter_lacks, classifier_lacks: sentences on what keeps each from being trained; empty where it can be.
        findings: everything, errors first.
    """

    classes: tuple[ClassCounts, ...]
    cases: int
    groups: int
    unlabelled: int
    segmented: int
    predicted: int
    test_cases: int
    segmenter_lacks: tuple[str, ...]
    classifier_lacks: tuple[str, ...]
    findings: tuple[FindingInfo, ...]


@dataclass(frozen=True)
class OpenSetParams(Params[SetInfo]):
    """``open_set``: read a training set, and let others see that it is open here."""

    METHOD: ClassVar[str] = "open_set"
    ANSWER: ClassVar[Any] = SetInfo

    folder: str


@dataclass(frozen=True)
class CreateSetParams(Params[SetInfo]):
    """``create_set``: make an empty training set and open it.

    Args:
        folder: where; made when needed, without a training set in it.
        name: of the set; the folder's where empty.
        channels: names, in order.
        labels: names for the values 1, 2, …; colours are chosen.
        classes: may be empty.
    """

    METHOD: ClassVar[str] = "create_set"
    ANSWER: ClassVar[Any] = SetInfo

    folder: str
    name: str
    channels: tuple[str, ...]
    labels: tuple[str, ...]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadSetParams(Params[SetLook]):
    """``read_set``: the set if it is not at ``revision`` any more; cheap, to be asked every few seconds."""

    METHOD: ClassVar[str] = "read_set"
    ANSWER: ClassVar[Any] = SetLook

    folder: str
    revision: str = ""


@dataclass(frozen=True)
class CloseSetParams(Params[Nothing]):
    """``close_set``: it is no longer open here."""

    METHOD: ClassVar[str] = "close_set"
    ANSWER: ClassVar[Any] = Nothing

    folder: str


@dataclass(frozen=True)
class AddCaseParams(Params[SetChanged]):
    """``add_case``: when this is answered, the case is on the disk.

    Args:
        folder: of the set.
        name: made fit for a file name, and unique by a number behind it.
        images: one a channel.
        segmentation: ``None`` for none.
        class_name: empty while nobody has said.
        new_class: whether a class that the set does not know is added; refused otherwise.
        group: the patient; may be empty.
        role, split: of :data:`ROLES`, :data:`SPLITS`.
        predicted: nobody has corrected the segmentation yet.
    """

    METHOD: ClassVar[str] = "add_case"
    ANSWER: ClassVar[Any] = SetChanged

    folder: str
    name: str
    images: tuple[VolumeSource | FileSource, ...]
    segmentation: SegmentationSource | FileSource | None = None
    class_name: str = ""
    new_class: bool = False
    group: str = ""
    role: str = "both"
    split: str = "train"
    predicted: bool = False


@dataclass(frozen=True)
class ChangeCasesParams(Params[SetChanged]):
    """``change_cases``: say something else of some cases; all of them or none. ``None`` leaves a field as it is.

    Args:
        folder: of the set.
        cases: their names.
        class_name: empty takes the class away.
        new_class: as in :class:`AddCaseParams`.
        group: empty takes it away.
        role, split: of :data:`ROLES`, :data:`SPLITS`.
        predicted: whether the segmentation is one that nobody has corrected yet.
    """

    METHOD: ClassVar[str] = "change_cases"
    ANSWER: ClassVar[Any] = SetChanged

    folder: str
    cases: tuple[str, ...]
    class_name: str | None = None
    new_class: bool = False
    group: str | None = None
    role: str | None = None
    split: str | None = None
    predicted: bool | None = None


@dataclass(frozen=True)
class SaveSegmentationParams(Params[SetChanged]):
    """``save_segmentation``: give a case another segmentation, made or corrected by a person."""

    METHOD: ClassVar[str] = "save_segmentation"
    ANSWER: ClassVar[Any] = SetChanged

    folder: str
    case: str
    segmentation: SegmentationSource | FileSource


@dataclass(frozen=True)
class RemoveCasesParams(Params[SetChanged]):
    """``remove_cases``: their files go to the set's ``.trash``, from where ``undo_set`` brings them back."""

    METHOD: ClassVar[str] = "remove_cases"
    ANSWER: ClassVar[Any] = SetChanged

    folder: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class UndoSetParams(Params[SetChanged]):
    """``undo_set``: take the last change back that this worker made to the set (add, change, remove, import)."""

    METHOD: ClassVar[str] = "undo_set"
    ANSWER: ClassVar[Any] = SetChanged

    folder: str


@dataclass(frozen=True)
class RenameClassParams(Params[SetChanged]):
    """``rename_class``: in the set and all its cases; an empty ``new`` removes a class that no case has."""

    METHOD: ClassVar[str] = "rename_class"
    ANSWER: ClassVar[Any] = SetChanged

    folder: str
    old: str
    new: str


@dataclass(frozen=True)
class ImportCasesParams(Params[SetChanged]):
    """``import_cases``: many at once, with progress; may be cancelled, what is in by then stays.

    Args:
        folder: of the set.
        source: a CSV file, a folder with one folder a class, or a Decathlon or nnU-Net folder.
        kind: "csv", "folders", "decathlon", or "" to tell by looking.
        copy: copy the files into the set; otherwise they are referred to where they are.
    """

    METHOD: ClassVar[str] = "import_cases"
    ANSWER: ClassVar[Any] = SetChanged

    folder: str
    source: str
    kind: str = ""
    copy: bool = True


@dataclass(frozen=True)
class CheckSetParams(Params[SetGuide]):
    """``check_set``: counts, what is missing to train, and what looks wrong.

    Args:
        folder: of the set.
        pixels: read every image too, not the headers only; takes long.
    """

    METHOD: ClassVar[str] = "check_set"
    ANSWER: ClassVar[Any] = SetGuide

    folder: str
    pixels: bool = False


SET_METHODS: tuple[type[Params[Any]], ...] = (
    OpenSetParams,
    CreateSetParams,
    ReadSetParams,
    CloseSetParams,
    AddCaseParams,
    ChangeCasesParams,
    SaveSegmentationParams,
    RemoveCasesParams,
    UndoSetParams,
    RenameClassParams,
    ImportCasesParams,
    CheckSetParams,
)
"""All methods of this module."""
