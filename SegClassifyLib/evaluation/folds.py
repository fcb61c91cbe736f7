"""Folds for cross-validation that keep a patient on one side and every class in every training part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.errors import TrainingError

_TRIES = 10
"""Shuffles tried before falling back to leaving out one group at a time."""


@dataclass(frozen=True)
class Fold:
    """One split of the cases.

    Args:
        train: indices ``(n,)`` int64 of the cases to fit on, ascending.
        test: indices of the held-out cases, ascending; none of their groups is in ``train``.
    """

    train: np.ndarray
    test: np.ndarray


def groups_per_class(y: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Number of different groups of each class ``0 … max(y)``, ``(K,)`` int64."""
    pairs = np.unique(np.stack([np.asarray(y), _codes(groups)]), axis=1)
    return np.bincount(pairs[0], minlength=int(np.max(y)) + 1)


def possible_folds(y: np.ndarray, groups: np.ndarray, folds: int = 5) -> int:
    """The number of folds that the smallest class allows: at most ``folds``; 0 where no split is possible.

    Args:
        y: classes ``(N,)`` int, every one of ``0 … K-1`` present.
        groups: what must not be split ``(N,)``, of any type.
        folds: the number wanted.
    """
    fewest = int(groups_per_class(y, groups).min())
    return min(folds, fewest) if fewest >= 2 else 0


def make_folds(
    y: np.ndarray, groups: np.ndarray, folds: int = 5, seed: int = 0, classes: Sequence[str] = ()
) -> tuple[Fold, ...]:
    """Stratified folds over groups, shuffled by ``seed``; fewer than asked where a class has few groups.

    Args:
        y: classes ``(N,)`` int, every one of ``0 … K-1`` present.
        groups: what must not be split ``(N,)``, of any type.
        folds: the number wanted, at least 2.
        seed: the same seed gives the same folds.
        classes: names of the classes, for the sentence of an error.

    Raises:
        TrainingError: a class whose cases all come from one group cannot be both trained on and tested.
    """
    y, codes = np.asarray(y), _codes(groups)
    count = possible_folds(y, codes, folds)
    if count < 2:
        alone = int(np.argmin(groups_per_class(y, codes)))
        name = classes[alone] if classes else str(alone)
        raise TrainingError(
            f"Class {name!r} has cases of one patient (group) only, so nothing is left to check the classifier "
            "on: add a case of another patient."
        )
    while count >= 2:
        for attempt in range(_TRIES):
            found = _shuffled(y, codes, count, seed + 7919 * attempt)
            if all(_keeps_every_class(fold, y) for fold in found):
                return found
        count -= 1
    # Groups with several classes can make every coarser split lose a class; leaving out one group never does.
    return tuple(_fold(codes == group) for group in range(codes.max() + 1))


def repeated_folds(
    y: np.ndarray,
    groups: np.ndarray,
    folds: int = 5,
    repeats: int = 5,
    seed: int = 0,
    classes: Sequence[str] = (),
) -> Iterator[tuple[Fold, ...]]:
    """``repeats`` times :func:`make_folds`, each with another shuffle."""
    for repeat in range(repeats):
        yield make_folds(y, groups, folds, seed + repeat, classes)


def half_of_the_groups(y: np.ndarray, groups: np.ndarray, seed: int = 0) -> Fold:
    """A random half of the groups as test, the other half as train, the classes in equal parts."""
    return make_folds(y, groups, 2, seed)[0]


def _codes(groups: np.ndarray) -> np.ndarray:
    """Groups as integers 0 … G-1."""
    return np.unique(np.asarray(groups), return_inverse=True)[1].reshape(-1)


def _fold(test: np.ndarray) -> Fold:
    return Fold(np.flatnonzero(~test), np.flatnonzero(test))


def _keeps_every_class(fold: Fold, y: np.ndarray) -> bool:
    return len(fold.test) > 0 and len(np.unique(y[fold.train])) == len(np.unique(y))


def _shuffled(y: np.ndarray, codes: np.ndarray, count: int, seed: int) -> tuple[Fold, ...]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if codes.max() + 1 == len(codes):
        # Where no group has two cases both splitters do the same, and the one without groups is much faster.
        parts = StratifiedKFold(count, shuffle=True, random_state=seed).split(codes, y)
    else:
        parts = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(codes, y, codes)
    return tuple(Fold(np.sort(train), np.sort(test)) for train, test in parts)
