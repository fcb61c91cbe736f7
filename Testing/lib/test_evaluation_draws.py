"""Draws of few cases per class: patients on one side, same draws for every head, honest intervals."""

from __future__ import annotations

import numpy as np
import pytest
from heads_data import vector_table

from SegClassifyLib.evaluation.draws import draw_cases, few_shot, summarise_draws
from SegClassifyLib.evaluation.folds import Fold
from SegClassifyLib.heads.linear import LinearHead

Y = np.arange(90) % 3
GROUPS = np.arange(90) // 6 * 3 + np.arange(90) % 3


@pytest.mark.parametrize("test_index", [None, np.arange(60, 90)])
def test_draws_are_balanced_and_keep_patients_apart(test_index: np.ndarray | None) -> None:
    plan = draw_cases(Y, GROUPS, 4, test_index, draws=6, seed=1)
    assert len(plan) == 6
    for fold in plan:
        np.testing.assert_array_equal(np.bincount(Y[fold.train]), [4, 4, 4])
        assert not set(GROUPS[fold.train]) & set(GROUPS[fold.test])
        if test_index is not None:
            np.testing.assert_array_equal(fold.test, test_index)
    assert len({tuple(f.train) for f in plan}) == 6


def test_a_patient_of_the_test_part_is_never_drawn() -> None:
    groups = np.where(np.arange(90) % 6 < 3, Y, 100 + np.arange(90))  # three patients all over the set
    for fold in draw_cases(Y, groups, 5, np.array([0, 1, 2]), draws=5):
        assert not set(groups[fold.train]) & {0, 1, 2}


def test_fewer_cases_are_part_of_more() -> None:
    small, large = (draw_cases(Y, GROUPS, n, np.arange(60, 90), draws=3, seed=2) for n in (3, 8))
    for a, b in zip(small, large, strict=True):
        assert set(a.train) < set(b.train)


def test_numbers_that_a_class_does_not_have_are_left_out() -> None:
    assert draw_cases(Y, GROUPS, 25, np.arange(60, 90)) == ()
    table = vector_table(Y, 5)
    results = few_shot(LinearHead, table, Y, GROUPS, np.arange(60, 90), per_class=(3, 25), draws=2)
    assert [r.per_class for r in results] == [3]


def test_more_cases_are_better_and_the_mean_lies_in_its_interval() -> None:
    table = vector_table(Y, 20, signal=2.5)
    results = few_shot(LinearHead, table, Y, GROUPS, per_class=(2, 8), draws=3, seed=0)
    assert [r.per_class for r in results] == [2, 8]
    assert results[1].mean_balanced_accuracy.value > results[0].mean_balanced_accuracy.value > 1 / 3
    for result in results:
        assert len(result.balanced_accuracy) == len(result.auc) == 3
        for values, mean in (
            (result.balanced_accuracy, result.mean_balanced_accuracy),
            (result.auc, result.mean_auc),
        ):
            assert mean.value == pytest.approx(np.mean(values))
            assert mean.low < mean.value < mean.high
    again = few_shot(LinearHead, table, Y, GROUPS, per_class=(2, 8), draws=3, seed=0)
    assert again == results


def test_interval_holds_the_test_patients_too_not_only_the_draws() -> None:
    """Draws that all answer the same have no spread among them; twenty test patients still say little."""
    y = np.arange(20) % 2
    right = np.arange(20) % 10 < 7
    proba = np.where((y == right)[:, None], [0.2, 0.8], [0.8, 0.2])
    fold = Fold(np.arange(0), np.arange(20))
    result = summarise_draws(5, [fold] * 10, [proba] * 10, y, np.arange(20))
    interval = result.mean_balanced_accuracy
    assert result.balanced_accuracy == (0.7,) * 10
    assert 0.3 < interval.high - interval.low < 0.5
