"""Trainings of classifiers kept in a training set's folder: a model package, and beside it what baselines need."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from SegClassifyLib.atomic import write_text
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.package.library import folder_name
from SegClassifyLib.package.store import save_package
from SegClassifyLib.training.classifier import TrainedClassifier
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.compare import version_of
from SegClassifyLib.training.family import SegmenterFamily, open_family
from SegClassifyLib.training.segmenter_run import list_runs

_RECORD = ".record.json"
_LONGEST = 40
"""Letters of a model's name in a folder's: Windows takes paths of 260."""

RESULT = ".json"
"""Ending of the file beside the package that holds what was answered about the training."""


class TrainingRecord(BaseModel):
    """What a training of a classifier asked and was answered, for comparisons on the same folds.

    Args:
        segmenter: path of the family it was trained on; relative to the training set's folder where it is inside.
        settings: of the training.
        cases, images, groups, y: name, content hash, group and class number of each training case.
        classes: in order.
        proba: out of fold ``(N, K)``, as the cross-validation gave them.
        folds, repeats: of the cross-validation.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    segmenter: str
    settings: ClassifierSettings
    cases: tuple[str, ...]
    images: tuple[str, ...]
    groups: tuple[str, ...]
    y: tuple[int, ...]
    classes: tuple[str, ...]
    proba: tuple[tuple[float, ...], ...]
    folds: int
    repeats: int

    def found_in(self, training_set: TrainingSet) -> list[Case]:
        """The cases as they are in the set.

        Raises:
            TrainingError: one was removed or has another image, class or group now.
        """
        by_name = {c.name: c for c in training_set.cases}
        found = []
        for name, image, group, k in zip(self.cases, self.images, self.groups, self.y, strict=True):
            case = by_name.get(name)
            now = None if case is None else (case.image_hash, case.group_name, case.label_class)
            if case is None or now != (image, group, self.classes[k]):
                raise TrainingError(
                    f"The case {name!r} was removed or changed after the classifier was trained: train it again first."
                )
            found.append(case)
        return found


def record_of(
    trained: TrainedClassifier, training_set: TrainingSet, segmenter: Path, settings: ClassifierSettings
) -> TrainingRecord:
    """What is remembered of a training on the family at ``segmenter``."""
    hashes = {c.name: str(c.image_hash) for c in training_set.cases}
    return TrainingRecord(
        segmenter=_relative(segmenter, training_set.folder),
        settings=settings,
        cases=trained.cases,
        images=tuple(hashes[name] for name in trained.cases),
        groups=tuple(str(g) for g in trained.groups),
        y=tuple(int(k) for k in trained.y),
        classes=trained.model.classes,
        proba=trained.validation.proba.tolist(),
        folds=settings.folds,
        repeats=len(trained.validation.per_repeat),
    )


def save_classifier_run(
    trained: TrainedClassifier, record: TrainingRecord, training_set: TrainingSet
) -> Path:
    """Write package and record to a folder of their own in the training set; returns the package's path.

    Raises:
        ModelPackageError, TrainingError: it cannot be written there.
    """
    parent = classifiers_folder(training_set)
    stem = f"{datetime.now():%Y%m%d-%H%M%S} {folder_name(trained.model.name)[:_LONGEST]}"
    target, number = parent / stem, 1
    while target.exists():
        number += 1
        target = parent / f"{stem} {number}"
    with disk_errors(parent, TrainingError):
        write_text(parent / f"{target.name}{_RECORD}", record.model_dump_json())
    return save_package(trained.model, target)


def read_record(run: Path) -> TrainingRecord:
    """What :func:`save_classifier_run` wrote beside the package ``run``.

    Raises:
        TrainingError: there is none, or it is damaged.
    """
    path = run.with_name(f"{run.name}{_RECORD}")
    try:
        return TrainingRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise TrainingError(
            f"{run} is no training of a classifier of this training set, or is damaged: train it again."
        ) from error


def segmenter_of(record: TrainingRecord, training_set: TrainingSet) -> Path:
    """Path of the family that a classifier was trained on."""
    return training_set.folder / record.segmenter


def family_at(path: Path, training_set: TrainingSet) -> SegmenterFamily:
    """The family at ``path``; a model package gets the fold segmenters that were trained beside it in the set.

    Raises:
        ModelPackageError: it is none, or damaged.
    """
    family = open_family(path)
    asked = {c.image_hash for c in training_set.cases if c.trains_classifier}
    if family.folds or not asked & family.seen:
        return family
    return SegmenterFamily(family.full, version_of(family.full, known_segmenters(training_set)).family.folds)


def known_segmenters(training_set: TrainingSet, models: Iterable[Path | str] = ()) -> list[Path]:
    """Where fold segmenters of some models may be: what the set's trainings left, and what a run says of itself."""
    found = []
    for model in models:
        with contextlib.suppress(TrainingError):  # no classifier's run: it says nothing of its segmenter
            found.append(segmenter_of(read_record(Path(model)), training_set))
    found += [run.path for run in list_runs(training_set) if run.usable]
    return [path for path in dict.fromkeys(found) if path.exists()]


def classifiers_folder(training_set: TrainingSet) -> Path:
    """Where the trainings of a set's classifiers are."""
    return training_set.folder / "trainings" / "classifiers"


def _relative(path: Path, folder: Path) -> str:
    resolved, base = path.resolve(), folder.resolve()
    return resolved.relative_to(base).as_posix() if resolved.is_relative_to(base) else str(resolved)
