"""Cases without a class help a classifier, and never the estimate of how good it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from untrained import fresh_family, slice_set

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.training.background import background_cases, background_features

FAMILY = fresh_family()


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return slice_set(tmp_path_factory.mktemp("background") / "set", classified=4)


def unlabel(training_set: TrainingSet, names: list[str]) -> None:
    for name in names:
        training_set.change(name, label_class=None)


def test_neither_labelled_patients_nor_test_cases_are_background(slices: TrainingSet) -> None:
    train = [c for c in slices.cases if c.trains_classifier]
    unlabel(slices, [train[0].name, train[1].name, train[2].name])
    slices.change(train[1].name, split="test")
    slices.change(train[2].name, group=train[3].group_name)
    labelled = [c for c in slices.cases if c.trains_classifier]
    found = {c.name for c in background_cases(slices, labelled, 1000)}
    assert train[0].name in found
    assert train[1].name not in found, "kept for a test"
    assert train[2].name not in found, "of a labelled patient"
    assert not found & {c.name for c in labelled}
    assert len(background_cases(slices, labelled, 1)) == 1
    assert background_cases(slices, labelled, 0) == ()


def test_background_features_are_those_of_the_cases(slices: TrainingSet) -> None:
    labelled = [c for c in slices.cases if c.trains_classifier]
    cases = background_cases(slices, labelled, 3)
    cache = FeatureCache(slices.features_folder)
    found = background_features(slices, cases, FAMILY.full.segmenter, cache=cache)
    assert found is not None
    assert found.table.X.shape == (len(cases), len(found.table.names)) and not found.table.maps
    assert len(found.observations) == len(cases)
    alone = background_features(slices, cases[:1], FAMILY.full.segmenter)
    assert alone is not None
    np.testing.assert_array_equal(alone.table.X[0], found.table.X[0])
    assert alone.observations == found.observations[:1]
    assert background_features(slices, (), FAMILY.full.segmenter) is None


def test_a_case_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    training_set = slice_set(tmp_path / "set", classified=2)
    cases = background_cases(training_set, (), 3)
    training_set.image_paths(cases[0])[0].write_bytes(b"no image")
    found = background_features(training_set, cases, FAMILY.full.segmenter)
    assert found is not None and len(found.table) == len(found.observations) == len(cases) - 1
