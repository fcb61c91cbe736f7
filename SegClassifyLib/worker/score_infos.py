"""Scores and answers as the protocol says them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from SegClassifyLib.evaluation.crossvalidate import ScoreIntervals
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.worker.score_messages import CaseAnswer, ScoreInfo


def score_infos(intervals: ScoreIntervals) -> tuple[ScoreInfo, ...]:
    """Balanced accuracy, accuracy, mean AUC."""
    return (
        score_info("balanced accuracy", intervals.balanced_accuracy),
        score_info("accuracy", intervals.accuracy),
        score_info("mean AUC", intervals.macro_auc),
    )


def score_info(name: str, interval: Interval) -> ScoreInfo:
    """A score as the protocol says it: what is not defined is null."""
    value, low, high = (
        float(x) if np.isfinite(x) else None for x in (interval.value, interval.low, interval.high)
    )
    return ScoreInfo(name, value, low, high)


def class_auc_infos(classes: tuple[str, ...], auc: Iterable[Interval]) -> tuple[ScoreInfo, ...]:
    """The AUC of each class, in the order of ``classes``."""
    return tuple(score_info(f"AUC of {c}", i) for c, i in zip(classes, auc, strict=True))


def confusion_rows(confusion: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """A confusion matrix ``(K, K)`` as the protocol says it."""
    return tuple(tuple(int(n) for n in row) for row in confusion)


def case_answers(
    cases: tuple[str, ...], classes: tuple[str, ...], y: np.ndarray, proba: np.ndarray
) -> tuple[CaseAnswer, ...]:
    """What was said of each case; ``y (N,)``, ``proba (N, K)``."""
    return tuple(
        CaseAnswer(name, classes[int(k)], classes[int(p.argmax())], tuple(float(x) for x in p))
        for name, k, p in zip(cases, y, proba, strict=True)
    )
