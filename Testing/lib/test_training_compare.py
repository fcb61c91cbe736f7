"""Comparing models on the same folds, or on cases that neither knows; also from the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from untrained import fresh_family, quick_model, slice_set

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.classify.compare_held_out import compare_held_out
from SegClassifyLib.cli.main import app
from SegClassifyLib.errors import ModelPackageError, TrainingError, TrainingSetError
from SegClassifyLib.evaluation.comparison import Comparison
from SegClassifyLib.evaluation.crossvalidate import cross_validate
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import save_package
from SegClassifyLib.training.compare import Version, compare_on_folds, version_of
from SegClassifyLib.training.family import SegmenterFamily, save_family
from SegClassifyLib.training.honest_features import honest_features

FAMILY = fresh_family()


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return slice_set(tmp_path_factory.mktemp("compare") / "set", classified=7, test=2)


@pytest.fixture(scope="module")
def cache(slices: TrainingSet) -> Path:
    return slices.folder.parent / "cache"


@pytest.fixture(scope="module")
def new(slices: TrainingSet, cache: Path) -> Model:
    return quick_model(slices, FAMILY, cache, "New")


def version(model: Model, name: str = "", images: tuple[str, ...] | None = None) -> Version:
    """The same model by another name, or said to be made from other images."""
    provenance = model.provenance
    if images is not None:
        provenance = provenance.model_copy(update={"classifier_images": images})
    return Version(replace(model, name=name or model.name, provenance=provenance), FAMILY)


def on_folds(slices: TrainingSet, cache: Path, first: Version, second: Version, seed: int = 0) -> Comparison:
    return compare_on_folds(slices, first, second, folds=3, repeats=2, seed=seed, cache=FeatureCache(cache))


def test_a_model_against_itself_is_what_cross_validation_says(
    slices: TrainingSet, cache: Path, new: Model
) -> None:
    found = on_folds(slices, cache, version(new), version(new, "Copy"))
    assert found.disagreements == () and found.cases == 14
    for score in found.scores:
        assert score.first == score.second and not score.is_more_than_noise
    labelled = [c for c in slices.cases if c.split == "train"]
    table = FeatureTable.stack(
        list(honest_features(slices, labelled, FAMILY, cache=FeatureCache(cache)).features)
    )
    y = np.array([slices.classes.index(str(c.label_class)) for c in labelled])
    groups = np.array([c.group_name for c in labelled])
    known = cross_validate(LinearHead, table, y, groups, folds=3, repeats=2)
    assert found.scores[0].first == known.intervals.balanced_accuracy
    assert found.scores[1].first == known.intervals.macro_auc
    assert found == on_folds(slices, cache, version(new), version(new, "Copy")), (
        "the same seed, the same numbers"
    )


def test_an_older_version_learns_from_its_own_cases_only(
    slices: TrainingSet, cache: Path, new: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled = [c for c in slices.cases if c.split == "train"]
    own = tuple(str(c.image_hash) for c in [*labelled[:5], *labelled[-5:]])
    shown: list[set[int]] = []
    fit = LinearHead.fit

    def watched(self, table, y, groups, seed=0, progress=None):  # type: ignore[no-untyped-def]
        shown.append(set(table.cases.tolist()))
        return fit(self, table, y, groups, seed, progress)

    monkeypatch.setattr(LinearHead, "fit", watched)
    found = on_folds(slices, cache, version(new, "Old", own), version(new))
    old_fits, new_fits = shown[:6], shown[6:]
    allowed = {0, 1, 2, 3, 4, 9, 10, 11, 12, 13}
    assert set().union(*old_fits) == allowed and set().union(*new_fits) == set(range(14))
    assert all(old == new & allowed for old, new in zip(old_fits, new_fits, strict=True)), "the same folds"
    assert found.cases == 14, "both are asked about all"
    assert "the same 14 cases; Old from 10 of them, New from 14" in found.notes[0]
    with pytest.raises(TrainingError, match="Old was made from too few cases"):
        on_folds(slices, cache, version(new, "Old", own[:2]), version(new))


def test_cases_that_trained_a_segmenter_are_left_out(slices: TrainingSet, cache: Path, new: Model) -> None:
    labelled = [c for c in slices.cases if c.split == "train"]
    knows = fresh_family(frozenset(str(c.image_hash) for c in labelled[:3]))
    found = on_folds(slices, cache, version(new), Version(replace(new, name="Other"), knows))
    assert found.cases == 11 and "3 cases that trained a segmenter" in found.notes[1]
    everything = fresh_family(frozenset(str(c.image_hash) for c in labelled))
    with pytest.raises(TrainingError, match=r"No labelled case of .* is left"):
        on_folds(slices, cache, version(new), Version(new, everything))


def test_what_cannot_be_compared_is_said(slices: TrainingSet, cache: Path, new: Model) -> None:
    bare = replace(new, head=None, classes=(), trust=None)
    with pytest.raises(ModelPackageError, match="New has no classifier"):
        on_folds(slices, cache, version(new), version(bare))
    renamed = replace(new, classes=("round", "odd"), name="Odd")
    with pytest.raises(TrainingError, match=r"same classes, and here they differ \(New .*; Odd odd, round"):
        on_folds(slices, cache, version(new), version(renamed))
    assert new.head is not None
    tuned = replace(new, head=replace(new.head, kind="fine-tuned"))
    with pytest.raises(ModelPackageError, match="fine-tuned with its segmenter"):
        on_folds(slices, cache, version(new), version(tuned))


def test_a_version_finds_its_fold_segmenters(new: Model, tmp_path: Path) -> None:
    save_family(SegmenterFamily(FAMILY.full), tmp_path / "family")
    other = replace(FAMILY.full.segmenter, taps=FAMILY.full.segmenter.taps[:1])
    save_family(SegmenterFamily(replace(FAMILY.full, segmenter=other)), tmp_path / "other")
    found = version_of(new, [tmp_path / "other", tmp_path / "family"])
    assert found.family.full.name == "Fresh" and found.family.full.segmenter.taps == new.segmenter.taps
    assert version_of(new, [tmp_path / "other"]).family.full is new


def test_held_out_cases_that_neither_knows(slices: TrainingSet, new: Model) -> None:
    turned = replace(new, name="Turned", classes=new.classes[::-1])
    found = compare_held_out(Classifier(new, "cpu"), Classifier(turned, "cpu"), slices)
    assert found.cases == 4 and "Both classified 4 cases" in found.notes[0]
    first, second = (s for s in (found.scores[2].first, found.scores[2].second))
    assert first.value + second.value == pytest.approx(1), "what one says, the other denies"
    assert len(found.disagreements) == 4
    test = [str(c.image_hash) for c in slices.cases if c.split == "test"]
    knows = version(new, "Knows", (*new.provenance.classifier_images, *test[:1])).model
    assert compare_held_out(Classifier(new, "cpu"), Classifier(knows, "cpu"), slices).cases == 3
    with pytest.raises(TrainingSetError, match="models of the same classes"):
        compare_held_out(Classifier(new, "cpu"), Classifier(replace(new, classes=("a", "b")), "cpu"), slices)


def test_the_command_gives_the_numbers_of_the_library(
    slices: TrainingSet, cache: Path, new: Model, tmp_path: Path
) -> None:
    packages = [save_package(replace(new, name=n), tmp_path / n) for n in ("one", "two")]
    command = [
        "compare-models",
        *map(str, packages),
        str(slices.folder),
        "--cache",
        str(cache),
        "--device",
        "cpu",
    ]
    run = CliRunner().invoke(app, [*command, "--json"])
    assert run.exit_code == 0, run.output
    content = json.loads(run.stdout)
    known = compare_on_folds(slices, version(new, "one"), version(new, "two"), cache=FeatureCache(cache))
    assert content["scores"][0]["first"]["low"] == known.scores[0].first.low
    assert content["sentence"] == known.sentence and content["cases"] == 14
    shown = CliRunner().invoke(app, [*command, "--on", "test"])
    assert shown.exit_code == 0 and "differ by no more than noise" in shown.output
