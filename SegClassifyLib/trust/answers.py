"""Prediction sets: the classes that cannot be ruled out, with a stated confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.crossvalidate import CrossValidation
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.base import HeadState, load_head, probabilities
from SegClassifyLib.trust.patients import conformal_p_values

_STORED_FOLDS = ("linear", "conv")
"""Heads whose folds are kept; a fine-tuned one would be a segmenter a fold."""


@dataclass(frozen=True)
class HeldOutAnswers:
    """What cross-validation answered: what a new answer is compared with.

    Args:
        logits: of N training cases, from heads that had not seen their patient, ``(N, K)`` float64.
        y: their classes ``(N,)`` int64.
        groups: numbers of their patients ``(N,)`` int64.
        fold_of: which fold's head answered ``(N,)`` int64.
        heads: one a fold; empty where only the head of all cases is kept, which then answers for every fold.
    """

    logits: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    fold_of: np.ndarray
    heads: tuple[HeadState, ...]

    def __post_init__(self) -> None:
        cases = len(self.y)
        if self.logits.ndim != 2 or {len(self.logits), len(self.groups), len(self.fold_of)} != {cases}:
            raise ValueError("held-out answers, classes, patients and folds differ in number")
        if cases and (self.y.min() < 0 or self.y.max() >= self.logits.shape[1]):
            raise ValueError("a held-out answer is of a class that does not exist")
        if self.heads and cases and (self.fold_of.min() < 0 or self.fold_of.max() >= len(self.heads)):
            raise ValueError("a held-out answer is of a fold that does not exist")

    @classmethod
    def of(cls, validation: CrossValidation, y: np.ndarray, groups: np.ndarray) -> HeldOutAnswers:
        """Those of a cross-validation's first repeat."""
        heads = [h.to_state() for h in validation.heads if h.kind in _STORED_FOLDS]  # type: ignore[attr-defined]
        codes = np.unique(groups, return_inverse=True)[1].reshape(-1)
        return cls(validation.logits[0], np.asarray(y, np.int64), codes, validation.fold_of, tuple(heads))


class PredictionSets:
    """Tells which classes cannot be ruled out.

    Cross-conformal prediction, CV+ (Barber, Candès, Ramdas, Tibshirani, *Predictive inference with the jackknife+*,
    Ann. Statist. 2021; Romano, Sesia, Candès, *Classification with valid and adaptive coverage*, NeurIPS 2020): a case
    with a supposed class is strange when few held-out cases of that class were given less probability of it by the same
    fold's head. The score is one less the probability (LAC; Sadinle, Lei, Wasserman, JASA 2019), which gives the
    smallest sets. Each class is compared with cases of its own only (Vovk's label-conditional predictor), so that the
    promise holds for every class, the rare one too, and does not depend on how common the classes are where the model
    is used. Proven is a coverage of at least 1 - 2 α; that of exchangeable cases is near 1 - α.

    Args:
        answers: of the cross-validation.
        temperature: of the model.

    Raises:
        ModelPackageError: a stored head cannot be opened.
    """

    def __init__(self, answers: HeldOutAnswers, temperature: float = 1.0) -> None:
        self._answers, self._temperature = answers, temperature
        self._heads = [load_head(state) for state in answers.heads]

    def p_values(self, table: FeatureTable, logits: np.ndarray) -> np.ndarray:
        """How far the training cases speak for each class, ``(M, K)`` float64 above 0 and at most 1.

        Args:
            table: features of M cases as the model's head wants them.
            logits: of the model's own head ``(M, K)``.
        """
        answers = self._answers
        if self._heads:
            by_fold = np.stack([head.logits(table) for head in self._heads])
        else:
            by_fold = np.stack([logits] * (int(answers.fold_of.max()) + 1))
        strange = self._strange(by_fold)
        known = self._strange(answers.logits)[np.arange(len(answers.y)), answers.y]
        classes = answers.logits.shape[1]
        found = np.ones((len(logits), classes))
        for k in range(classes):
            own = np.flatnonzero(answers.y == k)
            found[:, k] = conformal_p_values(
                strange[answers.fold_of[own], :, k].T, known[own], answers.groups[own]
            )
        return found

    def _strange(self, logits: np.ndarray) -> np.ndarray:
        return np.asarray(1 - probabilities(logits / self._temperature))


def prediction_set(p_values: np.ndarray, proba: np.ndarray, confidence: float) -> tuple[int, ...]:
    """The classes of one case that cannot be ruled out, the most probable first; this one is always among them.

    Args:
        p_values: of each class ``(K,)``.
        proba: of each class ``(K,)``.
        confidence: share of cases whose true class is to be in their set, 0 to 1.
    """
    best = int(np.argmax(proba))
    order = np.argsort(-np.asarray(proba), kind="stable")
    return tuple(int(k) for k in order if k == best or p_values[k] > 1 - confidence + 1e-12)


def fewest_patients(confidence: float) -> int:
    """Patients that a class must have to be ruled out at all; nine at 90 %."""
    return int(np.ceil(1 / (1 - confidence) - 1e-9)) - 1


def never_ruled_out(answers: HeldOutAnswers, confidence: float) -> tuple[int, ...]:
    """Classes of so few patients that no answer can rule them out."""
    classes = range(answers.logits.shape[1])
    patients = [len(np.unique(answers.groups[answers.y == k])) for k in classes]
    return tuple(k for k in classes if patients[k] < fewest_patients(confidence))
