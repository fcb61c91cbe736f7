"""Starting from another model: what is taken, what starts fresh, and that folds never see what they must not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner
from untrained import FLAT, fresh_family

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.main import app
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import open_package
from SegClassifyLib.phantoms.sets import Counts, write_slice_set
from SegClassifyLib.training import segmenter_from_set
from SegClassifyLib.training.family import FoldSegmenter, SegmenterFamily, save_family
from SegClassifyLib.training.segmenter import train_segmenter
from SegClassifyLib.training.segmenter_from_set import train_segmenter_from_set
from SegClassifyLib.training.segmenter_plan import SegmenterPlan, settle_plan
from SegClassifyLib.training.settings import SegmenterSettings
from SegClassifyLib.training.start import Start, label_tensors, open_start
from SegClassifyLib.volumes.image import Label

ONE_STEP = SegmenterSettings(epochs=1, steps_per_epoch=1, batch=2, patch=(16, 16))


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    folder = tmp_path_factory.mktemp("start") / "set"
    return write_slice_set(folder, Counts(segmented=0, classified=0, both=3, test=0), shape=(32, 32))


def family(seen: frozenset[str] = frozenset(), folds: tuple[frozenset[str], ...] = ()) -> SegmenterFamily:
    """Says that its segmenters saw these images; weights tell them apart by a constant."""
    full = fresh_family(seen).full
    return SegmenterFamily(
        full,
        tuple(FoldSegmenter(shifted(fresh_family(f).full, n + 1), seen - f) for n, f in enumerate(folds)),
    )


def shifted(model: Model, by: float) -> Model:
    state = {name: tensor + by for name, tensor in model.segmenter.state.items()}
    return replace(model, segmenter=replace(model.segmenter, state=state))


def test_network_grid_and_taps_are_those_of_the_start(slices: TrainingSet) -> None:
    start = Start(family())
    network, preprocessing, taps = start.fitted(slices)
    assert network == FLAT and taps == start.segmenter.taps
    assert [c.name for c in preprocessing.channels] == list(slices.channels)
    assert preprocessing.grid == start.segmenter.preprocessing.grid
    settled = settle_plan(slices, SegmenterPlan(), start)
    assert (settled.network, settled.plan.taps) == (FLAT, taps) and settled.grid is None
    with pytest.raises(TrainingError, match="has a network of its own"):
        settle_plan(slices, SegmenterPlan(network=FLAT.model_copy(update={"name": "UNet"})), start)


def test_a_start_that_does_not_fit_is_refused_in_words(tmp_path: Path) -> None:
    start = Start(family())
    two = TrainingSet.create(tmp_path / "two", "Two", ["T1", "FLAIR"], ["lesion"])
    with pytest.raises(TrainingError, match="is for 2D images and the training set Two has 3D ones"):
        start.fitted(two)
    flat = write_slice_set(tmp_path / "flat", Counts(1, 0, 0, 0), shape=(32, 32))
    spec = start.segmenter.preprocessing
    both = spec.model_copy(update={"channels": (*spec.channels, *spec.channels)})
    wide = replace(start.family.full, segmenter=replace(start.segmenter, preprocessing=both))
    with pytest.raises(TrainingError, match=r"takes the channels .* and the training set .* has"):
        Start(SegmenterFamily(wide)).fitted(flat)


def test_the_layer_of_other_labels_starts_fresh() -> None:
    start = Start(family())
    made = label_tensors(FLAT)
    assert made and made < set(start.segmenter.state)
    same = start.weights(start.segmenter.labels)
    other = start.weights((Label(0, "background"), Label(1, "cyst")))
    assert same is not None and set(same.state) == set(start.segmenter.state)
    assert other is not None and set(other.state) == set(start.segmenter.state) - made


def test_weights_are_of_a_segmenter_that_has_not_seen_the_held_out() -> None:
    start = Start(family(frozenset("abc"), (frozenset("ab"), frozenset("c"))))
    labels, own = start.segmenter.labels, start.segmenter.state
    name = next(iter(own))
    for held, by, images in (("", 0, "abc"), ("x", 0, "abc"), ("c", 1, "ab"), ("ab", 2, "c")):
        found = start.weights(labels, held)
        assert found is not None and torch.equal(found.state[name], own[name] + by), held
        assert found.images == tuple(images)
    assert start.weights(labels, "ac") is None, "all have seen one of them"


def test_folds_and_provenance_of_a_continued_segmenter(
    slices: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = [str(c.image_hash) for c in slices.cases]
    start = Start(family(frozenset({hashes[0], "elsewhere"})))
    given: list[bool] = []

    def watched(*arguments: object, **_: object) -> object:
        given.append(arguments[8] is not None)
        return train_segmenter(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(segmenter_from_set, "train_segmenter", watched)
    plan = SegmenterPlan(training=ONE_STEP, folds=2)
    trained = train_segmenter_from_set(slices, tmp_path / "out", plan, start=start)
    knows = [hashes[0] in fold.held_out for fold in trained.family.folds]
    assert given == [True, *(not k for k in knows)] and sorted(knows) == [False, True]
    assert trained.family.seen == {*hashes, "elsewhere"}, "what trained the start trained this one too"
    for fold, must_not in zip(trained.family.folds, knows, strict=True):
        assert not fold.held_out & set(fold.model.provenance.segmenter_images)
        assert ("elsewhere" in fold.model.provenance.segmenter_images) is not must_not
    assert "Fresh" in trained.family.full.provenance.scores[0].how
    settings = trained.family.full.provenance.settings
    assert settings["started from"] == "Fresh"


def test_the_command_starts_from_a_package(slices: TrainingSet, tmp_path: Path) -> None:
    package = save_family(family(), tmp_path / "family")
    command = [
        "train-segmenter",
        str(slices.folder),
        str(tmp_path / "out"),
        "--minutes",
        "0.01",
        "--folds",
        "2",
    ]
    done = CliRunner().invoke(
        app, [*command, "--start-from", str(package), "--patch", "16,16", "--device", "cpu"]
    )
    assert done.exit_code == 0, done.output
    made = open_package(tmp_path / "out" / "model")
    assert made.segmenter.network == FLAT and made.provenance.settings["started from"] == "Fresh"
    assert open_start(tmp_path / "out").name == made.name


def test_minutes_are_those_of_the_whole(slices: TrainingSet) -> None:
    timed = settle_plan(
        slices, SegmenterPlan(training=SegmenterSettings(minutes=30), folds=2), Start(family())
    )
    minutes = [timed.settings(part).minutes for part in timed.parts]
    assert minutes == [15, 7.5, 7.5]
    alone = settle_plan(
        slices, SegmenterPlan(training=SegmenterSettings(minutes=30), folds=0), Start(family())
    )
    assert alone.settings(0).minutes == 30 and list(alone.parts) == [0]
    counted = settle_plan(
        slices, SegmenterPlan(training=SegmenterSettings(epochs=7), folds=2), Start(family())
    )
    assert {counted.settings(part).epochs for part in counted.parts} == {7}
