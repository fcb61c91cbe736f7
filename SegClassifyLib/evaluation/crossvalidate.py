"""An honest estimate of how good a classifier is: repeated cross-validation that never splits a patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.calibrate import held_out_probabilities
from SegClassifyLib.evaluation.folds import Fold, repeated_folds
from SegClassifyLib.evaluation.intervals import Interval, bootstrap_groups
from SegClassifyLib.evaluation.learner import Learner
from SegClassifyLib.evaluation.metrics import METRICS, Scores, score
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.progress import Progress

_PHASE = "Cross-validating"


@dataclass(frozen=True)
class ScoreIntervals:
    """Each score with its 95 % interval over draws of the patients."""

    accuracy: Interval
    balanced_accuracy: Interval
    macro_auc: Interval
    log_loss: Interval
    brier: Interval


@dataclass(frozen=True)
class CrossValidation:
    """What cross-validation saw.

    Args:
        logits: out-of-fold logits ``(R, N, K)`` float64 of every repeat: what a calibration is fitted on.
        proba: out-of-fold probabilities ``(N, K)``, calibrated without the case's patient, mean over the repeats.
        scores: of ``proba``; holds the confusion matrix.
        intervals: of ``proba``, bootstrap over groups.
        per_repeat: scores of each repeat alone.
        doubtful: indices of the cases with the least sure answer, least sure first.
        surprising: indices of the cases answered wrongly, most certainly wrong first: look at their labels.
        folds: how many folds each repeat had.
        seed: of the first shuffle.
        heads: of the first repeat, one a fold.
        fold_of: the fold of the first repeat that held each case out ``(N,)`` int.
    """

    logits: np.ndarray
    proba: np.ndarray
    scores: Scores
    intervals: ScoreIntervals
    per_repeat: tuple[Scores, ...]
    doubtful: tuple[int, ...]
    surprising: tuple[int, ...]
    folds: int
    seed: int
    heads: tuple[Learner, ...]
    fold_of: np.ndarray


def cross_validate(
    make_head: Callable[[], Learner],
    table: FeatureTable,
    y: np.ndarray,
    groups: np.ndarray,
    folds: int = 5,
    repeats: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
    classes: Sequence[str] = (),
) -> CrossValidation:
    """Fit a fresh head on each training part and ask it about the held-out part.

    Everything that learns (scaling, components, strength, choice of head) lives in the head and so inside the
    training part.

    Args:
        make_head: gives an unfitted head.
        table: features of N cases.
        y: classes ``(N,)`` int, every one of ``0 … K-1`` present.
        groups: patients ``(N,)``, never split.
        folds, repeats: fewer folds are made where a class has few groups.
        seed: decides folds, heads and intervals.
        progress: told after each fold.
        classes: names of the classes, for the sentence of an error.

    Raises:
        TrainingError: a class with cases of one group only.
    """
    progress = progress or Progress()
    y = np.asarray(y, np.int64)
    plans = list(repeated_folds(y, groups, folds, repeats, seed, classes))
    total = sum(len(plan) for plan in plans)
    logits = np.full((repeats, len(y), int(y.max()) + 1), np.nan)
    heads: list[Learner] = []
    fold_of = np.zeros(len(y), np.int64)
    done = 0
    for repeat, plan in enumerate(plans):
        for number, fold in enumerate(plan):
            progress.report(_PHASE, done, total)
            head = make_head()
            logits[repeat, fold.test] = held_out_logits(head, table, y, groups, fold, seed + repeat)
            if repeat == 0:
                heads.append(head)
                fold_of[fold.test] = number
            done += 1
    progress.report(_PHASE, done, total)
    return _summarise(logits, y, np.asarray(groups), seed, tuple(heads), fold_of)


def score_intervals(y: np.ndarray, proba: np.ndarray, groups: np.ndarray, seed: int = 0) -> ScoreIntervals:
    """Every score of probabilities ``(N, K)`` with its 95 % interval, bootstrap over groups."""
    return ScoreIntervals(**{m: bootstrap_groups(y, proba, groups, m, seed=seed) for m in METRICS})


def held_out_logits(
    head: Learner, table: FeatureTable, y: np.ndarray, groups: np.ndarray, fold: Fold, seed: int
) -> np.ndarray:
    """Logits ``(n, K)`` for the test part of ``fold`` from ``head`` fitted on its training part."""
    train = fold.train
    head.fit(table.rows(train), y[train], np.asarray(groups)[train], seed=seed)
    return head.logits(table.rows(fold.test))


def _summarise(
    logits: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    seed: int,
    heads: tuple[Learner, ...],
    fold_of: np.ndarray,
) -> CrossValidation:
    per_repeat = held_out_probabilities(logits, y, groups)
    proba = per_repeat.mean(0)
    true = proba[np.arange(len(y)), y]
    wrong = proba.argmax(1) != y
    return CrossValidation(
        logits=logits,
        proba=proba,
        scores=score(y, proba),
        intervals=score_intervals(y, proba, groups, seed),
        per_repeat=tuple(score(y, p) for p in per_repeat),
        doubtful=tuple(int(i) for i in np.argsort(proba.max(1), kind="stable")),
        surprising=tuple(int(i) for i in np.argsort(true, kind="stable") if wrong[i]),
        folds=len(heads),
        seed=seed,
        heads=heads,
        fold_of=fold_of,
    )
