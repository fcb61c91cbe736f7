"""Which cases take part, and which of them may be tested on: none that any segmenter was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.experiment.draws import Pool, test_mode
from SegClassifyLib.experiment.settings import CompareSettings
from SegClassifyLib.heads.base import check_trainable
from SegClassifyLib.training.family import SegmenterFamily


@dataclass(frozen=True)
class People:
    """Who takes part.

    Args:
        cases: in the order of the training set.
        others: training cases of other patients, whose classes are not looked at, if they have any.
        pool: their classes and patients.
        notes: sentences on who was left out.
        untested: runs whose segmenter has seen no case that may be tested on.
    """

    cases: tuple[Case, ...]
    others: tuple[Case, ...]
    pool: Pool
    notes: tuple[str, ...]
    untested: frozenset[str]


def find_people(
    training_set: TrainingSet, families: Mapping[str, SegmenterFamily], settings: CompareSettings
) -> People:
    """Labelled cases, but for those whose features would flatter; the same cases for every arm.

    Raises:
        TrainingError: too few are left to learn or to test on, or no test cases where these are wanted.
    """
    labelled = [c for c in training_set.cases if c.label_class and c.role != "segmenter"]
    kept = [c for c in labelled if all(_honest(c, f, settings) for f in families.values())]
    if not kept and labelled:
        raise TrainingError(
            f"All {len(labelled)} labelled cases of {training_set.name} trained a segmenter: train it with fold "
            "segmenters (cross-fitting) or on other cases, or allow with --seen include that such cases train "
            "classifiers."
        )
    classes = training_set.classes
    y = np.asarray([classes.index(str(c.label_class)) for c in kept], np.int64)
    groups = np.asarray([c.group_name for c in kept])
    check_trainable(y, groups, classes)
    seen = np.asarray([any(c.image_hash in f.seen for f in families.values()) for c in kept])
    only_train = seen if settings.seen == "include" else np.zeros(len(kept), bool)
    pool = Pool(y, groups, np.flatnonzero([c.split == "test" for c in kept]), only_train)
    if settings.test == "split" and not len(pool.test):
        raise TrainingError(
            f"{training_set.name} has no test cases that may be tested on: mark some as test cases, or choose "
            "--test rest."
        )
    split = test_mode(pool, settings) == "split"
    tested = [c for i, c in enumerate(kept) if (c.split == "test" if split else not only_train[i])]
    untested = frozenset(
        run for run, family in families.items() if not any(c.image_hash in family.seen for c in tested)
    )
    taken = set(groups.tolist())
    others = tuple(c for c in training_set.cases if c.split == "train" and c.group_name not in taken)
    return People(tuple(kept), others, pool, _notes(training_set.name, labelled, kept, only_train), untested)


def _honest(case: Case, family: SegmenterFamily, settings: CompareSettings) -> bool:
    """Whether a case's features do not flatter, as far as it is used."""
    if case.image_hash not in family.seen:
        return True
    if settings.seen == "include":
        return case.split == "train"
    return settings.seen == "crossfit" and family.fold_without(str(case.image_hash)) is not None


def _notes(name: str, labelled: list[Case], kept: list[Case], only_train: np.ndarray) -> tuple[str, ...]:
    notes = []
    if len(kept) < len(labelled):
        notes.append(
            f"{len(labelled) - len(kept)} of {len(labelled)} labelled cases of {name} were left out: they trained a "
            "segmenter, and there is no fold segmenter that has not seen them."
        )
    if only_train.any():
        notes.append(
            f"{int(only_train.sum())} cases trained a segmenter too; they train classifiers and are never tested on."
        )
    return tuple(notes)
