"""Intervals of a comparison, on made-up answers whose truth is known: coverage, false alarms, pairing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from SegClassifyLib.evaluation.folds import Fold
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.metrics import score
from SegClassifyLib.experiment import scores
from SegClassifyLib.experiment.draws import Pool
from SegClassifyLib.experiment.scores import ArmDifference, SizeScores, mean_interval
from SegClassifyLib.experiment.units import UnitResult

CASES, DRAWS = 80, 4


def pool() -> Pool:
    y = np.arange(CASES) % 2
    return Pool(y, np.arange(CASES) // 2, np.arange(0), np.zeros(CASES, bool))


def folds(draws: int = DRAWS) -> tuple[Fold, ...]:
    """All cases are tested on; what was trained on does not matter here."""
    return tuple(Fold(np.arange(0), np.arange(CASES)) for _ in range(draws))


def answers(
    right: float, rng: np.random.Generator, ease: np.ndarray, draws: int = DRAWS
) -> dict[int, UnitResult]:
    """Right with this probability on average: half of it by the patient's ease, half by each training's luck."""
    y = np.arange(CASES) % 2
    found = {}
    for draw in range(draws):
        luck = np.where(rng.random(CASES) < 0.5, ease, rng.random(CASES))
        said = np.where(luck < right, y, 1 - y)
        logits = np.where(np.eye(2, dtype=bool)[said], 1.5, 0.0) + 0.01 * rng.random((CASES, 2))
        proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        found[draw] = UnitResult(logits, proba, 1.0, 2.0)
    return found


def eases(rng: np.random.Generator) -> np.ndarray:
    """How easy each patient is, 0 to 1; his two cases alike."""
    return np.repeat(rng.random(CASES // 2), 2)


@dataclass(frozen=True)
class Trial:
    """One study: the first arm's score, and its difference to an equal arm and to a worse one."""

    own: Interval
    to_equal: ArmDifference
    to_worse: ArmDifference


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    """Studies of arms that are right in 70 of 100 cases, and in 50 the worse one."""
    found = []
    with pytest.MonkeyPatch.context() as quicker:
        quicker.setattr(scores, "METRICS", ("balanced_accuracy",))
        quicker.setattr(scores, "REPLICATES", 400)
        for trial in range(60):
            rng = np.random.default_rng(trial)
            ease = eases(rng)
            one, equal, worse = (answers(right, rng, ease) for right in (0.7, 0.7, 0.5))
            at_size = SizeScores(5, folds(), pool(), {"one": one, "equal": equal, "worse": worse}, trial)
            draws = at_size.tables["one", "balanced_accuracy"].values()
            own = mean_interval([v for v, _ in draws], np.stack([b for _, b in draws], axis=1), trial)
            to_equal, to_worse = (d for d in at_size.differences() if d.arm == "one")
            found.append(Trial(own, to_equal, to_worse))
    return found


def test_intervals_hold_the_truth_about_as_often_as_they_say(trials: list[Trial]) -> None:
    """All cases are tested on in every draw, so that the truth is .7 for each of them."""
    assert np.mean([t.own.low <= 0.7 <= t.own.high for t in trials]) >= 0.88
    assert np.mean([t.own.high - t.own.low for t in trials]) < 0.3


def test_equal_arms_are_seldom_called_different_and_unequal_ones_mostly(trials: list[Trial]) -> None:
    assert np.mean([t.to_equal.is_more_than_noise for t in trials]) <= 0.12
    assert np.mean([t.to_worse.is_more_than_noise for t in trials]) >= 0.8


def test_difference_is_surer_than_the_scores_where_arms_agree() -> None:
    rng = np.random.default_rng(1)
    one = answers(0.7, rng, eases(rng), draws=12)
    slightly = {d: UnitResult(r.logits, r.proba[:, ::-1].copy(), 1.0, 2.0) for d, r in one.items()}
    for draw, r in slightly.items():
        r.proba[4:] = one[draw].proba[4:]
    at_size = SizeScores(5, folds(12), pool(), {"one": one, "other": slightly}, 0)
    own = at_size.scores()[0].scores["balanced_accuracy"]
    difference = next(d for d in at_size.differences() if d.metric == "balanced_accuracy").difference
    assert difference.high - difference.low < (own.high - own.low) / 2


@pytest.mark.parametrize("draws", [2, 3, 10])
def test_luck_of_a_training_that_all_patients_share_is_in_the_interval(draws: int) -> None:
    """Scores move from draw to draw, and with the patients half as much: the interval holds the truth as it says."""
    rng = np.random.default_rng(0)
    held = []
    for trial in range(400):
        values = 0.05 * rng.normal(size=draws)
        patients = 0.025 * rng.normal()  # the luck of the test patients, as their drawing again shows it
        again = patients + values + 0.025 * rng.normal(size=(400, 1))
        interval = mean_interval((patients + values).tolist(), again, trial)
        held.append(interval.low <= 0 <= interval.high)
    # Three means can be drawn of two draws, too few for the tails. Without Student's t: .85, .92, .95.
    assert np.mean(held) >= (0.87 if draws == 2 else 0.925)


