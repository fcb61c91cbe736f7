"""What heads refuse, and how they are stored and found again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from heads_data import vector_table

from SegClassifyLib.errors import ModelPackageError, TrainingError
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.base import (
    HeadState,
    check_same_features,
    check_trainable,
    class_count,
    load_head,
    names_from_json,
    names_to_json,
    probabilities,
)
from SegClassifyLib.heads.linear import LinearHead


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        ([], "No case has a class yet"),
        ([0, 0, 0], "All 3 cases are of class 'benign'"),
        ([0, 0, 1], "Class 'malignant' has one case: add at least one more"),
        ([0, 0, 1, 1], "Class 'normal' has no case"),
    ],
)
def test_untrainable_cases_are_refused_in_words(y: list[int], sentence: str) -> None:
    classes = ["benign", "malignant", "normal"] if len(y) == 4 else ["benign", "malignant"]
    with pytest.raises(TrainingError, match=sentence):
        check_trainable(np.array(y, int), np.arange(len(y)), classes)


def test_two_cases_of_each_class_are_enough_to_start() -> None:
    check_trainable(np.array([0, 1, 0, 1]), np.arange(4), ["a", "b"])


def test_class_count_wants_every_class() -> None:
    assert class_count(np.array([2, 0, 1])) == 3
    for y in ([], [0, 0], [0, 2]):
        with pytest.raises(TrainingError):
            class_count(np.array(y, int))


def test_probabilities_survive_huge_logits() -> None:
    np.testing.assert_allclose(probabilities(np.array([[1e4, 0.0], [0.0, 0.0]])), [[1, 0], [0.5, 0.5]])


def test_names_pass_through_json() -> None:
    names = vector_table(np.array([0, 1]), 60).names
    assert names_from_json(json.loads(json.dumps(names_to_json(names)))) == names


def test_other_features_are_refused_naming_the_first_difference() -> None:
    table = vector_table(np.array([0, 1]), 4)
    swapped = (*table.names[:2], table.names[3], table.names[2])
    with pytest.raises(ModelPackageError, match=r"tap0/all/mean\[3\] is expected where tap0/all/mean\[2\]"):
        check_same_features(table, swapped)
    with pytest.raises(ModelPackageError, match="trained on 3 features and is given 4"):
        check_same_features(table, table.names[:3])


def test_unknown_kind_and_damaged_state_are_sentences() -> None:
    with pytest.raises(ModelPackageError, match=r"kind 'forest'.*update SegClassify"):
        load_head(HeadState("forest", {}, {}))
    y = np.repeat([0, 1], 5)
    state = LinearHead().fit(vector_table(y), y, np.arange(10)).to_state()
    without = {k: v for k, v in state.arrays.items() if k != "bias"}
    with pytest.raises(ModelPackageError, match="damaged"):
        load_head(HeadState(state.kind, state.config, without))
    short = {**state.arrays, "coefficients": state.arrays["coefficients"][:, :-1]}
    with pytest.raises(ModelPackageError, match="damaged"):
        load_head(HeadState(state.kind, state.config, short))


def test_features_that_are_not_numbers_are_refused_by_name() -> None:
    y = np.repeat([0, 1], 5)
    table = vector_table(y, 4)
    X = table.X.copy()
    X[3, 2] = np.nan
    with pytest.raises(TrainingError, match=r"tap0/all/mean\[2\] is not a finite number"):
        LinearHead().fit(FeatureTable(table.names, X, {}), y, np.arange(10))
