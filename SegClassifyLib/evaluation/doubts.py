"""Which cases the classifier is unsure of, and which labels look wrong, from out-of-fold probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.crossvalidate import CrossValidation


@dataclass(frozen=True)
class DoubtfulCase:
    """A case between two classes.

    Args:
        index: of the case in the cross-validation.
        first, second: the most probable class and the next, and
        p_first, p_second: their out-of-fold probabilities.
        sentence: this in words.
    """

    index: int
    first: int
    second: int
    p_first: float
    p_second: float
    sentence: str


@dataclass(frozen=True)
class SuspectLabel:
    """A case that the other cases place in another class than its label says.

    Args:
        index: of the case in the cross-validation.
        given: class it has.
        suggested: class it looks like.
        p_given, p_suggested: their out-of-fold probabilities, mean over the repeats.
        repeats: share of the repeats of cross-validation that suspect it, 0 to 1.
        sentence: this in words.
    """

    index: int
    given: int
    suggested: int
    p_given: float
    p_suggested: float
    repeats: float
    sentence: str


@dataclass(frozen=True)
class Doubts:
    """Cases to look at.

    Args:
        suspects: labels that look wrong, the surest first; empty also where ``note`` says why.
        doubtful: the least sure answers, least sure first.
        note: why no label can be suspected; empty where that could be asked.
    """

    suspects: tuple[SuspectLabel, ...]
    doubtful: tuple[DoubtfulCase, ...]
    note: str = ""


def find_doubts(
    validation: CrossValidation,
    y: np.ndarray,
    names: Sequence[str],
    classes: Sequence[str],
    most_doubtful: int = 10,
) -> Doubts:
    """Ask which cases a person should look at again.

    Labels are suspected as in confident learning (Northcutt et al., *Confident learning: estimating uncertainty in
    dataset labels*, JAIR 2021): a class claims a case when the case's out-of-fold probability of it is at least the
    mean over the cases that have this label; a case is suspect when the class that claims it, the most probable one
    where several do, is not its own. Thresholds of each class's own make up for a classifier that is surer of one
    class than of another.

    Args:
        validation: of N cases; its probabilities come from heads that had not seen the case.
        y: their classes ``(N,)`` int.
        names: of the cases.
        classes: names of the classes.
        most_doubtful: how many doubtful cases are named.
    """
    y = np.asarray(y, np.int64)
    doubtful = tuple(_doubtful(validation, names, classes, i) for i in validation.doubtful[:most_doubtful])
    guessing = 1 / len(np.unique(y))
    # Where the classifier knows nothing, its contradictions are noise.
    if not validation.intervals.balanced_accuracy.low > guessing:
        note = (
            f"No label can be suspected: with a balanced accuracy of {validation.intervals.balanced_accuracy} the "
            f"classifier may be no better than guessing ({guessing:.2f})."
        )
        return Doubts((), doubtful, note)
    return Doubts(_suspects(validation, y, names, classes), doubtful)


def claimed_by(y: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """The class that confidently claims each case ``(N,)`` int64; -1 where none does.

    Args:
        y: given classes ``(N,)`` int.
        proba: out-of-fold probabilities ``(N, K)``.
    """
    present = np.bincount(y, minlength=proba.shape[1]) > 0
    thresholds = np.array([proba[y == k, k].mean() if p else np.inf for k, p in enumerate(present)])
    confident = np.where(proba >= thresholds, proba, -1.0)
    return np.where(confident.max(1) >= 0, confident.argmax(1), -1)


def _suspects(
    validation: CrossValidation, y: np.ndarray, names: Sequence[str], classes: Sequence[str]
) -> tuple[SuspectLabel, ...]:
    from scipy.special import softmax

    proba = validation.proba
    claims = claimed_by(y, proba)
    per_repeat = np.stack([claimed_by(y, p) for p in softmax(validation.logits, axis=-1)])
    agree = ((per_repeat >= 0) & (per_repeat != y)).mean(0)
    rows = np.arange(len(y))
    surplus = proba[rows, claims] - proba[rows, y]
    chosen = [i for i in np.argsort(-surplus, kind="stable") if claims[i] >= 0 and claims[i] != y[i]]
    found = []
    for i in chosen:
        given, said = int(y[i]), int(claims[i])
        p_given, p_said = float(proba[i, given]), float(proba[i, said])
        sentence = (
            f"{names[i]} is labelled {classes[given]} ({p_given:.0%}) and looks like {classes[said]} ({p_said:.0%}): "
            "is the label right?"
        )
        found.append(SuspectLabel(int(i), given, said, p_given, p_said, float(agree[i]), sentence))
    return tuple(found)


def _doubtful(
    validation: CrossValidation, names: Sequence[str], classes: Sequence[str], index: int
) -> DoubtfulCase:
    first, second = (int(k) for k in np.argsort(-validation.proba[index], kind="stable")[:2])
    p_first, p_second = float(validation.proba[index, first]), float(validation.proba[index, second])
    sentence = (
        f"{names[index]} is between {classes[first]} ({p_first:.0%}) and {classes[second]} ({p_second:.0%})."
    )
    return DoubtfulCase(index, first, second, p_first, p_second, sentence)