def test_few_draws_with_much_luck_are_seldom_called_different() -> None:
    """Equal arms, each training with luck of its own (8 points) on 140 test patients: two draws cannot tell."""
    rng = np.random.default_rng(0)
    weights = rng.multinomial(140, np.full(140, 1 / 140), size=400) / 140
    alarms = []
    for trial in range(400):
        right = [rng.random((2, 140)) < 0.7 + 0.08 * rng.normal(size=(2, 1)) for _ in range(2)]
        difference = right[0].astype(float) - right[1]
        interval = mean_interval(difference.mean(1).tolist(), weights @ difference.T, trial)
        alarms.append(interval.low > 0 or interval.high < 0)
    assert np.mean(alarms) <= 0.08  # .10 without Student's t


def test_draws_without_a_score_are_left_out() -> None:
    rng = np.random.default_rng(2)
    again = 0.7 + 0.02 * rng.normal(size=(400, 4))
    values = [0.7, float("nan"), 0.72, 0.68]
    again[:, 1] = np.nan
    found = mean_interval(values, again, 0)
    assert found.value == pytest.approx(0.7) and 0.6 < found.low < 0.7 < found.high < 0.8
    assert np.isnan(mean_interval([float("nan")] * 2, np.full((400, 2), np.nan), 0).value)


def test_one_training_each_is_never_called_more_than_noise() -> None:
    rng = np.random.default_rng(1)
    ease = eases(rng)
    better, worse = answers(0.95, rng, ease, draws=1), answers(0.2, rng, ease, draws=1)
    found = SizeScores(5, folds(1), pool(), {"one": better, "other": worse}, 0).differences()
    assert found[0].difference.low > 0 and not found[0].is_more_than_noise


def test_scores_are_those_of_each_draw() -> None:
    rng = np.random.default_rng(3)
    results = answers(0.7, rng, eases(rng))
    found = SizeScores(5, folds(), pool(), {"one": results, "none": {}}, 0).scores()
    assert [s.arm for s in found] == ["one"]
    expected = [score(np.arange(CASES) % 2, r.proba) for r in results.values()]
    assert found[0].by_draw["balanced_accuracy"] == pytest.approx([s.balanced_accuracy for s in expected])
    assert found[0].scores["macro_auc"].value == pytest.approx(np.mean([s.macro_auc for s in expected]))
    assert np.array_equal(found[0].confusion, sum(s.confusion for s in expected))
    assert found[0].draws == (0, 1, 2, 3) and found[0].test_cases == CASES


def test_arms_are_compared_on_the_draws_that_both_have() -> None:
    rng = np.random.default_rng(4)
    ease = eases(rng)
    many, few = answers(0.9, rng, ease), answers(0.6, rng, ease, draws=2)
    found = SizeScores(5, folds(), pool(), {"many": many, "few": few}, 0).differences()
    accuracy = next(d for d in found if d.metric == "accuracy")
    y = np.arange(CASES) % 2
    by_hand = [np.mean(many[d].proba.argmax(1) == y) - np.mean(few[d].proba.argmax(1) == y) for d in (0, 1)]
    assert accuracy.draws == 2
    assert accuracy.difference.value == pytest.approx(np.mean(by_hand))


def test_more_draws_and_patients_narrow_the_interval() -> None:
    rng = np.random.default_rng(5)
    ease = eases(rng)
    results = answers(0.7, rng, ease, draws=12)
    widths = []
    for draws in (2, 12):
        part = {d: r for d, r in results.items() if d < draws}
        found = SizeScores(5, folds(12), pool(), {"one": part}, 0).scores()[0].scores["accuracy"]
        widths.append(found.high - found.low)
    assert widths[1] < widths[0]


def test_sets_are_scored_by_whether_they_hold_the_class_and_by_their_size() -> None:
    rng = np.random.default_rng(4)
    plain = answers(1.0, rng, eases(rng), draws=2)
    y = np.arange(CASES) % 2
    p_values = np.where(np.eye(2, dtype=bool)[y], 0.5, 0.01)
    p_values[:20] = 0.5  # both classes stay
    given = {d: UnitResult(r.logits, r.proba, 1.0, 2.0, p_values) for d, r in plain.items()}
    wrong = p_values.copy()
    wrong[20:40] = wrong[20:40, ::-1]  # the answer alone is in the set, and it is not the class
    proba = plain[1].proba.copy()
    proba[20:40] = proba[20:40, ::-1]
    given[1] = UnitResult(plain[1].logits, proba, 1.0, 2.0, wrong)
    with_sets, without = SizeScores(5, folds(2), pool(), {"one": given, "other": plain}, 0).scores()
    assert without.sets is None
    assert with_sets.sets is not None
    assert with_sets.sets.coverage.value == pytest.approx((1 + 0.75) / 2)
    assert 0.2 < with_sets.sets.coverage.low < 0.7 and with_sets.sets.coverage.high == 1
    assert with_sets.sets.classes == pytest.approx(1.25)
    assert with_sets.sets.alone == pytest.approx(0.75)
