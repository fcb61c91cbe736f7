"""Temperature and calibration error on logits whose true temperature is known."""

from __future__ import annotations

import numpy as np
import pytest

from SegClassifyLib.evaluation.calibrate import Temperature, expected_calibration_error, fit_temperature


def true_logits(n: int, seed: int = 0, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax are the true probabilities of the classes drawn."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, classes))
    return logits, (logits + rng.gumbel(size=logits.shape)).argmax(1)


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_finds_the_temperature(factor: float) -> None:
    logits, y = true_logits(3000)
    found = fit_temperature(logits * factor, y)
    assert found.value == pytest.approx(factor, rel=0.1)
    before = expected_calibration_error(y, Temperature().apply(logits * factor))
    after = expected_calibration_error(y, found.apply(logits * factor))
    assert after < 0.03
    if factor != 1:
        assert before > 2 * after


def test_temperature_never_changes_the_answer() -> None:
    logits, _ = true_logits(50)
    proba = Temperature(4.2).apply(logits)
    np.testing.assert_array_equal(proba.argmax(1), logits.argmax(1))
    np.testing.assert_allclose(proba.sum(1), 1)
    assert proba.max() < Temperature().apply(logits).max()


def test_repeats_count_as_the_same_cases() -> None:
    logits, y = true_logits(30)
    once = fit_temperature(2 * logits, y)
    assert fit_temperature(np.stack([2 * logits] * 5), y).value == pytest.approx(once.value, rel=1e-3)


@pytest.mark.parametrize("y", [np.arange(8) % 2, np.r_[np.zeros(20, int), [1, 1]], np.zeros(20, int)])
def test_too_few_cases_leave_it_at_one(y: np.ndarray) -> None:
    logits = np.random.default_rng(0).normal(size=(len(y), 2))
    assert fit_temperature(logits, y) == Temperature(1.0)


def test_a_few_lucky_cases_do_not_make_it_certain() -> None:
    y = np.arange(12) % 2
    logits = np.where(np.eye(2)[y] > 0, 0.5, -0.5)
    assert 0.2 < fit_temperature(logits, y).value < 1


def test_classes_weigh_the_same() -> None:
    """One class calibrated, the other overconfident and wrong half the time; how common it is must not matter."""
    logits, y = true_logits(600, classes=2)
    often = np.concatenate([np.arange(600), np.repeat(np.flatnonzero(y == 0), 9)])
    found = fit_temperature(logits, y).value
    assert fit_temperature(logits[often], y[often]).value == pytest.approx(found, rel=0.05)


def test_calibration_error_by_hand() -> None:
    proba = np.array([[0.95, 0.05], [0.95, 0.05], [0.65, 0.35], [0.35, 0.65]])
    y = np.array([0, 1, 0, 1])
    # two at .95 of which one is right; two at .65, both right
    assert expected_calibration_error(y, proba) == pytest.approx((2 * 0.45 + 2 * 0.35) / 4)
    assert expected_calibration_error(np.array([0]), np.array([[1.0, 0.0]])) == 0
