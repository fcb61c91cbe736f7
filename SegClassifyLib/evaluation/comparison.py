"""Whether one classifier is better than another on the same cases, or whether that is noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.intervals import Interval, bootstrap_groups, paired_difference
from SegClassifyLib.evaluation.metrics import MetricName

COMPARED: tuple[tuple[MetricName, str], ...] = (
    ("balanced_accuracy", "balanced accuracy"),
    ("macro_auc", "AUC"),
    ("accuracy", "accuracy"),
)
"""Scores that are compared, and their names; the first decides."""


@dataclass(frozen=True)
class ScoreDifference:
    """One score of both.

    Args:
        metric: in words.
        first, second: the score of each, with its own interval.
        difference: second minus first, with its interval over draws of the patients that both see.
    """

    metric: str
    first: Interval
    second: Interval
    difference: Interval

    @property
    def is_more_than_noise(self) -> bool:
        """Whether the whole interval of the difference lies on one side of 0."""
        return self.difference.low > 0 or self.difference.high < 0


@dataclass(frozen=True)
class Disagreement:
    """A case that one classifier answers rightly and the other wrongly.

    Args:
        case: its name.
        truth: its class.
        first, second: what each said.
    """

    case: str
    truth: str
    first: str
    second: str


@dataclass(frozen=True)
class Comparison:
    """Two classifiers on the same cases.

    Args:
        names: of the two.
        cases, groups: how many both were asked about.
        scores: balanced accuracy, AUC, accuracy.
        disagreements: cases that one of them gets right, in the order of the cases.
        sentence: which is better, and whether that is more than noise.
        notes: sentences on how they were compared.
    """

    names: tuple[str, str]
    cases: int
    groups: int
    scores: tuple[ScoreDifference, ...]
    disagreements: tuple[Disagreement, ...]
    sentence: str
    notes: tuple[str, ...] = ()


def compare(
    names: tuple[str, str],
    y: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    groups: np.ndarray,
    classes: Sequence[str],
    cases: Sequence[str],
    seed: int = 0,
    notes: Sequence[str] = (),
) -> Comparison:
    """Compare probabilities that two classifiers gave the same cases: paired bootstrap over patients.

    The difference of two scores is surer than the scores themselves, because both see the same easy and hard
    patients; two overlapping intervals say nothing of it.

    Args:
        names: of the two.
        y: true classes ``(N,)`` int.
        first, second: probabilities ``(N, K)``, of held-out cases or out of the same folds.
        groups: patients ``(N,)``.
        classes, cases: names of the K classes and N cases.
        seed: of the draws.
        notes: kept with the result.
    """
    y, groups = np.asarray(y, np.int64), np.asarray(groups)
    scores = tuple(
        ScoreDifference(
            words,
            bootstrap_groups(y, first, groups, metric, seed=seed),
            bootstrap_groups(y, second, groups, metric, seed=seed),
            paired_difference(y, second, first, groups, metric, seed=seed),
        )
        for metric, words in COMPARED
    )
    said = first.argmax(1), second.argmax(1)
    one_right = np.flatnonzero((said[0] == y) != (said[1] == y))
    disagreements = tuple(
        Disagreement(cases[i], classes[y[i]], classes[said[0][i]], classes[said[1][i]])
        for i in one_right.tolist()
    )
    count = len(np.unique(groups))
    return Comparison(
        names, len(y), count, scores, disagreements, _sentence(names, scores, count), tuple(notes)
    )


def _sentence(names: tuple[str, str], scores: Sequence[ScoreDifference], groups: int) -> str:
    """Which is better by balanced accuracy; where that is noise, what the AUC says."""
    accuracy, auc = scores[0], scores[1]
    value = accuracy.difference.value
    numbers = f"{_points(accuracy)} on {groups} patients"
    if accuracy.is_more_than_noise:
        better, worse = (names[1], names[0]) if value > 0 else (names[0], names[1])
        return f"{better} is better than {worse}, by more than noise: {numbers}."
    if not np.isfinite([accuracy.difference.low, accuracy.difference.high]).all():
        return f"Whether {names[1]} or {names[0]} is better cannot be said: {groups} patients are too few."
    sentence = f"{names[1]} and {names[0]} differ by no more than noise: {numbers}."
    if auc.is_more_than_noise:
        higher = names[1] if auc.difference.value > 0 else names[0]
        sentence += f" In AUC {higher} is better by more than noise: {_points(auc)}."
    return sentence


def _points(score: ScoreDifference) -> str:
    low, high = sorted((score.difference.low, score.difference.high))
    change = f"{100 * score.difference.value:+.1f} points of {score.metric}"
    return f"{change} (95 % interval {100 * low:+.1f} to {100 * high:+.1f})"
