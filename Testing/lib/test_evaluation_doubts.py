"""Labels that were turned on purpose are found; where nothing can be known nothing is suspected."""

from __future__ import annotations

import numpy as np
from heads_data import vector_table

from SegClassifyLib.evaluation.crossvalidate import CrossValidation, cross_validate
from SegClassifyLib.evaluation.doubts import claimed_by, find_doubts
from SegClassifyLib.heads.linear import LinearHead

CLASSES = ("ring", "solid", "other")


def validated(y: np.ndarray, given: np.ndarray, signal: float, seed: int = 0) -> CrossValidation:
    """Cross-validation with the labels ``given`` of features that follow ``y``."""
    table = vector_table(y, 30, signal=signal, seed=seed)
    return cross_validate(LinearHead, table, given, np.arange(len(y)), repeats=2, seed=seed)


def names(count: int) -> list[str]:
    return [f"case{n}" for n in range(count)]


def test_turned_labels_are_the_suspects() -> None:
    y = np.arange(90) % 3
    turned = [4, 17, 30, 51, 77]
    given = y.copy()
    given[turned] = (y[turned] + 1) % 3
    found = find_doubts(validated(y, given, 5.0), given, names(90), CLASSES)
    assert found.note == ""
    suspects = [s.index for s in found.suspects]
    assert set(turned) <= set(suspects[:6]) and len(suspects) <= 10
    for suspect in found.suspects:
        if suspect.index in turned:
            assert (suspect.given, suspect.suggested) == (given[suspect.index], y[suspect.index])
            assert suspect.p_suggested > suspect.p_given and suspect.repeats >= 0.5
    # Next to answers that are nearly all sure, one may stay just below the mark in one repeat.
    assert sum(s.repeats == 1.0 for s in found.suspects if s.index in turned) >= len(turned) - 1
    first = found.suspects[0]
    assert f"case{first.index} is labelled {CLASSES[first.given]} (" in first.sentence
    assert f"looks like {CLASSES[first.suggested]} (" in first.sentence
    gaps = [s.p_suggested - s.p_given for s in found.suspects]
    assert gaps == sorted(gaps, reverse=True)


def test_right_labels_that_can_be_told_apart_are_left_alone() -> None:
    y = np.arange(60) % 2
    assert len(find_doubts(validated(y, y, 6.0), y, names(60), CLASSES).suspects) <= 1


def test_a_classifier_that_knows_nothing_suspects_nobody() -> None:
    y = np.arange(60) % 2
    found = find_doubts(validated(y, y, 0.0), y, names(60), CLASSES)
    assert found.suspects == () and "no better than guessing (0.50)" in found.note
    assert len(found.doubtful) == 10, "the unsure ones are named all the same"


def test_doubtful_cases_are_between_their_two_classes_least_sure_first() -> None:
    y = np.arange(60) % 3
    validation = validated(y, y, 2.0)
    found = find_doubts(validation, y, names(60), CLASSES, most_doubtful=4)
    assert [d.index for d in found.doubtful] == list(validation.doubtful[:4])
    for case in found.doubtful:
        ranked = np.argsort(-validation.proba[case.index])
        assert (case.first, case.second) == (ranked[0], ranked[1])
    sure = [d.p_first for d in found.doubtful]
    assert sure == sorted(sure)


def test_each_class_claims_by_its_own_threshold() -> None:
    """The second class is never said surely: 0.45 of it is much, 0.55 of the first is little."""
    proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.55, 0.45], [0.6, 0.4], [0.7, 0.3], [0.95, 0.05]])
    y = np.array([0, 0, 0, 1, 1, 0])
    assert claimed_by(y, proba).tolist() == [0, 0, 1, 1, -1, 0]
    assert claimed_by(y, np.c_[proba, np.full(6, 0.0)]).tolist() == [0, 0, 1, 1, -1, 0], (
        "an absent class claims none"
    )


def test_the_same_seed_gives_the_same_doubts() -> None:
    y = np.arange(45) % 3
    one, other = (find_doubts(validated(y, y, 2.0), y, names(45), CLASSES) for _ in range(2))
    assert one == other
