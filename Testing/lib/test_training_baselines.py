"""Baselines see the cases and folds of the classifier they stand beside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from untrained import fresh_family, slice_set

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import Cancelled, TrainingError
from SegClassifyLib.evaluation.crossvalidate import cross_validate
from SegClassifyLib.evaluation.folds import make_folds
from SegClassifyLib.evaluation.intervals import paired_difference
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import open_package, save_package
from SegClassifyLib.progress import Part, Progress, ProgressEvent
from SegClassifyLib.training.baselines import measure_baseline
from SegClassifyLib.training.classifier import TrainedClassifier, train_classifier
from SegClassifyLib.training.classifier_run import (
    TrainingRecord,
    family_at,
    known_segmenters,
    read_record,
    record_of,
    save_classifier_run,
)
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.family import FoldSegmenter, SegmenterFamily, save_family
from SegClassifyLib.training.scratch import ScratchClassifier
from SegClassifyLib.training.segmenter_plan import SegmenterPlan
from SegClassifyLib.training.segmenter_run import RunFile, runs_folder
from SegClassifyLib.training.settings import ScratchSettings, SegmenterSettings

SETTINGS = ClassifierSettings(head="linear", repeats=2, folds=3, seed=4)


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return slice_set(tmp_path_factory.mktemp("baselines") / "set", classified=5)


@pytest.fixture(scope="module")
def segmenter(slices: TrainingSet) -> Path:
    return save_package(fresh_family().full, slices.folder.parent / "segmenter")


@pytest.fixture(scope="module")
def trained(slices: TrainingSet) -> TrainedClassifier:
    return train_classifier(slices, fresh_family(), SETTINGS, "Lesions", FeatureCache(slices.features_folder))


@pytest.fixture(scope="module")
def run(slices: TrainingSet, trained: TrainedClassifier, segmenter: Path) -> tuple[Model, TrainingRecord]:
    path = save_classifier_run(trained, record_of(trained, slices, segmenter, SETTINGS), slices)
    assert known_segmenters(slices, [path]) == [segmenter]
    return open_package(path), read_record(path)


def test_shape_alone_is_cross_validated_like_the_classifier(
    slices: TrainingSet, trained: TrainedClassifier, run: tuple[Model, TrainingRecord]
) -> None:
    found = measure_baseline("shape", *run, slices, FeatureCache(slices.features_folder))
    columns = np.array([name.source in ("shape", "intensity") for name in trained.table.names])
    assert 0 < columns.sum() < len(columns)
    alone = cross_validate(LinearHead, trained.table.columns(columns), trained.y, trained.groups, 3, 2, 4)
    assert np.array_equal(found.proba, alone.proba) and found.scores == alone.intervals
    difference = paired_difference(
        trained.y, trained.validation.proba, alone.proba, trained.groups, "balanced_accuracy", seed=4
    )
    assert found.comparison.scores[0].difference == difference, "the classifier's minus the baseline's"


def test_from_scratch_sees_the_same_folds(
    slices: TrainingSet, run: tuple[Model, TrainingRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    folds = make_folds(np.array(run[1].y), np.array(run[1].groups), 3, 4)
    shown: list[tuple[int, ...]] = []
    fit = ScratchClassifier.fit

    def watched(self: ScratchClassifier, images: list, y: np.ndarray, *more: object) -> ScratchClassifier:
        shown.append(tuple(y))
        return fit(self, images, y, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(ScratchClassifier, "fit", watched)
    events: list[ProgressEvent] = []
    quick = ScratchSettings(steps=2, batch=2, size=(16, 16))
    found = measure_baseline("scratch", *run, slices, None, "cpu", Progress(events.append), quick)
    assert shown == [tuple(np.array(run[1].y)[fold.train]) for fold in folds]
    assert np.allclose(found.proba.sum(1), 1) and "from scratch" in found.name
    told = [e.fraction for e in events if e.phase == "Training from scratch"]
    assert told == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6]) and "fold 3 of 3" in events[-1].note
    with pytest.raises(Cancelled):
        stop = Progress(is_cancelled=lambda: len(shown) > 3)
        measure_baseline("scratch", *run, slices, None, "cpu", stop, quick)


def test_a_package_gets_the_fold_segmenters_of_its_training_in_the_set(
    slices: TrainingSet, tmp_path: Path
) -> None:
    seen = frozenset(str(c.image_hash) for c in slices.cases[:2])
    family = fresh_family(seen)
    package = save_package(family.full, tmp_path / "saved")
    assert family_at(package, slices).folds == ()
    folder = runs_folder(slices) / "20260301-140500 Fresh"
    save_family(SegmenterFamily(family.full, (FoldSegmenter(family.full, seen),)), folder)
    plan = SegmenterPlan(training=SegmenterSettings(epochs=1))
    asked = RunFile(name="Fresh", started="2026-03-01T14:05:00", plan=plan, cases=(), finished=True)
    (folder / "run.json").write_text(asked.model_dump_json(), encoding="utf-8")
    (fold,) = family_at(package, slices).folds
    assert fold.held_out == seen
    other = save_package(fresh_family(frozenset({"elsewhere"})).full, tmp_path / "other")
    assert family_at(other, slices).folds == (), "no case of the set trained it"


def test_a_case_that_changed_is_named(slices: TrainingSet, run: tuple[Model, TrainingRecord]) -> None:
    case = slices.cases[2]
    slices.change(case.name, group="other")
    with pytest.raises(TrainingError, match=f"The case '{case.name}' was removed or changed"):
        measure_baseline("shape", *run, slices)
    slices.change(case.name, group=case.group)
    assert len(run[1].found_in(slices)) == 10


def test_a_part_of_longer_work_tells_its_share() -> None:
    events: list[ProgressEvent] = []
    part = Part(Progress(events.append), "Working", 0.5, 0.75, "fold 1")
    part.report("Reading", 1, 4)
    part.report("Working", 1, 2, "loss 3")
    assert [(e.phase, e.fraction, e.note) for e in events] == [
        ("Reading", 0.25, ""),
        ("Working", 0.625, "fold 1, loss 3"),
    ]
    with pytest.raises(Cancelled):
        Part(Progress(is_cancelled=lambda: True), "Working", 0, 1).report("Working")
