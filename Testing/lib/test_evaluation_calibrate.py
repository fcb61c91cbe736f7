"""Calibration of logits whose true temperature is known, with nothing learned from the case it is used on."""

from __future__ import annotations

import numpy as np
import pytest
from heads_data import true_logits

from SegClassifyLib.evaluation.calibrate import Calibration, fit_calibration, held_out_probabilities
from SegClassifyLib.evaluation.metrics import balanced_weights, case_log_loss
from SegClassifyLib.evaluation.reliability import expected_calibration_error


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_finds_the_temperature_and_with_it_true_probabilities(factor: float) -> None:
    logits, y = true_logits(3000)
    found = fit_calibration(logits * factor, y)
    assert found.temperature == pytest.approx(factor, rel=0.1)
    before = expected_calibration_error(y, Calibration().apply(logits * factor))
    after = expected_calibration_error(y, found.apply(logits * factor))
    assert after < 0.03
    if factor != 1:
        assert before > 2 * after


def test_calibration_never_changes_the_answer() -> None:
    logits, _ = true_logits(50)
    proba = Calibration(4.2, 0.1).apply(logits)
    np.testing.assert_array_equal(proba.argmax(1), logits.argmax(1))
    np.testing.assert_allclose(proba.sum(1), 1)
    assert proba.max() < Calibration().apply(logits).max()


def test_few_cases_never_make_it_nearly_certain() -> None:
    """Twelve cases answered rightly and surely: nobody knows of one in a thousand."""
    y = np.arange(12) % 2
    found = fit_calibration(np.where(np.eye(2)[y] > 0, 9.0, -9.0), y)
    assert 0.9 < found.apply(np.array([20.0, -20.0])).max() < 0.97
    many = np.arange(2000) % 2
    assert fit_calibration(np.where(np.eye(2)[many] > 0, 9.0, -9.0), many).doubt < 0.001


def test_repeats_count_as_the_same_cases() -> None:
    logits, y = true_logits(30)
    once = fit_calibration(2 * logits, y)
    again = fit_calibration(np.stack([2 * logits] * 5), y)
    assert again.temperature == pytest.approx(once.temperature, rel=1e-6) and again.doubt == once.doubt


@pytest.mark.parametrize("y", [np.arange(8) % 2, np.r_[np.zeros(20, int), [1, 1]], np.zeros(20, int)])
def test_too_few_cases_leave_the_temperature_at_one(y: np.ndarray) -> None:
    logits = np.random.default_rng(0).normal(size=(len(y), 2))
    assert fit_calibration(logits, y).temperature == 1


def test_a_few_lucky_cases_do_not_make_it_certain() -> None:
    y = np.arange(12) % 2
    logits = np.where(np.eye(2)[y] > 0, 0.5, -0.5)
    assert 0.2 < fit_calibration(logits, y).temperature < 1


def test_classes_weigh_the_same() -> None:
    """One class calibrated, the other overconfident and wrong half the time; how common it is must not matter."""
    logits, y = true_logits(600, classes=2)
    often = np.concatenate([np.arange(600), np.repeat(np.flatnonzero(y == 0), 9)])
    found = fit_calibration(logits, y).temperature
    assert fit_calibration(logits[often], y[often]).temperature == pytest.approx(found, rel=0.05)


def test_a_patient_has_no_part_in_the_temperature_of_its_own_cases() -> None:
    """Probabilities of a patient stay the same whatever its own classes are said to be."""
    logits, y = true_logits(60)
    groups = np.arange(60) // 3
    held_out = held_out_probabilities(3 * logits, y, groups)
    others = groups != 7
    alone = fit_calibration(3 * logits[others], y[others]).temperature
    doubt = fit_calibration(3 * logits, y).doubt
    np.testing.assert_allclose(
        held_out[~others], Calibration(alone, doubt).apply(3 * logits[~others]), atol=2e-3
    )
    for wrong in range(3):
        said = np.where(others, y, wrong)
        np.testing.assert_allclose(
            held_out_probabilities(3 * logits, said, groups)[~others], held_out[~others], atol=1e-9
        )


def test_held_out_probabilities_do_not_flatter() -> None:
    """Fitted on the cases it is judged by, a calibration looks better than it is; left out, on average it does not."""
    flattering, honest, truth = [], [], []
    for seed in range(400):
        logits, y = true_logits(24, seed=seed, classes=2)
        new, y_new = true_logits(300, seed=1000 + seed, classes=2)
        found = fit_calibration(logits, y)
        flattering.append(_loss(y, found.apply(logits)))
        honest.append(_loss(y, held_out_probabilities(logits, y, np.arange(24))))
        truth.append(_loss(y_new, found.apply(new)))
    error = np.std(np.array(honest) - truth) / np.sqrt(400)
    assert np.mean(flattering) < np.mean(truth) - 2 * error
    assert abs(np.mean(honest) - np.mean(truth)) < 2 * error + 0.01


def _loss(y: np.ndarray, proba: np.ndarray) -> float:
    return float((balanced_weights(y) * case_log_loss(y, proba)).mean())
