"""How good class probabilities are: the usual scores, with what is undefined said as NaN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

MetricName = Literal["accuracy", "balanced_accuracy", "macro_auc", "log_loss", "brier"]
METRICS: tuple[MetricName, ...] = get_args(MetricName)

LEAST_PROBABILITY = 1e-7
"""Probabilities below this count as this in log losses, so that one wrong certainty is not infinite."""


@dataclass(frozen=True)
class Scores:
    """Scores of class probabilities against the truth.

    Args:
        cases: how many cases.
        accuracy: share of cases whose most probable class is right.
        balanced_accuracy: mean recall over the classes that occur.
        auc: one class against the rest, ``(K,)``; NaN for a class that no case, or every case, has.
        macro_auc: mean of the defined ``auc``; NaN where none is.
        log_loss: mean of ``-log p(true class)``, natural logarithm.
        brier: mean squared distance of the probabilities from the truth, summed over classes (0 to 2).
        confusion: ``(K, K)`` int64, rows the true class, columns the class said.
    """

    cases: int
    accuracy: float
    balanced_accuracy: float
    auc: np.ndarray
    macro_auc: float
    log_loss: float
    brier: float
    confusion: np.ndarray


def score(y: np.ndarray, proba: np.ndarray) -> Scores:
    """All scores of ``proba``.

    Args:
        y: true classes ``(N,)`` int in ``0 … K-1``; a class may be absent.
        proba: ``(N, K)`` probabilities, rows summing to 1.

    Raises:
        ValueError: shapes that do not fit, no cases, or numbers that are not probabilities.
    """
    from sklearn.metrics import confusion_matrix

    y, proba = checked(y, proba)
    classes = proba.shape[1]
    said = proba.argmax(1)
    confusion = confusion_matrix(y, said, labels=range(classes))
    present = confusion.sum(1) > 0
    recall = np.diag(confusion)[present] / confusion.sum(1)[present]
    auc = np.array([_auc(y == k, proba[:, k]) for k in range(classes)])
    return Scores(
        cases=len(y),
        accuracy=float((said == y).mean()),
        balanced_accuracy=float(recall.mean()),
        auc=auc,
        macro_auc=float(np.nanmean(auc)) if np.isfinite(auc).any() else float("nan"),
        log_loss=float(case_log_loss(y, proba).mean()),
        brier=float(case_brier(y, proba).mean()),
        confusion=confusion,
    )


def case_log_loss(y: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """``-log p(true class)`` of each case, ``(N,)``."""
    true = proba[np.arange(len(y)), y]
    return -np.log(np.clip(true, LEAST_PROBABILITY, None))


def case_brier(y: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """Squared distance between the probabilities and the truth of each case, ``(N,)``."""
    return ((proba - np.eye(proba.shape[1])[y]) ** 2).sum(1)


def balanced_weights(y: np.ndarray, classes: int | None = None) -> np.ndarray:
    """Case weights ``(N,)`` under which every class that occurs has the same total, with mean 1."""
    counts = np.bincount(y, minlength=classes or 0)
    return len(y) / (np.count_nonzero(counts) * counts[y])


def checked(y: np.ndarray, proba: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``y`` as int64 and ``proba`` as float64, or a ValueError that says what does not fit."""
    y, proba = np.asarray(y, np.int64), np.asarray(proba, np.float64)
    if len(y) == 0:
        raise ValueError("no cases to score")
    if proba.ndim != 2 or proba.shape[0] != len(y):
        raise ValueError(f"probabilities {proba.shape} for {len(y)} cases")
    if y.min() < 0 or y.max() >= proba.shape[1]:
        raise ValueError(f"classes {y.min()} … {y.max()} for {proba.shape[1]} probabilities a case")
    if not (np.isfinite(proba).all() and np.allclose(proba.sum(1), 1, atol=1e-4)):
        raise ValueError("rows of probabilities must be finite and sum to 1")
    return y, proba


def _auc(positive: np.ndarray, value: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    if positive.all() or not positive.any():
        return float("nan")
    return float(roc_auc_score(positive, value))
