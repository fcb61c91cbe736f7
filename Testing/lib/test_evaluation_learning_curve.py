"""Learning curves: what was measured is that, the future lies in the band, and what cannot be said is not said."""

from __future__ import annotations

import numpy as np
import pytest
from heads_data import feature_names, vector_table

from SegClassifyLib.errors import Cancelled
from SegClassifyLib.evaluation.crossvalidate import cross_validate
from SegClassifyLib.evaluation.learning_curve import growing_parts, learning_curve
from SegClassifyLib.evaluation.outlook import EXPONENTS, fit_power_law, foresee
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.progress import Progress

SIZES = np.array([8, 14, 22, 36, 56])


class NearestMean:
    """Quick to fit."""

    kind = "nearest-mean"

    def fresh(self) -> NearestMean:
        return NearestMean()

    def fit(
        self,
        table: FeatureTable,
        y: np.ndarray,
        groups: np.ndarray,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> NearestMean:
        self.means = np.stack([table.X[y == k].mean(0) for k in range(int(y.max()) + 1)])
        return self

    def logits(self, table: FeatureTable) -> np.ndarray:
        return np.asarray(-((table.X[:, None] - self.means) ** 2).sum(-1), np.float64)


def law(
    cases: np.ndarray | float, floor: float = 0.1, size: float = 1.0, exponent: float = 0.5
) -> np.ndarray:
    return np.asarray(1 - floor - size * np.asarray(cases, float) ** -exponent)


def noisy(accuracy: np.ndarray, noise: float, count: int = 400, seed: int = 0) -> np.ndarray:
    return accuracy + noise * np.random.default_rng(seed).normal(size=(count, len(accuracy)))


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_a_power_law_is_found_again(exponent: float) -> None:
    curve = law(SIZES, 0.08, 1.2, exponent)
    found = fit_power_law(SIZES, curve[None], np.ones(5))
    assert found.exponent[0] == exponent
    assert found(200.0)[0] == pytest.approx(law(200, 0.08, 1.2, exponent), abs=1e-9)


def test_errors_neither_rise_with_cases_nor_fall_below_nothing() -> None:
    falling = fit_power_law(SIZES, np.array([[0.8, 0.78, 0.75, 0.74, 0.7]]), np.ones(5))
    assert falling.size[0] == 0 and falling(1000.0)[0] == pytest.approx(0.754)
    steep = fit_power_law(SIZES, np.array([[0.5, 0.65, 0.8, 0.9, 0.99]]), np.ones(5))
    assert steep.floor[0] == 0 and steep(10_000.0)[0] < 1


def test_the_outlook_says_gain_and_band_in_points() -> None:
    curve = law(SIZES)
    refusal, (one, far) = foresee(SIZES, curve, noisy(curve, 0.005), 70, (50, 141), 0.5)
    truth = float(law(120) - law(70))
    assert refusal == ""
    assert one.gain.value == pytest.approx(truth, abs=1e-6) and one.gain.low < truth < one.gain.high
    assert one.reached.value == pytest.approx(float(law(120)))
    half = np.ceil(100 * max(one.gain.high - one.gain.value, one.gain.value - one.gain.low))
    assert (
        one.sentence == f"50 more cases: about {100 * truth:+.0f} points of balanced accuracy, ±{half:.0f}."
    )
    assert np.isnan(far.gain.value) and "too far from the 70 there are" in far.sentence
    assert "ask for 140 or fewer" in far.sentence


def test_what_cannot_be_said_is_refused_in_words() -> None:
    curve = law(SIZES)
    hidden, outlook = foresee(SIZES, curve, noisy(curve, 0.15), 70, (50,), 0.33)
    assert "from 8 to 56 training cases the balanced accuracy changed by anything from" in hidden
    assert outlook == ()
    steep = law(SIZES, 0.0, 1.6)
    _, (wide,) = foresee(SIZES, steep, noisy(steep, 0.06), 70, (140,), 0.33)
    assert "cannot be said, anything from" in wide.sentence and np.isnan(wide.gain.value)
    flat = np.full(5, 0.8)
    _, (nothing,) = foresee(SIZES, flat, noisy(flat, 0.004), 70, (50,), 0.5)
    assert "about +0 points" in nothing.sentence and "it may be nothing" in nothing.sentence
    guess = np.full(5, 0.52)
    refusal, outlook = foresee(SIZES, guess, noisy(guess, 0.03), 70, (50,), 0.5)
    assert "no better than guessing (0.50)" in refusal and outlook == ()
    few = np.array([6, 6, 7, 8, 10])
    assert "too few cases for a curve (6 to 10" in foresee(few, curve, noisy(curve, 0.01), 12, (5,), 0.5)[0]


def test_parts_grow_keep_patients_whole_and_every_class() -> None:
    groups = np.repeat(np.arange(30), 2)
    y = (groups % 5 == 0).astype(int)
    train = np.flatnonzero(groups > 3)
    parts = growing_parts(train, y, groups, (0.15, 0.4, 1.0), (3, 0))
    assert set(parts[0]) < set(parts[1]) < set(parts[2]) == set(train)
    for part in parts:
        assert not set(groups[part]) & set(groups[np.setdiff1d(train, part)]), "patients whole"
        assert np.bincount(y[part]).min() >= 2
    assert abs(len(parts[1]) / len(train) - 0.4) < 0.1
    rare = growing_parts(np.arange(40), (np.arange(40) < 5).astype(int), np.arange(40), (0.1,), (0,))[0]
    assert (rare < 5).sum() == 2, "two of a class at least"
    again, other = (growing_parts(train, y, groups, (0.15,), (seed, 0)) for seed in (3, 4))
    assert np.array_equal(again[0], parts[0]) and not np.array_equal(other[0], parts[0])


def test_a_curve_of_made_up_cases_rises_and_foretells_what_comes() -> None:
    y = np.arange(240) % 2
    table = vector_table(y, 40, signal=1.3, seed=1)
    first, groups = np.arange(80), np.arange(240)
    found = learning_curve(NearestMean, table.rows(first), y[first], groups[first], (80, 161), draws=4)
    assert found.refusal == ""
    assert [p.cases for p in found.points] == sorted({p.cases for p in found.points})
    assert found.points[-1].cases == 64, "four fifths of the cases"
    values = [p.balanced_accuracy.value for p in found.points]
    assert values[-1] > values[0] + 0.05
    assert all(
        p.balanced_accuracy.low <= p.balanced_accuracy.value <= p.balanced_accuracy.high for p in found.points
    )
    truth = learning_curve(NearestMean, table, y, groups, draws=4).points
    ahead = np.interp(160, [p.cases for p in truth], [p.balanced_accuracy.value for p in truth])
    assert found.outlook[0].reached.low - 0.03 <= ahead <= found.outlook[0].reached.high + 0.03
    assert "too far" in found.outlook[1].sentence


def test_the_same_seed_gives_the_same_curve_and_another_does_not() -> None:
    y, groups = np.arange(60) % 2, np.arange(60)
    table = vector_table(y, 10, signal=1.0)
    one, same, other = (learning_curve(NearestMean, table, y, groups, draws=2, seed=s) for s in (5, 5, 6))
    assert one == same and one.points != other.points


def test_answers_of_a_cross_validation_on_the_same_folds_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    y, groups = np.arange(60) % 2, np.arange(60)
    table = vector_table(y, 10, signal=1.0)
    known = cross_validate(NearestMean, table, y, groups, repeats=3, seed=5)
    fits: list[int] = []
    fit = NearestMean.fit
    monkeypatch.setattr(NearestMean, "fit", lambda self, *a, **k: fits.append(1) or fit(self, *a, **k))
    alone = learning_curve(NearestMean, table, y, groups, draws=2, seed=5)
    assert learning_curve(NearestMean, table, y, groups, draws=2, seed=5, whole=known) == alone
    assert len(fits) == 50 + 40, "whole parts are not trained again"
    other = cross_validate(NearestMean, table, y, groups, repeats=1, seed=5)
    assert learning_curve(NearestMean, table, y, groups, draws=2, seed=5, whole=other) == alone


def test_a_class_of_few_patients_has_no_curve() -> None:
    y = np.r_[np.zeros(20, int), np.ones(8, int)]
    groups = np.r_[np.arange(20), 100 + np.arange(8) // 2]
    table = FeatureTable(feature_names(3), np.random.default_rng(0).normal(size=(28, 3)), {})
    found = learning_curve(NearestMean, table, y, groups, classes=["benign", "malignant"])
    assert found.points == () and "'malignant' has 4 patients" in found.refusal
    few = learning_curve(NearestMean, table.rows(np.arange(12, 28)), y[12:], np.arange(16), draws=1)
    assert len({p.cases for p in few.points}) == len(few.points) < 5, "equal parts are one point"
    with pytest.raises(Cancelled):
        learning_curve(NearestMean, table, y, np.arange(28), progress=Progress(is_cancelled=lambda: True))
