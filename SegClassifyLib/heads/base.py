"""What every head does once it has learned: answer with class probabilities, and be stored as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from SegClassifyLib.errors import ModelPackageError, TrainingError
from SegClassifyLib.features.spec import FeatureName, FeatureTable

JSON = Any
"""Anything the json module writes and reads back unchanged."""

HEADS = {
    "linear": "SegClassifyLib.heads.linear:LinearHead",
    "conv": "SegClassifyLib.heads.conv:ConvHead",
    "fine-tuned": "SegClassifyLib.heads.finetuned:FineTunedHead",
}
"""Where the class of each kind of stored head is; imported only when a head of that kind is opened."""


@dataclass(frozen=True)
class HeadState:
    """A fitted head as it is stored: nothing in it is ever executed.

    Args:
        kind: "linear", "conv", …: which class reads it back.
        config: settings and names; JSON values only.
        arrays: numbers, by name; numeric numpy arrays only.
    """

    kind: str
    config: dict[str, JSON]
    arrays: dict[str, np.ndarray] = field(repr=False)


class Head(Protocol):
    """A fitted head: turns features, or feature maps, into class probabilities; classes are numbers ``0 … K-1``.

    How one is fitted says :class:`SegClassifyLib.evaluation.learner.Learner`.
    """

    kind: str
    n_classes: int

    def logits(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64; their softmax are the probabilities, for two classes as for many."""

    def predict_proba(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64, rows summing to 1."""

    def to_state(self) -> HeadState:
        """The fitted head as plain arrays."""

    @classmethod
    def from_state(cls, state: HeadState) -> Head:
        """The head that :meth:`to_state` described."""


def load_head(state: HeadState) -> Head:
    """The head that was stored.

    Raises:
        ModelPackageError: a kind this version does not know, or contents that do not fit it.
    """
    if state.kind not in HEADS:
        raise ModelPackageError(
            f"This model has a classifier of kind {state.kind!r}, which this version does not know "
            f"(it knows {', '.join(HEADS)}): update SegClassify."
        )
    module, name = HEADS[state.kind].split(":")
    head: type[Head] = getattr(import_module(module), name)
    try:
        return head.from_state(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelPackageError(
            f"The stored {state.kind} classifier is damaged ({error}): fetch or train the model again."
        ) from error


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, float64."""
    from scipy.special import softmax

    return softmax(np.asarray(logits, np.float64), axis=-1)


def check_trainable(y: np.ndarray, groups: np.ndarray, classes: Sequence[str]) -> None:
    """Refuse, in words, cases that no classifier can learn from; two cases of each class are enough to start.

    Args:
        y: classes ``(N,)`` int, indices into ``classes``.
        groups: patients ``(N,)``.
        classes: names of all classes of the training set.

    Raises:
        TrainingError: no case, one class only, or a class with fewer than two cases.
    """
    if len(y) != len(groups):
        raise ValueError(f"{len(y)} classes for {len(groups)} groups")
    if len(y) == 0:
        raise TrainingError("No case has a class yet: give at least two cases of each of two classes.")
    counts = np.bincount(np.asarray(y, np.int64), minlength=len(classes))
    if len(counts) > len(classes):
        raise ValueError(f"class number {len(counts) - 1} for {len(classes)} class names")
    if np.count_nonzero(counts) < 2:
        only = classes[int(counts.argmax())]
        raise TrainingError(
            f"All {len(y)} cases are of class {only!r}: add at least two cases of another class."
        )
    for name, count in zip(classes, counts, strict=True):
        if count == 0:
            raise TrainingError(
                f"Class {name!r} has no case: add at least two, or remove the class from the training set."
            )
        if count == 1:
            raise TrainingError(f"Class {name!r} has one case: add at least one more.")


def class_count(y: np.ndarray) -> int:
    """K, after checking that every class ``0 … K-1`` occurs and K is at least 2.

    Raises:
        TrainingError: otherwise.
    """
    counts = np.bincount(np.asarray(y, np.int64)) if len(y) else np.zeros(0, int)
    if len(counts) < 2 or (counts == 0).any():
        raise TrainingError(
            f"A classifier needs cases of at least two classes and of every class; it was given {counts.tolist()} "
            "cases: add cases of the missing class."
        )
    return len(counts)


def check_features(table: FeatureTable) -> None:
    """Refuse features that are not numbers.

    Raises:
        TrainingError: naming the feature.
    """
    bad = ~np.isfinite(table.X).all(axis=0)
    if bad.any():
        name = table.names[int(np.argmax(bad))]
        raise TrainingError(
            f"Feature {name} is not a finite number in some case: look for a damaged image, or compute the "
            "features again."
        )


def check_same_features(table: FeatureTable, fitted: tuple[FeatureName, ...]) -> None:
    """Refuse a table whose features are not, in order, those a head was fitted on.

    Raises:
        ModelPackageError: naming the first difference.
    """
    if table.names == fitted:
        return
    found = "different in number"
    for mine, theirs in zip(fitted, table.names, strict=False):
        if mine != theirs:
            found = f"{mine} is expected where {theirs} is given"
            break
    raise ModelPackageError(
        f"The classifier was trained on {len(fitted)} features and is given {len(table.names)} "
        f"({found}): use it with the segmenter and taps it was trained with, or train it again."
    )


def names_to_json(names: Sequence[FeatureName]) -> JSON:
    """Feature names as lists that JSON keeps."""
    return [[n.source, n.region, n.statistic, n.channel] for n in names]


def names_from_json(stored: JSON) -> tuple[FeatureName, ...]:
    """Back from :func:`names_to_json`."""
    return tuple(FeatureName(str(a), str(b), str(c), int(d)) for a, b, c, d in stored)
