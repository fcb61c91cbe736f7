"""Which head to take: the simplest one, unless another answers held-out cases clearly better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from SegClassifyLib.evaluation.calibrate import fit_calibration
from SegClassifyLib.evaluation.crossvalidate import held_out_logits
from SegClassifyLib.evaluation.folds import Fold, make_folds, possible_folds
from SegClassifyLib.evaluation.learner import Learner
from SegClassifyLib.evaluation.metrics import balanced_weights, case_log_loss, score
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.progress import Progress


@dataclass(frozen=True)
class CandidateScore:
    """How one candidate answered the held-out cases.

    Args:
        kind: of head.
        log_loss: class-balanced, after the candidate's own calibration.
        balanced_accuracy: mean recall over the classes.
        against: kind of the simpler candidate that it had to beat; empty for the first.
        better_by: how much less log loss than that one; NaN for the first.
        error: standard error of ``better_by`` over patients; NaN for the first.
    """

    kind: str
    log_loss: float
    balanced_accuracy: float
    against: str = ""
    better_by: float = float("nan")
    error: float = float("nan")


@dataclass(frozen=True)
class Choice:
    """The head chosen, and why.

    Args:
        head: of the chosen kind, fitted on all cases.
        kind: its kind.
        reason: one sentence with the numbers.
        scores: of every candidate, simplest first; empty where there were too few cases to compare.
    """

    head: Any
    kind: str
    reason: str
    scores: tuple[CandidateScore, ...]


def choose_head(
    candidates: Sequence[Learner],
    table: FeatureTable,
    y: np.ndarray,
    groups: np.ndarray,
    seed: int = 0,
    progress: Progress | None = None,
    folds: int = 5,
) -> Choice:
    """Compare candidates on the same held-out cases and fit the winner on all.

    A candidate replaces a simpler one only if its log loss is less by more than the standard error of that
    difference over patients. Each candidate makes its own choices inside each training part (nested
    cross-validation); its logits are compared after its own calibration, as they would be used.

    Args:
        candidates: unfitted heads, simplest first.
        table: features of N cases.
        y: classes ``(N,)`` int, every one of ``0 … K-1`` present.
        groups: patients ``(N,)``, never split.
        seed: decides folds and heads.
        progress: told after each fit; may cancel.
        folds: fewer are made where a class has few patients.

    Raises:
        TrainingError: nothing can be learned from these cases.
    """
    progress = progress or Progress()
    y, groups = np.asarray(y, np.int64), np.asarray(groups)
    scores: list[CandidateScore] = []
    if len(candidates) == 1:
        taken, reason = 0, f"The {candidates[0].kind} classifier was taken because no other was asked for."
    elif possible_folds(y, groups, folds) == 0:
        taken, reason = (
            0,
            (
                f"The {candidates[0].kind} classifier was taken as the simplest, because a class has cases of one "
                "patient only and nothing can be held out to compare classifiers on."
            ),
        )
    else:
        taken, scores = _compare(
            candidates, table, y, groups, make_folds(y, groups, folds, seed), seed, progress
        )
        reason = _reason(scores, taken)
    winner = candidates[taken]
    head = winner.fresh().fit(table, y, groups, seed, progress)
    return Choice(head, winner.kind, reason, tuple(scores))


def _compare(
    candidates: Sequence[Learner],
    table: FeatureTable,
    y: np.ndarray,
    groups: np.ndarray,
    plan: Sequence[Fold],
    seed: int,
    progress: Progress,
) -> tuple[int, list[CandidateScore]]:
    """Index of the winner, and the scores of all."""
    taken, best, scores = 0, np.empty(0), []
    for number, candidate in enumerate(candidates):
        logits = np.empty((len(y), int(y.max()) + 1))
        for done, fold in enumerate(plan):
            steps = len(candidates) * len(plan)
            progress.report("Comparing classifiers", number * len(plan) + done, steps, candidate.kind)
            logits[fold.test] = held_out_logits(candidate.fresh(), table, y, groups, fold, seed)
        proba = fit_calibration(logits, y).apply(logits)
        loss = case_log_loss(y, proba) * balanced_weights(y)
        mean, accuracy = float(loss.mean()), score(y, proba).balanced_accuracy
        if number == 0:
            scores.append(CandidateScore(candidate.kind, mean, accuracy))
            best = loss
            continue
        better_by, error = _difference(best, loss, groups)
        scores.append(
            CandidateScore(candidate.kind, mean, accuracy, candidates[taken].kind, better_by, error)
        )
        if better_by > error:
            taken, best = number, loss
    return taken, scores


def _difference(loss: np.ndarray, other: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Mean of ``loss - other`` over cases, and its standard error over groups."""
    codes = np.unique(groups, return_inverse=True)[1].reshape(-1)
    by_group = np.bincount(codes, weights=loss - other)
    error = by_group.std(ddof=1) * np.sqrt(len(by_group)) / len(loss)
    return float((loss - other).mean()), float(error)


def _reason(scores: Sequence[CandidateScore], taken: int) -> str:
    """One sentence on the winner: what it beat, or what did not beat it."""
    winner = scores[taken]
    numbers = f"(held-out log loss {winner.log_loss:.2f}, balanced accuracy {winner.balanced_accuracy:.2f})"
    if winner.against:
        return (
            f"The {winner.kind} classifier {numbers} was taken because its log loss is less than that of the simpler "
            f"{winner.against} classifier by {winner.better_by:.2f} ± {winner.error:.2f}, more than the standard error."
        )
    rivals = "; ".join(
        f"{s.kind} is {'better' if s.better_by > 0 else 'worse'} by {abs(s.better_by):.2f} ± {s.error:.2f} "
        f"(log loss {s.log_loss:.2f}, balanced accuracy {s.balanced_accuracy:.2f})"
        for s in scores[1:]
    )
    return (
        f"The {winner.kind} classifier {numbers} was taken because it is the simplest and no other is better by "
        f"more than the standard error: {rivals}."
    )
