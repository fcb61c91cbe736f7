"""Intervals: against scikit-learn with weights, and by how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from SegClassifyLib.evaluation.intervals import (
    Interval,
    bootstrap_groups,
    group_weights,
    paired_difference,
    weighted_metric,
    wilson,
)
from SegClassifyLib.evaluation.metrics import METRICS, MetricName, score
from SegClassifyLib.experiment.tables import signed


def answers(
    n: int, skill: float, rng: np.random.Generator, classes: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Classes, and probabilities that know them to the extent of ``skill``; rounded, so that there are ties."""
    y = np.arange(n) % classes
    logits = rng.normal(size=(n, classes))
    logits[np.arange(n), y] += skill
    proba = np.exp(logits).round(1) + 0.1
    return y, proba / proba.sum(1, keepdims=True)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("classes", [2, 4])
def test_unweighted_it_is_the_plain_score(metric: MetricName, classes: int) -> None:
    y, proba = answers(60, 1.0, np.random.default_rng(0), classes)
    found = weighted_metric(metric, y, proba)(np.ones((1, 60)))
    assert found == pytest.approx(getattr(score(y, proba), metric))


@pytest.mark.parametrize("metric", METRICS)
def test_weights_are_repeated_cases(metric: MetricName) -> None:
    rng = np.random.default_rng(1)
    y, proba = answers(40, 1.0, rng, 3)
    weights = rng.integers(0, 4, (5, 40))
    found = weighted_metric(metric, y, proba)(weights.astype(float))
    for value, w in zip(found, weights, strict=True):
        assert value == pytest.approx(getattr(score(np.repeat(y, w), np.repeat(proba, w, axis=0)), metric))


def test_weighted_auc_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    y, proba = answers(50, 0.5, rng)
    weights = rng.random((1, 50))
    each = [reference.roc_auc_score(y == k, proba[:, k], sample_weight=weights[0]) for k in (0, 1)]
    expected = np.mean(each)
    assert weighted_metric("macro_auc", y, proba)(weights) == pytest.approx(expected)


def test_a_draw_without_a_class_counts_not() -> None:
    y, proba = answers(4, 1.0, np.random.default_rng(0))
    measure = weighted_metric("accuracy", y, proba)
    assert np.isnan(measure(np.array([[1.0, 0, 2, 0]])))
    interval = bootstrap_groups(y, proba, np.arange(4), "macro_auc")
    assert np.isfinite([interval.low, interval.high]).all()


def test_groups_are_drawn_whole_and_as_often_as_there_are() -> None:
    groups = np.array(["a", "b", "b", "c", "a"])
    weights = np.concatenate(list(group_weights(groups, 200, seed=0)))
    assert weights.shape == (200, 5)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 4])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 2])
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(1), 3)


def test_many_cases_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("SegClassifyLib.evaluation.intervals._CHUNK", 100)
    parts = list(group_weights(np.arange(30), 10, seed=0))
    assert [len(p) for p in parts] == [3, 3, 3, 1]


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    truth = {m: getattr(score(*answers(20000, 1.0, rng)), m) for m in ("balanced_accuracy", "macro_auc")}
    for metric, value in truth.items():
        held = 0
        for trial in range(150):
            y, proba = answers(80, 1.0, rng)
            interval = bootstrap_groups(y, proba, np.arange(80), metric, n=300, seed=trial)
            held += interval.low <= value <= interval.high
        assert 0.88 <= held / 150 <= 0.99, metric


def test_patients_with_many_images_do_not_make_it_surer() -> None:
    y, proba = answers(40, 1.0, np.random.default_rng(4))
    alone = bootstrap_groups(y, proba, np.arange(40), "accuracy")
    copies = bootstrap_groups(np.tile(y, 5), np.tile(proba, (5, 1)), np.tile(np.arange(40), 5), "accuracy")
    naive = bootstrap_groups(np.tile(y, 5), np.tile(proba, (5, 1)), np.arange(200), "accuracy")
    assert (copies.low, copies.high) == pytest.approx((alone.low, alone.high), abs=0.03)
    assert naive.high - naive.low < 0.6 * (alone.high - alone.low)


def test_same_seed_same_interval() -> None:
    y, proba = answers(30, 1.0, np.random.default_rng(5))
    one, two, other = (bootstrap_groups(y, proba, y * 0 + np.arange(30), "brier", seed=s) for s in (1, 1, 2))
    assert one == two != other


def test_paired_difference_is_narrower_than_two_intervals() -> None:
    rng = np.random.default_rng(6)
    y, proba = answers(100, 1.0, rng)
    other = proba + 0.02 * rng.random(proba.shape)
    other /= other.sum(1, keepdims=True)
    groups = np.arange(100)
    same = paired_difference(y, proba, proba, groups, "log_loss")
    assert (same.value, same.low, same.high) == (0, 0, 0)
    found = paired_difference(y, proba, other, groups, "log_loss")
    alone = bootstrap_groups(y, proba, groups, "log_loss")
    assert found.value == pytest.approx(score(y, proba).log_loss - score(y, other).log_loss)
    assert found.low <= found.value <= found.high
    assert found.high - found.low < 0.5 * (alone.high - alone.low)


def test_wilson_is_that_of_the_books() -> None:
    found = wilson(157, 191)
    assert (found.value, found.low, found.high) == pytest.approx((0.822, 0.7615, 0.8697), abs=1e-3)
    assert wilson(0, 10).low == 0 and wilson(0, 10).high == pytest.approx(0.2775, abs=1e-3)
    with pytest.raises(ValueError):
        wilson(3, 2)


def test_an_interval_reads_as_a_person_writes_it() -> None:
    assert str(Interval(0.7123, 0.62, 0.799)) == "0.71 (0.62–0.80)"
    assert str(Interval(-0.0004, -0.0051, -0.0)) == "0.00 (-0.01–0.00)"
    assert str(Interval(float("nan"), float("nan"), float("nan"))) == "–"
    assert str(Interval(0.7, float("nan"), float("nan"))) == "0.70"
    assert signed(Interval(-0.05, -0.2, -0.0004), bold=True) == "**−0.05 (−0.20 to −0.00)**"
    assert signed(Interval(float("nan"), float("nan"), float("nan"))) == "–"
