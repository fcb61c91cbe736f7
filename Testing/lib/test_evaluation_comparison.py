"""Two classifiers on the same cases: a real difference is told from noise, whichever is named first."""

from __future__ import annotations

import numpy as np
import pytest

from SegClassifyLib.evaluation.comparison import Comparison, compare

CLASSES = ("ring", "solid")


def answers(y: np.ndarray, right: np.ndarray, sure: float = 0.8) -> np.ndarray:
    """Two-class probabilities that are right where ``right`` says so."""
    said = np.where(right, y, 1 - y)
    return np.where(np.arange(2) == said[:, None], sure, 1 - sure)


def compared(y: np.ndarray, a: np.ndarray, b: np.ndarray, groups: np.ndarray | None = None) -> Comparison:
    groups = np.arange(len(y)) if groups is None else groups
    return compare(("old", "new"), y, a, b, groups, CLASSES, [f"c{i}" for i in range(len(y))])


Y = np.arange(100) % 2
HALF = np.random.default_rng(0).random(100) < 0.6


def test_a_real_difference_is_more_than_noise_and_turns_round_with_the_names() -> None:
    good = answers(Y, np.random.default_rng(1).random(100) < 0.9)
    bad = answers(Y, HALF)
    found = compared(Y, bad, good)
    accuracy = found.scores[0]
    assert accuracy.is_more_than_noise
    assert (
        accuracy.difference.value == pytest.approx(accuracy.second.value - accuracy.first.value)
        and accuracy.difference.value > 0.2
    )
    assert found.sentence.startswith("new is better than old, by more than noise: +")
    turned = compared(Y, good, bad)
    assert turned.sentence.startswith("old is better than new, by more than noise: -")
    assert turned.scores[0].difference.low == pytest.approx(-accuracy.difference.high)


def test_two_that_err_alike_are_told_apart_where_two_strangers_are_not() -> None:
    """Paired: seven more right answers on the very cases that the other gets wrong, against as many by luck."""
    better = HALF.copy()
    better[np.flatnonzero(~HALF)[:7]] = True
    paired = compared(Y, answers(Y, HALF), answers(Y, better))
    assert paired.scores[2].difference.value == pytest.approx(0.07)
    assert paired.scores[2].is_more_than_noise
    other = np.random.default_rng(3).permutation(better)
    strangers = compared(Y, answers(Y, HALF), answers(Y, other))
    assert strangers.scores[2].difference.value == pytest.approx(0.07)
    assert not strangers.scores[2].is_more_than_noise
    assert "differ by no more than noise" in strangers.sentence


def test_equal_ones_are_noise_and_have_no_disagreements() -> None:
    found = compared(Y, answers(Y, HALF), answers(Y, HALF))
    assert found.disagreements == () and not any(s.is_more_than_noise for s in found.scores)
    assert "new and old differ by no more than noise: +0.0 points" in found.sentence
    assert (found.cases, found.groups) == (100, 100)


def test_disagreements_name_what_each_said() -> None:
    right = np.ones(100, bool)
    wrong = right.copy()
    wrong[[4, 7]] = False
    cases = compared(Y, answers(Y, wrong), answers(Y, right)).disagreements
    assert [(d.case, d.truth, d.first, d.second) for d in cases] == [
        ("c4", "ring", "solid", "ring"),
        ("c7", "solid", "ring", "solid"),
    ]
    y, first, second = np.array([0, 1, 2]), np.eye(3)[[1, 1, 2]], np.eye(3)[[2, 1, 2]]
    three = compare(("old", "new"), y, first, second, np.arange(3), ("a", "b", "c"), ("x", "y", "z"))
    assert three.disagreements == (), "wrong in two ways is wrong"


def test_images_of_a_patient_count_once() -> None:
    """Ten patients of ten images each: what looks sure image by image is luck of a few patients."""
    groups = np.arange(100) // 10
    y = groups % 2
    base, more = groups > 3, groups > 2
    one = compared(y, answers(y, base), answers(y, more))
    ten = compared(y, answers(y, base), answers(y, more), groups)
    assert one.scores[2].is_more_than_noise and not ten.scores[2].is_more_than_noise
    assert "on 10 patients" in ten.sentence


def test_auc_speaks_where_accuracy_is_noise() -> None:
    rng = np.random.default_rng(5)
    said = np.clip(0.75 + 0.1 * (Y - 0.5) + 0.02 * rng.normal(size=100), 0.51, 0.99)
    ranked = np.c_[1 - said, said]
    flat = np.tile([0.25, 0.75], (100, 1))
    sentence = compared(Y, flat, ranked).sentence
    assert (
        "differ by no more than noise" in sentence
        and "In AUC new is better by more than noise: +" in sentence
    )
