"""How good a classifier is with a part of the cases, and what more cases would bring as far as that can be said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.crossvalidate import CrossValidation, held_out_logits
from SegClassifyLib.evaluation.folds import Fold, groups_per_class, repeated_folds
from SegClassifyLib.evaluation.intervals import Interval, group_weights, percentile_interval, weighted_metric
from SegClassifyLib.evaluation.learner import Learner
from SegClassifyLib.evaluation.outlook import Outlook, foresee
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.progress import Progress

SHARES = (0.15, 0.25, 0.4, 0.65, 1.0)
"""Parts of the training cases that the curve is measured with."""

_PHASE = "Drawing the learning curve"
_REPLICATES = 1000
_FEWEST_GROUPS = 5
_FEWEST_OF_A_CLASS = 2


@dataclass(frozen=True)
class CurvePoint:
    """Balanced accuracy with so many training cases, and its 95 % interval over draws and patients."""

    cases: int
    balanced_accuracy: Interval


@dataclass(frozen=True)
class LearningCurve:
    """A measured curve and what it foretells.

    Args:
        points: fewest cases first; empty where nothing could be measured.
        outlook: one for each number of further cases that was asked for.
        refusal: why the curve says nothing of further cases; empty where it does.
        seed: of draws, heads and band.
    """

    points: tuple[CurvePoint, ...]
    outlook: tuple[Outlook, ...]
    refusal: str
    seed: int


def learning_curve(
    make_head: Callable[[], Learner],
    table: FeatureTable,
    y: np.ndarray,
    groups: np.ndarray,
    further: Sequence[int] = (50,),
    shares: Sequence[float] = SHARES,
    folds: int = 5,
    draws: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
    classes: Sequence[str] = (),
    whole: CrossValidation | None = None,
) -> LearningCurve:
    """Cross-validate with growing parts of each training part, and carry the curve on.

    Every case is answered once for each part and draw by heads that have not seen its patient. Smaller parts are
    parts of larger ones, with the classes in the same proportion, patients whole.

    Args:
        make_head: gives an unfitted head.
        table: features of N cases.
        y: classes ``(N,)`` int, every one of ``0 … K-1`` present.
        groups: patients ``(N,)``.
        further: numbers of cases on top of N to look ahead to.
        shares: parts of the training cases, rising, the last 1.
        folds, draws: of the cross-validation; each draw shuffles folds and parts.
        seed: decides everything random.
        progress: told after each fit; may cancel.
        classes: names, for sentences.
        whole: a cross-validation of the same heads and cases; where its folds are those of the draws, what it answered
            with whole training parts is not asked again.

    Raises:
        TrainingError: a class with cases of one group only.
    """
    from scipy.special import softmax

    progress = progress or Progress()
    y, groups = np.asarray(y, np.int64), np.asarray(groups)
    fewest = int(groups_per_class(y, groups).argmin())
    if groups_per_class(y, groups)[fewest] < _FEWEST_GROUPS:
        name = repr(classes[fewest]) if classes else str(fewest)
        count = int(groups_per_class(y, groups)[fewest])
        refusal = (
            f"What more cases would bring cannot be said: the class {name} has {count} patients (groups), and a curve "
            f"needs {_FEWEST_GROUPS} or more in each class."
        )
        return LearningCurve((), (), refusal, seed)
    plans = list(repeated_folds(y, groups, folds, draws, seed, classes))
    known = whole.logits if whole is not None and _same_folds(whole, plans, seed) else None
    total, done = sum(map(len, plans)) * len(shares), 0
    proba = np.full((len(shares), draws, len(y), int(y.max()) + 1), np.nan)
    sizes: list[list[int]] = [[] for _ in shares]
    for draw, plan in enumerate(plans):
        for number, fold in enumerate(plan):
            parts = growing_parts(fold.train, y, groups, shares, (seed, draw, number))
            for step, part in enumerate(parts):
                progress.report(_PHASE, done, total, f"{len(part)} cases")
                smaller = Fold(part, fold.test)
                if known is not None and len(part) == len(fold.train):
                    logits = known[draw, fold.test]
                else:
                    logits = held_out_logits(make_head(), table, y, groups, smaller, seed + draw)
                proba[step, draw, fold.test] = softmax(logits, axis=-1)
                sizes[step].append(len(part))
                done += 1
    progress.report(_PHASE, done, total)
    # Of few cases two shares may be the same part.
    cases, kept = np.unique([round(float(np.mean(s))) for s in sizes], return_index=True)
    return _summarise(cases, proba[kept], y, groups, further, seed)


def _same_folds(whole: CrossValidation, plans: Sequence[Sequence[Fold]], seed: int) -> bool:
    """Whether a cross-validation went through (at least) these folds, with these seeds."""
    return whole.seed == seed and len(whole.logits) >= len(plans) and whole.folds == len(plans[0])


def growing_parts(
    train: np.ndarray, y: np.ndarray, groups: np.ndarray, shares: Sequence[float], seed: tuple[int, ...]
) -> list[np.ndarray]:
    """Nested parts of the cases ``train``: of each class that share, patients whole, two cases of a class at least.

    Args:
        train: indices of cases.
        y, groups: of all cases.
        shares: rising, 0 to 1.
        seed: decides which patients come first.

    Returns:
        For each share the indices of its cases, ascending.
    """
    order = np.random.default_rng(seed).permutation(np.unique(groups[train]))
    members = [train[groups[train] == group] for group in order]
    whole = np.bincount(y[train], minlength=int(y.max()) + 1)
    parts = []
    for share in shares:
        wanted = np.minimum(np.maximum(np.round(share * whole), _FEWEST_OF_A_CLASS), whole)
        taken, have = [], np.zeros(len(whole))
        for cases in members:
            counts = np.bincount(y[cases], minlength=len(whole))
            if ((counts > 0) & (have < wanted)).any():
                taken.append(cases)
                have += counts
        parts.append(np.sort(np.concatenate(taken)))
    return parts


def _summarise(
    cases: np.ndarray,
    proba: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    further: Sequence[int],
    seed: int,
) -> LearningCurve:
    """Points with intervals, and the outlook from bootstrap draws of groups and of the repeats."""
    steps, draws = proba.shape[:2]
    measures = [[weighted_metric("balanced_accuracy", y, p) for p in row] for row in proba]
    ones = np.ones((1, len(y)))
    measured = np.array([np.mean([m(ones)[0] for m in row]) for row in measures])
    replicates = np.concatenate(
        [
            np.stack([[m(w) for m in row] for row in measures])
            for w in group_weights(groups, _REPLICATES, seed)
        ],
        axis=-1,
    )  # (steps, draws, replicates)
    drawn = np.random.default_rng(seed).integers(0, draws, (draws, replicates.shape[-1]))
    curves = np.stack([np.take_along_axis(r, drawn, axis=0).mean(0) for r in replicates], axis=1)
    points = tuple(
        CurvePoint(int(cases[s]), percentile_interval(measured[s], curves[:, s])) for s in range(steps)
    )
    refusal, outlook = foresee(cases, measured, curves, len(y), further, 1 / (int(y.max()) + 1))
    return LearningCurve(points, outlook, refusal, seed)
