"""How good a classifier is with few cases: repeated draws of 5, 10, 20, … cases per class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.crossvalidate import held_out_logits
from SegClassifyLib.evaluation.folds import Fold, half_of_the_groups
from SegClassifyLib.evaluation.intervals import Interval, group_weights, percentile_interval, weighted_metric
from SegClassifyLib.evaluation.learner import Learner
from SegClassifyLib.evaluation.metrics import MetricName, score
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.progress import Progress

_PHASE = "Drawing few cases"
_REPLICATES = 1000


@dataclass(frozen=True)
class DrawResult:
    """A classifier trained on the same number of cases per class, several times over.

    Args:
        per_class: training cases of each class.
        balanced_accuracy: one for each draw.
        auc: macro AUC, one for each draw.
        mean_balanced_accuracy, mean_auc: mean over the draws, with a 95 % interval over draws of the training
            cases *and* of the test patients; the spread over training draws alone is much too narrow.
    """

    per_class: int
    balanced_accuracy: tuple[float, ...]
    auc: tuple[float, ...]
    mean_balanced_accuracy: Interval
    mean_auc: Interval


def few_shot(
    make_head: Callable[[], Learner],
    table: FeatureTable,
    y: np.ndarray,
    groups: np.ndarray,
    test_index: np.ndarray | None = None,
    per_class: Sequence[int] = (5, 10, 20, 50),
    draws: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[DrawResult]:
    """Train on few cases of each class and test on the rest, ``draws`` times for each number of cases.

    The same seed gives the same draws whatever the head, so that heads and features compare case by case.

    Args:
        make_head: gives an unfitted head.
        table: features of N cases.
        y: classes ``(N,)`` int, every one of ``0 … K-1`` present.
        groups: patients ``(N,)``; none is ever on both sides.
        test_index: indices of the test cases; ``None`` takes a random half of the groups for each draw.
        per_class: numbers of training cases; those that the smallest class does not have are left out.
        draws, seed: how many, and what decides them.
        progress: told after each fit.
    """
    from scipy.special import softmax

    progress = progress or Progress()
    y = np.asarray(y, np.int64)
    results = []
    plans = {n: plan for n in per_class if (plan := draw_cases(y, groups, n, test_index, draws, seed))}
    total, done = draws * len(plans), 0
    for n, plan in plans.items():
        probas = []
        for number, fold in enumerate(plan):
            progress.report(_PHASE, done, total, f"{n} per class")
            probas.append(
                softmax(held_out_logits(make_head(), table, y, groups, fold, seed + number), axis=-1)
            )
            done += 1
        results.append(summarise_draws(n, plan, probas, y, groups, seed))
    progress.report(_PHASE, done, total)
    return results


def draw_cases(
    y: np.ndarray,
    groups: np.ndarray,
    per_class: int,
    test_index: np.ndarray | None = None,
    draws: int = 10,
    seed: int = 0,
) -> tuple[Fold, ...]:
    """``draws`` splits with ``per_class`` training cases of each class; empty where a class has not so many.

    Draws of 5 cases per class are part of the draws of 10 with the same seed: the curve is of one growing set.
    Arguments as in :func:`few_shot`.
    """
    y, groups = np.asarray(y), np.asarray(groups)
    plan = []
    for draw in range(draws):
        if test_index is None:
            half = half_of_the_groups(y, groups, seed + draw)
            pool, test = half.train, half.test
        else:
            test = np.sort(np.asarray(test_index))
            pool = np.flatnonzero(~np.isin(groups, groups[test]))
        mixed = np.random.default_rng((seed, draw)).permutation(pool)
        chosen = [mixed[y[mixed] == k][:per_class] for k in range(int(y.max()) + 1)]
        if min(len(c) for c in chosen) < per_class:
            return ()
        plan.append(Fold(np.sort(np.concatenate(chosen)), test))
    return tuple(plan)


def summarise_draws(
    per_class: int,
    plan: Sequence[Fold],
    probas: Sequence[np.ndarray],
    y: np.ndarray,
    groups: np.ndarray,
    seed: int = 0,
) -> DrawResult:
    """Scores of each draw and their means, from the probabilities ``(n, K)`` given for each test part.

    For classifiers that are no heads (a network trained from scratch) on the splits of :func:`draw_cases`.
    """
    scores = [score(y[fold.test], proba) for fold, proba in zip(plan, probas, strict=True)]
    return DrawResult(
        per_class=per_class,
        balanced_accuracy=tuple(s.balanced_accuracy for s in scores),
        auc=tuple(s.macro_auc for s in scores),
        mean_balanced_accuracy=_mean_interval("balanced_accuracy", plan, probas, y, groups, seed),
        mean_auc=_mean_interval("macro_auc", plan, probas, y, groups, seed),
    )


def _mean_interval(
    metric: MetricName,
    plan: Sequence[Fold],
    probas: Sequence[np.ndarray],
    y: np.ndarray,
    groups: np.ndarray,
    seed: int,
) -> Interval:
    measures = [weighted_metric(metric, y[f.test], p) for f, p in zip(plan, probas, strict=True)]
    values = [m(np.ones((1, len(f.test))))[0] for m, f in zip(measures, plan, strict=True)]
    parts = [
        np.stack([m(w[:, f.test]) for m, f in zip(measures, plan, strict=True)], axis=1)
        for w in group_weights(groups, _REPLICATES, seed)
    ]
    table = np.concatenate(parts)
    drawn = np.random.default_rng(seed).integers(0, len(plan), (len(table), len(plan)))
    means = np.take_along_axis(table, drawn, axis=1).mean(axis=1)
    return percentile_interval(float(np.mean(values)), means)
