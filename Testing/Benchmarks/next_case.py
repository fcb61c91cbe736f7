"""How many labels the order of ``segclassify next`` saves against labelling in random order, on real data.

    python Testing/Benchmarks/next_case.py --data DATA-FOLDER --work WORK-FOLDER [--sets busi lidc …]

Uses the segmenters and cached features that real_data.py left in WORK-FOLDER. Half of the groups are the pool that
cases are labelled from, the other half, which nothing has seen, is tested on. Each repeat starts from two random cases
of each class, the same for both orders; then five cases at a time are labelled, a linear head is trained anew, and
asked for the next five. Prints mean balanced accuracy on the test half after 10, 20, 30 and 50 labels with 95 %
intervals over repeats and test groups, the paired difference, and how many random labels give the same.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from real_features import RealFeatures
from real_sets import SETS, make_set
from scipy.special import softmax

from SegClassifyLib.annotation.order import annotation_order
from SegClassifyLib.evaluation.intervals import (
    Interval,
    group_weights,
    percentile_interval,
    weighted_metric,
)
from SegClassifyLib.evaluation.summary import table
from SegClassifyLib.heads.linear import LinearHead, LinearSettings
from SegClassifyLib.heads.scaling import Scaling
from SegClassifyLib.training.family import open_family

SHOWN = (10, 20, 30, 50)
RANDOM_MARKS = (10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120)
"""Numbers of labels at which the random order is measured as well, to see where it catches up."""
START = 2
REPLICATES = 1000


@dataclass(frozen=True)
class Pool:
    """A data set ready to be labelled.

    Args:
        arms: features, classes and groups of all cases.
        pool: indices of the cases that may be labelled.
        Z: scaled features of all cases ``(N, F)``.
    """

    arms: RealFeatures
    pool: np.ndarray
    Z: np.ndarray


def main() -> None:
    """Run the sets that were asked for."""
    options = _options()
    for name in options.sets:
        pool = _open(name, options.data, options.work)
        random, chosen = (
            _runs(pool, order, marks, options.repeats, options.batch, options.seed)
            for order, marks in (("random", RANDOM_MARKS), ("next", SHOWN))
        )
        cases = (
            f"{len(pool.pool)} cases to label, {len(pool.arms.test)} test cases, {options.repeats} repeats"
        )
        print(f"\n## {name}: {cases}\n\n{_summary(pool, random, chosen, options.seed)}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("benchmark-output") / "real-data")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=["busi", "lidc"])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--batch", type=int, default=5, help="cases labelled before training anew")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _open(name: str, data: Path, work: Path) -> Pool:
    training_set = make_set(data, name, work / name / "set")
    segmenter = open_family(work / name / "segmenter").full.segmenter
    arms = RealFeatures(training_set, segmenter, work / name / "features")
    pool = np.setdiff1d(np.arange(len(arms.y)), arms.test)
    settings = LinearSettings()
    scaling = Scaling.of(arms.table.X[pool], arms.table.names, settings.balance, settings.descriptors)
    return Pool(arms, pool, scaling.apply(arms.table.X))


def _runs(
    pool: Pool, order: str, marks: tuple[int, ...], repeats: int, batch: int, seed: int
) -> dict[int, list[np.ndarray]]:
    """Test probabilities ``(n, K)`` of every repeat, by number of labels."""
    found: dict[int, list[np.ndarray]] = {}
    reachable = [m for m in marks if m <= len(pool.pool)]
    for repeat in range(repeats):
        rng = np.random.default_rng((seed, repeat))
        mixed = rng.permutation(pool.pool)
        y = pool.arms.y
        labelled = [int(i) for k in range(int(y.max()) + 1) for i in mixed[y[mixed] == k][:START]]
        for mark in reachable:
            while len(labelled) < mark:
                wanted = min(batch, mark - len(labelled))
                rest = np.setdiff1d(pool.pool, labelled)
                if order == "random":
                    labelled += rng.permutation(rest)[:wanted].tolist()
                else:
                    labelled += _chosen(pool, np.array(labelled), rest, wanted)
            found.setdefault(mark, []).append(_answers(pool, np.array(labelled), pool.arms.test))
    return found


def _answers(pool: Pool, labelled: np.ndarray, asked: np.ndarray) -> np.ndarray:
    arms = pool.arms
    head = LinearHead().fit(arms.table.rows(labelled), arms.y[labelled], arms.groups[labelled])
    return np.asarray(softmax(head.logits(arms.table.rows(asked)), axis=1))


def _chosen(pool: Pool, labelled: np.ndarray, rest: np.ndarray, wanted: int) -> list[int]:
    groups = pool.arms.groups
    picks = annotation_order(
        _answers(pool, labelled, rest),
        pool.Z[rest],
        pool.Z[labelled],
        groups[rest],
        wanted,
        frozenset(groups[labelled].tolist()),
    )
    return [int(rest[p.index]) for p in picks]


def _summary(
    pool: Pool, random: dict[int, list[np.ndarray]], chosen: dict[int, list[np.ndarray]], seed: int
) -> str:
    y, groups = pool.arms.y[pool.arms.test], pool.arms.groups[pool.arms.test]
    by_chance = {m: _accuracies(y, groups, probas, seed) for m, probas in random.items()}
    by_order = {m: _accuracies(y, groups, probas, seed) for m, probas in chosen.items()}
    labels = list(by_chance)
    curve = np.maximum.accumulate([by_chance[m][0].mean() for m in labels])
    rows = []
    for mark in by_order:
        mean = float(by_order[mark][0].mean())
        same = f"{np.interp(mean, curve, labels):.0f}" if mean <= curve[-1] else f"more than {labels[-1]}"
        cells = [
            _mean(*by_chance[mark]),
            _mean(*by_order[mark]),
            _difference(by_order[mark], by_chance[mark]),
        ]
        rows.append([str(mark), *cells, same])
    return table(["labels", "random order", "next", "difference", "random labels for the same"], rows)


def _accuracies(
    y: np.ndarray, groups: np.ndarray, probas: list[np.ndarray], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Balanced accuracy of each repeat ``(R,)``, and under draws of the test groups ``(B, R)``."""
    measures = [weighted_metric("balanced_accuracy", y, p) for p in probas]
    values = np.array([m(np.ones((1, len(y))))[0] for m in measures])
    draws = [np.stack([m(w) for m in measures], axis=1) for w in group_weights(groups, REPLICATES, seed)]
    return values, np.concatenate(draws)


def _mean(values: np.ndarray, draws: np.ndarray) -> str:
    return str(_interval(values, draws))


def _difference(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> str:
    found = _interval(one[0] - other[0], one[1] - other[1])
    return f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def _interval(values: np.ndarray, draws: np.ndarray) -> Interval:
    """Mean over the repeats, with an interval over draws of repeats and of test groups."""
    drawn = np.random.default_rng(1).integers(0, draws.shape[1], draws.shape)
    return percentile_interval(float(values.mean()), np.take_along_axis(draws, drawn, axis=1).mean(axis=1))


if __name__ == "__main__":
    main()
