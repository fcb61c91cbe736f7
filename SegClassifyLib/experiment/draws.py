"""Which cases each draw trains on and tests on: drawn once, the same for every arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.folds import Fold, half_of_the_groups
from SegClassifyLib.experiment.settings import ALL, CompareSettings


@dataclass(frozen=True)
class Pool:
    """Who takes part.

    Args:
        y: classes ``(N,)`` int, every one of ``0 … K-1`` present.
        groups: patients ``(N,)``.
        test: indices of the set's test cases; empty where it has none.
        only_train: ``(N,)`` bool, cases that may never be tested on because a segmenter was trained on them.
    """

    y: np.ndarray
    groups: np.ndarray
    test: np.ndarray
    only_train: np.ndarray


def test_mode(pool: Pool, settings: CompareSettings) -> str:
    """``split``, ``halves`` or ``rest``: what ``auto`` means here."""
    if settings.test != "auto":
        return settings.test
    return "split" if len(pool.test) else "rest"


def plan_draws(pool: Pool, size: int, settings: CompareSettings) -> tuple[Fold, ...]:
    """The draws of one size; none where a class has too few cases to learn from, or none to be tested on.

    A draw of 5 cases of each class is part of the same draw of 10: curves are of one growing set. No patient is ever
    on both sides.
    """
    mode = test_mode(pool, settings)
    found = []
    # All cases of one split are the same cases each time.
    for draw in range(1 if mode == "split" and size == ALL else settings.draws):
        fold = _draw(pool, size, mode, settings.seed, draw)
        if fold is None:
            return ()
        found.append(fold)
    return tuple(found)


def _draw(pool: Pool, size: int, mode: str, seed: int, draw: int) -> Fold | None:
    y, groups = pool.y, pool.groups
    everyone = np.arange(len(y))
    if mode == "split":
        test = np.sort(pool.test)
        candidates = np.flatnonzero(~np.isin(groups, groups[test]))
    elif mode == "halves" or size == ALL:
        half = half_of_the_groups(y, groups, seed + draw)
        candidates, test = half.train, half.test
    else:
        candidates, test = everyone, everyone
    mixed = np.random.default_rng((seed, draw)).permutation(candidates)
    classes = range(int(y.max()) + 1)
    chosen = [mixed[y[mixed] == k] for k in classes]
    if size != ALL:
        chosen = [c[:size] for c in chosen]
    if min(len(c) for c in chosen) < max(size, 2):
        return None
    train = np.sort(np.concatenate(chosen))
    test = test[~np.isin(groups[test], groups[train]) & ~pool.only_train[test]]
    enough = all(len(np.unique(groups[test][y[test] == k])) >= 2 for k in classes)
    return Fold(train, test) if enough else None
