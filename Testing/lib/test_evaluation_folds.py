"""Folds never split a patient and keep every class in every training part."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from SegClassifyLib.errors import TrainingError
from SegClassifyLib.evaluation.folds import (
    Fold,
    groups_per_class,
    half_of_the_groups,
    make_folds,
    possible_folds,
    repeated_folds,
)


def assert_sound(folds: tuple[Fold, ...], y: np.ndarray, groups: np.ndarray) -> None:
    tested = np.sort(np.concatenate([f.test for f in folds]))
    np.testing.assert_array_equal(tested, np.arange(len(y)))
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.test])
        assert set(y[fold.train]) == set(y)
        assert sorted([*fold.train, *fold.test]) == list(range(len(y)))


@pytest.mark.parametrize("seed", range(12))
def test_groups_stay_whole_and_classes_stay_in_training(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 25, 80).astype(str)
    y = np.array([int(g) % 3 if rng.random() < 0.8 else rng.integers(3) for g in groups])
    y[groups == "3"] = 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_sound(make_folds(y, groups, 5, seed), y, groups)


def test_stratified_where_nothing_forbids_it() -> None:
    y = np.repeat([0, 1], [80, 20])
    for groups in (np.arange(100), np.arange(100) // 2):
        for fold in make_folds(y, groups, 5, 3):
            assert abs(int(y[fold.test].sum()) - 4) <= 2


def test_fewer_folds_where_a_class_has_few_groups() -> None:
    y = np.r_[np.zeros(20, int), np.ones(6, int)]
    groups = np.r_[np.arange(20), [90, 90, 91, 91, 92, 92]]
    assert possible_folds(y, groups) == 3
    np.testing.assert_array_equal(groups_per_class(y, groups), [20, 3])
    folds = make_folds(y, groups)
    assert len(folds) == 3
    assert_sound(folds, y, groups)


def test_two_groups_a_class_are_enough() -> None:
    y, groups = np.array([0, 0, 1, 1]), np.array([5, 6, 7, 8])
    for seed in range(5):
        folds = make_folds(y, groups, 5, seed)
        assert len(folds) == 2
        assert_sound(folds, y, groups)


def test_patients_with_several_classes_that_no_two_folds_can_hold() -> None:
    y, groups = np.array([0, 1, 1, 2, 0, 2]), np.array([1, 1, 2, 2, 3, 3])
    folds = make_folds(y, groups, 2)
    assert len(folds) == 3
    assert_sound(folds, y, groups)


def test_a_class_of_one_patient_is_refused_by_name() -> None:
    y, groups = np.array([0, 0, 1, 1]), np.array([5, 6, 7, 7])
    assert possible_folds(y, groups) == 0
    with pytest.raises(TrainingError, match=r"'malignant' has cases of one patient .* add a case of another"):
        make_folds(y, groups, classes=["benign", "malignant"])


def test_seed_decides_and_repeats_differ() -> None:
    y, groups = np.arange(40) % 2, np.arange(40)
    plans = [[f.test.tolist() for f in plan] for plan in repeated_folds(y, groups, 5, 3, seed=1)]
    again = [[f.test.tolist() for f in plan] for plan in repeated_folds(y, groups, 5, 3, seed=1)]
    assert plans == again
    assert plans[0] != plans[1] != plans[2]


def test_half_of_the_groups() -> None:
    y, groups = np.arange(60) % 3, np.arange(60) // 6 * 3 + np.arange(60) % 3
    fold = half_of_the_groups(y, groups, seed=2)
    assert not set(groups[fold.train]) & set(groups[fold.test])
    assert 20 <= len(fold.test) <= 40
