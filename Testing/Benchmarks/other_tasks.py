"""Does the linear head's method hold on tasks that had no part in choosing it?

    python Testing/Benchmarks/other_tasks.py --data DATA-FOLDER --work WORK-FOLDER

WORK-FOLDER is that of real_data.py, which leaves its segmenters and features there. Images, segmenters, features and
the two halves of the patients are those of the LIDC and hippocampus tables; the classes are others: low against high of
seven ratings of the nodules, and the first against the last third of the anterior part of the hippocampus. Limits were
set before any result was seen. On the same draws it compares the head as it is, the head of one plain regression
without images that have no class (what it was before), and the same plain regression on shape alone. Prints balanced
accuracy, and the paired differences with 95 % intervals over draws and test patients.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from real_sets import SETS, make_set

from SegClassifyLib.evaluation.summary import table
from SegClassifyLib.experiment.draws import Pool, plan_draws
from SegClassifyLib.experiment.scores import SizeScores
from SegClassifyLib.experiment.settings import CompareSettings
from SegClassifyLib.experiment.tables import signed
from SegClassifyLib.experiment.units import UnitResult
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.base import probabilities
from SegClassifyLib.heads.linear import LinearHead, LinearSettings
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.training.family import open_family
from SegClassifyLib.training.honest_features import image_source

SIZES, DRAWS = (5, 10, 20), 10
PLAIN = LinearSettings(whitening=(0.0,))


@dataclass(frozen=True)
class Task:
    """Low against high of a number.

    Args:
        name: for people.
        data: whose images.
        value: of a row of the table.
        low, high: the classes end and begin here; ``None``: thirds of all cases.
    """

    name: str
    data: str
    value: Callable[[dict[str, str]], float]
    low: float | None = None
    high: float | None = None


def _rating(name: str, low: float, high: float) -> Task:
    return Task(name.removesuffix("_median"), "lidc", lambda row: float(row[name] or "nan"), low, high)


TASKS = (
    _rating("spiculation", 1.5, 2.5),
    _rating("lobulation", 1.5, 2.5),
    _rating("margin", 3.5, 4.75),
    _rating("sphericity", 3.25, 4.25),
    _rating("texture", 4.0, 4.9),
    _rating("subtlety", 3.5, 4.5),
    _rating("calcification_median", 4.0, 6.0),
    Task("anterior share", "hippocampus", lambda row: float(row["anterior_mm3"]) / float(row["volume_mm3"])),
)


def main() -> None:
    """Print a row for each task and way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    rows = []
    for name in dict.fromkeys(task.data for task in TASKS):
        material = _material(name, options.data, options.work / name)
        for task in (t for t in TASKS if t.data == name):
            rows += _rows(task, *material)
            print("\n".join(" | ".join(row) for row in rows[-3:]), flush=True)
    header = ["task (cases to draw from)", "way", *map(str, SIZES)]
    print(f"\n{table(header, rows)}")


def _material(
    name: str, data: Path, folder: Path
) -> tuple[FeatureTable, list[dict[str, str]], np.ndarray, np.ndarray]:
    """Features, table rows, patients and whether a case is tested on, of all cases of a set."""
    training_set = make_set(data, name, folder / "set")
    segmenter = open_family(folder / "segmenter").full.segmenter
    cases = [c for c in training_set.cases if c.label_class]
    extractor = FeatureExtractor(segmenter, "cpu", FeatureCache(folder / "features"))
    features = FeatureTable.stack(extractor.extract([image_source(training_set, c) for c in cases]))
    with (data / SETS[name].folder / "labels.csv").open(newline="", encoding="utf-8") as stream:
        by_case = {row["case_id"]: row for row in csv.DictReader(stream)}
    groups = np.unique([c.group_name for c in cases], return_inverse=True)[1]
    tested = np.array([c.split == "test" for c in cases])
    return FeatureTable(features.names, features.X, {}), [by_case[c.name] for c in cases], groups, tested


def _rows(
    task: Task, features: FeatureTable, rows: list[dict[str, str]], groups: np.ndarray, tested: np.ndarray
) -> list[list[str]]:
    value = np.array([task.value(row) for row in rows])
    low, high = (task.low, task.high) if task.low is not None else np.nanquantile(value, [1 / 3, 2 / 3])
    kept = (value <= low) | (value >= high)
    y = (value[kept] >= high).astype(np.int64)
    pool = Pool(y, groups[kept], np.flatnonzero(tested[kept]), np.zeros(len(y), bool))
    own = features.rows(np.flatnonzero(kept))
    shape = own.columns(np.array([n.source == "shape" for n in own.names]))
    found: dict[str, list[str]] = {"the head": [], "plain regression": [], "plain, shape alone": []}
    for size in SIZES:
        folds = plan_draws(pool, size, CompareSettings(draws=DRAWS, test="split"))
        if not folds:
            for cells in found.values():
                cells.append("–")
            continue
        answers: dict[str, dict[int, UnitResult]] = {way: {} for way in found}
        for draw, fold in enumerate(folds):
            taken = groups[kept][np.concatenate([fold.train, fold.test])]
            others = FeatureTable(features.names, features.X[~tested & ~np.isin(groups, taken)], {})
            for way, head, given in (
                ("the head", LinearHead(background=others), own),
                ("plain regression", LinearHead(PLAIN), own),
                ("plain, shape alone", LinearHead(PLAIN), shape),
            ):
                head.fit(given.rows(fold.train), y[fold.train], pool.groups[fold.train], seed=draw)
                logits = head.logits(given.rows(fold.test))
                answers[way][draw] = UnitResult(logits, probabilities(logits), None, 0.0)
        scored = SizeScores(size, folds, pool, answers, 0)
        less = {
            d.other: d for d in scored.differences() if (d.arm, d.metric) == ("the head", "balanced_accuracy")
        }
        for score in scored.scores():
            cell = f"{score.scores['balanced_accuracy'].value:.2f}"
            if score.arm in less:
                cell += f"; {signed(less[score.arm].difference, less[score.arm].is_more_than_noise)}"
            found[score.arm].append(cell)
    title = f"{task.name} ({int((~tested[kept]).sum())})"
    return [[title if n == 0 else "", way, *cells] for n, (way, cells) in enumerate(found.items())]


if __name__ == "__main__":
    main()
