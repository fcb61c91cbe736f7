"""Calibration error and its intervals, where it is known how true the probabilities are."""

from __future__ import annotations

import numpy as np
import pytest
from heads_data import true_logits

from SegClassifyLib.evaluation.calibrate import Calibration
from SegClassifyLib.evaluation.reliability import (
    calibration_error,
    expected_calibration_error,
    reliability,
)


def test_by_hand() -> None:
    sure = np.r_[np.full(10, 0.95), np.full(10, 0.65)]
    said = np.tile([0, 1], 10)
    right = np.r_[[True] * 6 + [False] * 4, [True] * 10]
    y = np.where(right, said, 1 - said)
    proba = np.where(np.eye(2)[said] > 0, sure[:, None], 1 - sure[:, None])
    assert np.bincount(y).tolist() == [10, 10]  # weights are then 1
    found = reliability(y, proba, np.arange(20))
    assert found.sure == pytest.approx((0.65, 0.95))
    assert [i.value for i in found.right] == pytest.approx([1.0, 0.6])
    assert found.cases == (10, 10)
    assert found.error.value == pytest.approx((0.35 + 0.35) / 2)
    assert found.too_sure.value == pytest.approx(0.0)
    assert expected_calibration_error(y, proba) == pytest.approx(found.error.value)


@pytest.mark.parametrize(("sharpen", "says"), [(1, "by chance"), (3, "surer than"), (0.3, "less sure than")])
def test_it_says_who_is_too_sure_and_who_is_not_sure_enough(sharpen: float, says: str) -> None:
    logits, y = true_logits(400, seed=3)
    found = reliability(y, Calibration().apply(logits * sharpen), np.arange(400))
    assert says in found.sentence
    assert (found.error.value > found.by_chance) == (sharpen != 1)
    assert found.error.low <= found.error.value <= found.error.high


def test_true_probabilities_stay_below_chance_nineteen_times_of_twenty() -> None:
    above = 0
    for seed in range(200):
        logits, y = true_logits(60, seed=seed)
        found = reliability(y, Calibration().apply(logits), np.arange(60), draws=200, seed=seed)
        above += found.error.value > found.by_chance
    assert above <= 20  # of 10 expected; one in a thousand times more


def test_the_interval_knows_that_patients_go_together() -> None:
    """Ten cases each of thirty patients are not three hundred."""
    logits, y = true_logits(30, seed=1)
    proba, many = Calibration().apply(2 * logits), np.repeat(np.arange(30), 10)
    alone = reliability(y[many], proba[many], np.arange(300)).too_sure
    together = reliability(y[many], proba[many], many).too_sure
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_one_case_has_a_calibration_error_too() -> None:
    assert reliability(np.array([0]), np.array([[1.0, 0.0]]), np.array([5])).error.value == 0


def test_the_error_of_one_classifier_is_that_of_its_reliability_and_by_chance_what_true_probabilities_have() -> (
    None
):
    weights = np.random.default_rng(0).multinomial(80, np.full(80, 1 / 80), size=500).astype(float)
    errors, expected = [], []
    for seed in range(60):
        logits, y = true_logits(80, seed=seed)
        proba = Calibration().apply(logits)
        found = calibration_error(y, proba, weights, seed=seed)
        assert found.value == pytest.approx(reliability(y, proba, np.arange(80), draws=1).error.value)
        assert found.again.min() >= 0
        assert found.again.mean() == pytest.approx(
            found.value, abs=0.02
        )  # drawing adds noise: taken off again
        errors.append(found.value)
        expected.append(found.if_true)
    # Probabilities are true here, so the errors are of chance alone, and it has to be known how large they are.
    assert np.mean(errors) == pytest.approx(np.mean(expected), abs=3 * np.std(errors) / np.sqrt(60))
    assert np.mean(expected) > 0.05
