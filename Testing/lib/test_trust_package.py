"""Trust in a model package: it comes back as it was, older packages have none, damage is said in words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from heads_data import feature_names
from package_data import assert_same_model, edit_package, rehash_package, small_model
from trust_data import cases_of, held_out_answers, means_head, patients

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.package import files
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import open_package, save_package
from SegClassifyLib.trust.answers import PredictionSets
from SegClassifyLib.trust.mirrored import Sides
from SegClassifyLib.trust.novelty import learn_novelty
from SegClassifyLib.trust.trust import Trust

RNG = np.random.default_rng(0)
X, Y, GROUPS = patients(RNG, np.repeat([0, 1], 15))
NAMES = feature_names(X.shape[1])


@pytest.fixture(scope="module")
def model() -> Model:
    """With a head, prediction sets and novelty."""
    table = FeatureTable(NAMES, X, {})
    novelty = learn_novelty(table, cases_of(X, NAMES, RNG), GROUPS)
    trust = Trust(held_out_answers(X, Y, GROUPS, 3), novelty, 0.8)
    return replace(small_model(), head=means_head(X, Y, NAMES), doubt=0.05, trust=trust)


@pytest.fixture
def package(model: Model, tmp_path: Path) -> Path:
    return save_package(model, tmp_path / "model")


def test_it_comes_back_as_it_was(model: Model, package: Path) -> None:
    opened = open_package(package)
    assert_same_model(model, opened)
    assert opened.doubt == 0.05
    assert opened.trust is not None and model.trust is not None
    assert opened.trust.confidence == 0.8
    new, (case,) = FeatureTable(NAMES, X[:4] + 0.3, {}), cases_of(X[:1] + 0.1, NAMES, RNG)
    answers = [PredictionSets(m.trust.answers, m.temperature) for m in (model, opened)]  # type: ignore[union-attr, arg-type]
    before, after = (sets.p_values(new, np.zeros((4, 2))) for sets in answers)
    np.testing.assert_array_equal(before, after)
    assert model.trust.novelty is not None and opened.trust.novelty is not None
    assert model.trust.novelty.ask(case, ["T1"]) == opened.trust.novelty.ask(case, ["T1"])
    assert opened.trust.novelty.sides is None


def test_what_tells_mirrored_images_comes_back(model: Model, tmp_path: Path) -> None:
    assert model.trust is not None and model.trust.novelty is not None
    sides = Sides(np.array([0.6, -0.8], np.float32), -0.25, np.array([0.8, 0.6], np.float32), 0.5)
    trust = replace(model.trust, novelty=replace(model.trust.novelty, sides=sides))
    opened = open_package(save_package(replace(model, trust=trust), tmp_path / "sided"))
    assert opened.trust is not None and opened.trust.novelty is not None
    found = opened.trust.novelty.sides
    assert found is not None and (found.below, found.alike) == (-0.25, 0.5)
    np.testing.assert_array_equal(found.template, sides.template)
    np.testing.assert_array_equal(found.pattern, sides.pattern)


def test_names_of_features_are_written_once(package: Path) -> None:
    document = json.loads((package / files.DESCRIPTION).read_text(encoding="utf-8"))
    assert document["format"] == 2
    assert [sorted(head) for head in document["trust"]["fold_heads"]] == [[], [], []]


def test_a_package_of_format_1_opens_and_knows_neither_sets_nor_novelty(model: Model, package: Path) -> None:
    def older(document: dict) -> None:
        document["format"] = 1
        del document["trust"], document["doubt"], document["training"]["right_handed"]

    edit_package(package, older)
    (package / files.TRUST_ARRAYS).unlink()
    rehash_package(package)
    opened = open_package(package)
    assert opened.trust is None and opened.doubt == 0
    assert opened.temperature == model.temperature and opened.training == model.training
    again = open_package(save_package(opened, package.parent / "again"))
    assert_same_model(opened, again)


def test_missing_and_damaged_arrays_are_said_in_words(package: Path) -> None:
    def cut(document: dict) -> None:
        document["trust"]["fold_heads"] = document["trust"]["fold_heads"][:1]

    edit_package(package, cut)
    with pytest.raises(ModelPackageError, match="fold that does not exist"):
        open_package(package)
    (package / files.TRUST_ARRAYS).unlink()
    rehash_package(package)
    with pytest.raises(ModelPackageError, match=r"lacks models/trust\.safetensors"):
        open_package(package)


def test_trust_without_a_classifier_makes_no_sense(model: Model) -> None:
    with pytest.raises(ValueError, match="trust goes with a head"):
        replace(model, head=None, classes=())
