"""A comparison from set to result: nothing leaks, the same numbers whichever way it is run, changes are noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from compare_data import hashes, lesions, quick, ready, segmenter_folder, with_random_classes

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import Cancelled, TrainingError
from SegClassifyLib.experiment.arms import choose_arms, known_arms
from SegClassifyLib.experiment.learn import _unlabelled, run_unit
from SegClassifyLib.experiment.run import run_ready
from SegClassifyLib.experiment.units import read_result
from SegClassifyLib.networks.imagenet import IMAGENET
from SegClassifyLib.progress import Progress, ProgressEvent


@pytest.fixture(scope="module")
def training_set(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return lesions(tmp_path_factory.mktemp("set") / "set")


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return segmenter_folder(tmp_path_factory.mktemp("segmenter") / "run")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(IMAGENET["resnet18"].build().state_dict(), path)
    return path


def test_random_classes_score_at_chance_in_every_arm(segmenter: Path, weights: Path, tmp_path: Path) -> None:
    training_set = with_random_classes(lesions(tmp_path / "set", 20), seed=0)
    settings = quick(sizes=(8,), draws=3)
    made = ready(training_set, segmenter, tmp_path / "out", "all", settings=settings, weights=[weights])
    result = run_ready(made)
    assert not result.failures and result.unfinished == 0
    assert {s.arm for s in result.scores} == {a.key for a in known_arms(("run",), ("resnet18",))}
    for found in result.scores:
        interval = found.scores["balanced_accuracy"]
        assert interval.low <= 0.5 <= interval.high, found.arm
        assert 0.2 < interval.value < 0.8, found.arm
        kind = next(a.kind for a in result.arms if a.key == found.arm)
        assert (found.sets is not None) == (kind in ("linear", "conv"))
        if found.sets is not None:  # eight patients of a class cannot rule it out
            assert (found.sets.coverage.value, found.sets.classes) == (1.0, 2.0)


def test_no_arm_learns_from_the_classes_of_test_cases(
    training_set: TrainingSet, segmenter: Path, weights: Path, tmp_path: Path
) -> None:
    """With other classes of the test cases every number stays the same, to the last bit."""
    made = ready(training_set, segmenter, tmp_path, "all", settings=quick(draws=1), weights=[weights])
    units = {unit.arm.key: unit for unit in made.units}
    assert set(units) == {a.key for a in known_arms(("run",), ("resnet18",))}
    for arm, unit in units.items():
        y = made.study.pool.y.copy()
        y[unit.fold.test] = 1 - y[unit.fold.test]
        turned = replace(made.study, pool=replace(made.study.pool, y=y))
        honest, other = run_unit(made.study, unit), run_unit(turned, unit)
        np.testing.assert_array_equal(honest.logits, other.logits, err_msg=arm)
        np.testing.assert_array_equal(honest.proba, other.proba, err_msg=arm)
        assert (honest.p_values is None) == (other.p_values is None)
        if honest.p_values is not None:
            np.testing.assert_array_equal(honest.p_values, other.p_values, err_msg=arm)


def test_every_arm_is_asked_about_the_same_cases(
    training_set: TrainingSet, segmenter: Path, tmp_path: Path
) -> None:
    made = ready(training_set, segmenter, tmp_path, "linear", "shape", "scratch-encoder")
    for unit in made.units:
        expected = made.folds[unit.size][unit.draw]
        assert np.array_equal(unit.fold.train, expected.train)
        assert np.array_equal(unit.fold.test, expected.test)
    assert {(u.arm.key, u.draw) for u in made.units} == {
        ("linear", 0), ("linear", 1), ("shape", 0), ("shape", 1), ("scratch-encoder", 0),
    }  # fmt: skip


def test_what_is_there_is_not_computed_again_and_changes_are_noticed(
    training_set: TrainingSet, segmenter: Path, tmp_path: Path
) -> None:
    arms = ("linear", "descriptors")
    first = run_ready(ready(training_set, segmenter, tmp_path, *arms))
    again = ready(training_set, segmenter, tmp_path, *arms)
    assert again.todo == () and again.replaced == 0
    assert run_ready(again).scores[0].by_draw == first.scores[0].by_draw
    more = ready(training_set, segmenter, tmp_path, *arms, settings=quick(draws=3))
    assert [(u.arm.key, u.draw) for u in more.todo] == [("linear", 2), ("descriptors", 2)]
    other = quick(linear={"descriptors": 0.1})
    assert ready(training_set, segmenter, tmp_path, *arms, settings=other).replaced == 4
    assert ready(training_set, segmenter, tmp_path, *arms, settings=quick(seed=7)).replaced == 4
    damaged = again.units[0].path(tmp_path)
    damaged.write_text(damaged.read_text(encoding="utf-8")[:50], encoding="utf-8")
    assert len(ready(training_set, segmenter, tmp_path, *arms).todo) == 1


def test_a_changed_class_is_noticed(segmenter: Path, tmp_path: Path) -> None:
    training_set = lesions(tmp_path / "set", 8)
    run_ready(ready(training_set, segmenter, tmp_path / "out"))
    one, other = (next(c for c in training_set.cases if c.label_class == k) for k in training_set.classes)
    training_set.change(one.name, label_class=training_set.classes[1])
    training_set.change(other.name, label_class=training_set.classes[0])
    assert ready(training_set, segmenter, tmp_path / "out").todo


def test_changed_patients_are_noticed(segmenter: Path, tmp_path: Path) -> None:
    """Cases that turn out to be of one patient are held out together: the same draw, another temperature."""
    training_set = lesions(tmp_path / "set", 8)
    made = ready(training_set, segmenter, tmp_path / "out")
    run_ready(made)
    one, other = (made.study.cases[i] for i in made.units[0].fold.train[:2])
    training_set.change(one, group="the same")
    training_set.change(other, group="the same")
    again = ready(training_set, segmenter, tmp_path / "out")
    same = [u for u in again.units if {one, other} <= {again.study.cases[i] for i in u.fold.train}]
    assert same and all(u in again.todo for u in same)


def test_cancelled_keeps_what_is_finished(training_set: TrainingSet, segmenter: Path, tmp_path: Path) -> None:
    made = ready(training_set, segmenter, tmp_path, settings=quick(draws=5))
    told: list[ProgressEvent] = []
    progress = Progress(told.append, is_cancelled=lambda: sum(e.fraction is not None for e in told) > 2)
    with pytest.raises(Cancelled):
        run_ready(made, progress=progress)
    kept = [u for u in made.units if read_result(u, tmp_path) is not None]
    assert 1 <= len(kept) < 5
    assert len(ready(training_set, segmenter, tmp_path, settings=quick(draws=5)).todo) == 5 - len(kept)
    assert any(e.seconds_left for e in told)


def test_cases_that_trained_the_segmenter_are_left_out(training_set: TrainingSet, tmp_path: Path) -> None:
    seen = frozenset(hashes(training_set)[::3])
    run = segmenter_folder(tmp_path / "run", seen)
    made = ready(training_set, run, tmp_path / "out")
    by_name = {c.name: c.image_hash for c in training_set.cases}
    assert made.study.cases and not any(by_name[name] in seen for name in made.study.cases)
    assert "left out" in made.notes[0]


def test_or_only_train_where_that_is_asked_for(training_set: TrainingSet, tmp_path: Path) -> None:
    seen = frozenset(hashes(training_set)[::3])
    run = segmenter_folder(tmp_path / "run", seen)
    made = ready(training_set, run, tmp_path / "out", "linear", "fine-tuned", settings=quick(seen="include"))
    by_name = {c.name: c.image_hash for c in training_set.cases}
    assert len(made.study.cases) == len(training_set.cases)
    for plan in made.folds.values():
        for fold in plan:
            assert not any(by_name[made.study.cases[i]] in seen for i in fold.test)
    assert {a.key for a in made.arms} == {"linear", "fine-tuned"}


def test_or_have_features_of_fold_segmenters(training_set: TrainingSet, tmp_path: Path) -> None:
    seen = frozenset(hashes(training_set))
    run = segmenter_folder(tmp_path / "run", seen, folds=2)
    made = ready(training_set, run, tmp_path / "out", "linear", "fine-tuned")
    assert len(made.study.cases) == len(training_set.cases)
    assert [a.key for a in made.arms] == ["linear"], "the full segmenter has seen all that is tested on"
    assert any("fine-tuned" in note for note in made.notes)
    with pytest.raises(TrainingError, match="fine-tuned and tested"):
        ready(training_set, run, tmp_path / "out", "fine-tuned")
    with pytest.raises(TrainingError, match="All 24 labelled cases"):
        ready(training_set, run, tmp_path / "out", settings=quick(seen="exclude"))


def test_the_sets_own_test_cases_are_tested_on(segmenter: Path, tmp_path: Path) -> None:
    training_set = lesions(tmp_path / "set", 6, test=4)
    made = ready(training_set, segmenter, tmp_path / "out", settings=quick(sizes=(4, 0)))
    test = {c.name for c in training_set.cases if c.split == "test"}
    assert [len(plan) for plan in made.folds.values()] == [2, 1]
    for plan in made.folds.values():
        assert all({made.study.cases[i] for i in fold.test} == test for fold in plan)
    with pytest.raises(TrainingError, match="no test cases"):
        ready(lesions(tmp_path / "other", 3), segmenter, tmp_path / "out2", settings=quick(test="split"))
    with pytest.raises(TrainingError, match="too few cases for 40"):
        ready(training_set, segmenter, tmp_path / "out", settings=quick(sizes=(40,)))


def test_unlabelled_images_are_of_other_patients(segmenter: Path, tmp_path: Path) -> None:
    training_set = lesions(tmp_path / "set", 8, test=4)
    for name in [c.name for c in training_set.cases if c.split == "train"][:3]:
        training_set.change(name, label_class=None)
    made = ready(training_set, segmenter, tmp_path / "out")
    unit, study = made.units[0], made.study
    others = study.others(unit.arm.sources)
    assert others is not None and len(others) == 3
    table = study.table(unit.arm.sources)
    shown = _unlabelled(study, unit, table, seed=0)
    assert shown is not None
    used = {row.tobytes() for row in np.asarray(table.X)[np.concatenate([unit.fold.train, unit.fold.test])]}
    assert not used & {row.tobytes() for row in shown.X}
    assert len(shown) == len(training_set.cases) - len(unit.fold.train) - len(unit.fold.test)
    alone = quick(unlabelled=0)
    assert ready(training_set, segmenter, tmp_path / "out", settings=alone).study.others(("run",)) is None


def test_arms_are_chosen_by_name_family_and_speed() -> None:
    known = known_arms(("one", "two"), ("resnet18",))
    assert known[0].key == "linear@one"
    assert not any(a.slow for a in choose_arms(known, ["fast"]))
    assert choose_arms(known, ["all"]) == known
    assert {a.key for a in choose_arms(known, ["scratch"])} == {
        "scratch-encoder@one", "scratch-encoder@two", "scratch-resnet18", "scratch-densenet121",
    }  # fmt: skip
    assert [a.key for a in choose_arms(known, ["both-resnet18@two", "linear@one"])] == [
        "linear@one", "both-resnet18@two",
    ]  # fmt: skip
    with pytest.raises(TrainingError, match="no arm 'liner'"):
        choose_arms(known, ["liner"])
    with pytest.raises(TrainingError, match="imagenet-weights"):
        choose_arms(known_arms(("one",), ()), ["imagenet"])


def test_what_cannot_be_trained_is_told_and_tried_again(
    training_set: TrainingSet, segmenter: Path, tmp_path: Path
) -> None:
    made = ready(training_set, segmenter, tmp_path, "shape", "linear")
    names = made.study.place("table:run") / "names.json"
    rows = json.loads(names.read_text(encoding="utf-8"))
    X = np.load(made.study.place("table:run") / "X.npy")
    X[:, [r[0] == "shape" for r in rows].index(True)] = np.nan
    np.save(made.study.place("table:run") / "X.npy", X)
    result = run_ready(made)
    assert len(result.failures) == 4 and "not a finite number" in result.failures[0][3]
    assert result.unfinished == 4 and result.scores == ()
