"""The real data sets as training sets: groups kept together, half of them for training, half for testing."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SegClassifyLib.cases.training_set import TrainingSet


@dataclass(frozen=True)
class RealSet:
    """How to read one data set's ``labels.csv``.

    Args:
        folder: under the data folder.
        channels, labels: of the images and masks.
        classes: in order.
        group: column of what must stay together; "" where every case is alone.
        keep: which rows are used.
        values: value in the mask file to label value; empty where they agree.
    """

    folder: str
    channels: tuple[str, ...]
    labels: tuple[str, ...]
    classes: tuple[str, ...]
    group: str
    keep: Callable[[dict[str, str]], bool] = lambda row: True


SETS = {
    "busi": RealSet(
        "busi_breast_us2d", ("US",), ("lesion",), ("normal", "benign", "malignant"), "near_duplicate_group"
    ),
    "lidc": RealSet("lidc_nodules3d", ("CT",), ("nodule",), ("benign", "malignant"), "patient_id"),
    "lidc_size_matched": RealSet(
        "lidc_nodules3d",
        ("CT",),
        ("nodule",),
        ("benign", "malignant"),
        "patient_id",
        lambda row: row["size_matched"] == "1",
    ),
    "hippocampus": RealSet(
        "msd_hippocampus3d",
        ("T1",),
        ("anterior", "posterior"),
        ("small", "large"),
        "",
        lambda row: row["class"] in ("small", "large"),
    ),
}


def rows_of(data: Path, name: str) -> list[dict[str, str]]:
    """The rows of a set's table that are used, in file order."""
    spec = SETS[name]
    with (data / spec.folder / "labels.csv").open(newline="") as stream:
        return [row for row in csv.DictReader(stream) if spec.keep(row)]


def group_of(row: dict[str, str], name: str) -> str:
    """What must not be split: patient or near-duplicate group; the case itself where it has none."""
    return (row.get(SETS[name].group) or "").strip() or row["case_id"]


def make_set(
    data: Path, name: str, folder: Path, seed: int = 0, test_cases: Collection[str] | None = None
) -> TrainingSet:
    """Make (or open) a training set that refers to the files where they are.

    Half of the groups, drawn by ``seed`` class by class, are ``train``, the others ``test``; or ``test_cases`` are
    ``test``.
    """
    if (folder / "dataset.json").exists():
        return TrainingSet.open(folder)
    spec = SETS[name]
    rows = rows_of(data, name)
    test = _test_groups(rows, name, seed)
    training_set = TrainingSet.create(folder, name, spec.channels, spec.labels, spec.classes)
    for row in rows:
        group = group_of(row, name)
        training_set.add(
            row["case_id"],
            [data / spec.folder / row["image"]],
            data / spec.folder / row["mask"],
            row["class"],
            group,
            split="test"
            if (row["case_id"] in test_cases if test_cases is not None else group in test)
            else "train",
            mode="reference",
            check="none",
            duplicates="allow",
        )
    return training_set


def _test_groups(rows: list[dict[str, str]], name: str, seed: int) -> set[str]:
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(group_of(row, name), row["class"])
    random = np.random.default_rng(seed)
    chosen: set[str] = set()
    for label in SETS[name].classes:
        groups = sorted(g for g, c in first.items() if c == label)
        chosen |= {groups[i] for i in random.permutation(len(groups))[: len(groups) // 2]}
    return chosen
