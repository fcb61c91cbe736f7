"""What is in a training set: its cases, classes and labels, and their images and segmentations."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from SegClassifyLib.cases import intake
from SegClassifyLib.cases.document import read_document
from SegClassifyLib.cases.files import storage_errors
from SegClassifyLib.cases.names import name_key
from SegClassifyLib.cases.paths import resolve
from SegClassifyLib.cases.schema import Case, DatasetFile
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.image import Image, Label, LabelMap

if TYPE_CHECKING:
    from SegClassifyLib.cases.checks import Depth
    from SegClassifyLib.cases.findings import Finding


class TrainingSetReader:
    """The reading half of :class:`SegClassifyLib.cases.training_set.TrainingSet`.

    Args:
        folder: where ``dataset.json`` is.
        document: its content.
    """

    def __init__(self, folder: Path, document: DatasetFile) -> None:
        self.folder = folder
        self._document = document

    @property
    def name(self) -> str:
        """What people call it."""
        return self._document.name

    @property
    def ndim(self) -> Literal[2, 3]:
        """Of its images; 3 while there are none."""
        return self._document.ndim

    @property
    def cases(self) -> tuple[Case, ...]:
        """Training cases, then test cases, each in the order they were added."""
        return self._document.cases

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in order."""
        return self._document.channels

    @property
    def labels(self) -> tuple[Label, ...]:
        """Labels 0, 1, …, background first."""
        return self._document.label_list

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the model's outputs."""
        return self._document.segclassify.classes

    @property
    def features_folder(self) -> Path:
        """Where features of its cases are cached."""
        return self.folder / ".features"

    @property
    def document(self) -> DatasetFile:
        """All that ``dataset.json`` says."""
        return self._document

    @property
    def class_counts(self) -> dict[str, int]:
        """Cases of each class, both splits together."""
        return {name: sum(c.label_class == name for c in self.cases) for name in self.classes}

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Group → names of its cases."""
        found: dict[str, list[str]] = {}
        for case in self.cases:
            found.setdefault(case.group_name, []).append(case.name)
        return {group: tuple(names) for group, names in found.items()}

    def case(self, name: str) -> Case:
        """The case of that name; raises TrainingSetError if there is none."""
        return find_case(self._document, name, self.folder)

    def image_paths(self, case: Case) -> tuple[Path, ...]:
        """One file a channel; raises TrainingSetError if a path leaves the folder and is no reference."""
        return tuple(resolve(self.folder, case, text) for text in case.images)

    def segmentation_path(self, case: Case) -> Path | None:
        """The label map's file, if the case has one."""
        return resolve(self.folder, case, case.segmentation) if case.segmentation else None

    def load_image(self, case: Case) -> Image:
        """All channels of a case on the grid of the first; raises ImageError or TrainingSetError."""
        return intake.read_images(case.name, self.image_paths(case), self.channels)

    def load_segmentation(self, case: Case, image: Image) -> LabelMap:
        """The case's label map, on the grid of its image, with the set's labels.

        Raises:
            TrainingSetError: the case has none.
            ImageError: unreadable, or on another grid.
        """
        path = self.segmentation_path(case)
        if path is None:
            raise TrainingSetError(
                f"Case {case.name!r} has no segmentation; add one with `segclassify dataset change`."
            )
        return intake.read_segmentation(case.name, path, image.geometry, self.labels)

    def validate(self, deep: Depth = "headers") -> list[Finding]:
        """All that is wrong or odd with the set, worst first; see :mod:`SegClassifyLib.cases.checks`."""
        from SegClassifyLib.cases.checks import validate

        return validate(self, deep)

    def content_hash(self) -> str:
        """SHA-256 of all a training can depend on: pixels, segmentations, classes, groups, roles, splits."""
        digest = hashlib.sha256()
        labels = [(x.value, x.name) for x in self.labels]
        digest.update(json.dumps([self.channels, labels, self.classes]).encode())
        for case in sorted(self.cases, key=lambda c: c.name):
            image_hash = case.image_hash or self.load_image(case).content_hash()
            path = self.segmentation_path(case)
            with storage_errors(path or self.folder):
                segmentation = hashlib.sha256(path.read_bytes()).hexdigest() if path else None
            about = (
                case.label_class,
                case.group_name,
                case.role,
                case.split,
                case.segmentation_is_prediction,
            )
            digest.update(json.dumps([case.name, image_hash, segmentation, *about]).encode())
        return digest.hexdigest()

    def reload(self) -> None:
        """Take up what other processes have changed."""
        self._document = read_document(self.folder)


def find_case(document: DatasetFile, name: str, folder: Path) -> Case:
    """The case of that name, ignoring upper and lower case; raises TrainingSetError if there is none."""
    for case in document.cases:
        if name_key(case.name) == name_key(name):
            return case
    raise TrainingSetError(
        f"The training set {folder} has no case {name!r}; `segclassify dataset list` names them all."
    )
