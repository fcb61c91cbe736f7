"""Cases that nobody has given a class yet: of a training set, and of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from SegClassifyLib.cases import intake
from SegClassifyLib.cases.imports.from_folders import plan_unsorted
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.inference.extract import ImageSource
from SegClassifyLib.training.honest_features import image_source

Origin = Literal["set", "folder"]


@dataclass(frozen=True)
class Candidate:
    """A case that could be annotated.

    Args:
        source: name, files, and how to read them.
        group: its patient; its own name where nobody has said.
        origin: whether it is in the training set already.
        image_hash: of its content, where the training set knows it.
    """

    source: ImageSource
    group: str
    origin: Origin
    image_hash: str | None = None


def candidates_in_set(training_set: TrainingSet) -> list[Candidate]:
    """The set's own cases without a class that could train the classifier, in its order."""
    return [
        Candidate(image_source(training_set, case), case.group_name, "set", case.image_hash)
        for case in training_set.cases
        if case.label_class is None and case.may_train_classifier
    ]


def candidates_in_folder(
    folder: Path, training_set: TrainingSet
) -> tuple[list[Candidate], tuple[tuple[str, str], ...]]:
    """Images of a folder, and what could not be used: place and sentence.

    Raises:
        TrainingSetError: no such folder, or nothing in it.
    """
    plan = plan_unsorted(folder, training_set.channels)
    found = []
    for case in plan.cases:
        source = ImageSource(case.name, case.images, _reader(case.name, case.images, training_set.channels))
        found.append(Candidate(source, case.name, "folder"))
    return found, tuple((p.where, p.sentence) for p in plan.problems)


def _reader(name: str, paths: tuple[Path, ...], channels: tuple[str, ...]):  # type: ignore[no-untyped-def]
    return lambda: intake.read_images(name, paths, channels)
