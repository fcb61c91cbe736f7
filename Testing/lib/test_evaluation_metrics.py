"""Scores against scikit-learn's and by hand; undefined ones are NaN."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from SegClassifyLib.evaluation.metrics import balanced_weights, score


def test_scores_by_hand() -> None:
    y = np.array([0, 0, 0, 1])
    proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    found = score(y, proba)
    assert found.cases == 4
    assert found.accuracy == 0.75
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)
    np.testing.assert_array_equal(found.confusion, [[2, 1], [0, 1]])
    assert found.auc == pytest.approx([1, 1]) and found.macro_auc == 1
    assert found.log_loss == pytest.approx(-np.log([0.9, 0.6, 0.3, 0.8]).mean())
    assert found.brier == pytest.approx(2 * np.mean([0.01, 0.16, 0.49, 0.04]))


def test_scores_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 50)
    proba = rng.dirichlet(np.ones(3), 50).round(2)
    proba /= proba.sum(1, keepdims=True)
    found = score(y, proba)
    assert found.balanced_accuracy == pytest.approx(reference.balanced_accuracy_score(y, proba.argmax(1)))
    assert found.macro_auc == pytest.approx(reference.roc_auc_score(y, proba, multi_class="ovr"))


def test_a_class_no_case_has_is_nan_and_left_out_of_the_means() -> None:
    y = np.array([0, 0, 2, 2])
    proba = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.1, 0.1, 0.8]])
    found = score(y, proba)
    assert np.isnan(found.auc[1])
    assert found.macro_auc == pytest.approx((found.auc[0] + found.auc[2]) / 2)
    assert found.balanced_accuracy == pytest.approx((0.5 + 1) / 2)
    assert found.confusion.shape == (3, 3)


def test_one_class_only_has_no_auc() -> None:
    found = score(np.array([1, 1]), np.array([[0.4, 0.6], [0.6, 0.4]]))
    assert np.isnan(found.auc).all() and np.isnan(found.macro_auc)
    assert found.accuracy == 0.5


def test_a_wrong_certainty_is_finite() -> None:
    assert np.isfinite(score(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])).log_loss)


@pytest.mark.parametrize(
    ("y", "proba"),
    [
        ([], np.zeros((0, 2))),
        ([0, 1], np.full((3, 2), 0.5)),
        ([0, 2], np.full((2, 2), 0.5)),
        ([0, 1], np.full((2, 2), 0.9)),
        ([0, 1], np.array([[np.nan, 1.0], [0.5, 0.5]])),
    ],
)
def test_what_cannot_be_scored_is_refused(y: list[int], proba: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"cases|classes|sum to 1"):
        score(np.array(y, int), proba)


def test_balanced_weights_give_every_class_the_same_total() -> None:
    y = np.array([0, 0, 0, 2])
    weights = balanced_weights(y)
    assert weights.mean() == pytest.approx(1)
    assert weights[:3].sum() == pytest.approx(weights[3])
