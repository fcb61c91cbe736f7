"""After a training: AUC of each class, doubts and learning curve, the same from the library and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner
from untrained import fresh_family, slice_set

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.main import app
from SegClassifyLib.evaluation.doubts import find_doubts
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.package.store import save_package
from SegClassifyLib.training.classifier import TrainedClassifier, train_classifier
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.review import review_classifier

FAMILY = fresh_family()


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return slice_set(tmp_path_factory.mktemp("review") / "set", classified=8)


@pytest.fixture(scope="module")
def trained(slices: TrainingSet) -> TrainedClassifier:
    settings = ClassifierSettings(head="linear", seed=3)
    return train_classifier(slices, FAMILY, settings, "Lesions", FeatureCache(slices.folder / ".features"))


def test_auc_and_doubts_are_those_of_the_validation(trained: TrainedClassifier) -> None:
    found = review_classifier(trained, (), most_doubtful=3)
    for k, interval in enumerate(found.auc):
        assert interval.value == pytest.approx(roc_auc_score(trained.y == k, trained.validation.proba[:, k]))
        assert interval.low <= interval.value <= interval.high
    classes = trained.model.classes
    assert found.doubts == find_doubts(trained.validation, trained.y, trained.cases, classes, 3)
    assert found.curve is None


def test_a_curve_needs_a_head_that_is_quick_to_train(trained: TrainedClassifier) -> None:
    found = review_classifier(trained, (8,)).curve
    assert found is not None
    assert found.seed == 3 and [p.cases for p in found.points] == sorted(p.cases for p in found.points)
    assert np.isfinite([p.balanced_accuracy.value for p in found.points]).all()
    assert bool(found.refusal) != bool(found.outlook)
    foreign = replace(trained, validation=replace(trained.validation, seed=99))
    assert review_classifier(foreign, (8,)).curve == found, "what the validation knows is not asked again"
    assert trained.model.head is not None
    tuned = replace(trained.model, head=replace(trained.model.head, kind="fine-tuned"))
    refused = review_classifier(replace(trained, model=tuned), (8,)).curve
    assert refused is not None
    assert refused.points == () and "takes too long" in refused.refusal


def test_the_command_prints_what_the_library_finds(
    slices: TrainingSet, trained: TrainedClassifier, tmp_path: Path
) -> None:
    segmenter = save_package(FAMILY.full, tmp_path / "segmenter")
    places = [str(slices.folder), str(segmenter), str(tmp_path / "model")]
    plain = ["train-classifier", *places, "--head", "linear", "--seed", "3", "--device", "cpu", "--replace"]
    command = [*plain, "--further", "8"]
    run = CliRunner().invoke(app, [*command, "--json"])
    assert run.exit_code == 0, run.output
    content, known = json.loads(run.stdout), review_classifier(trained, (8,))
    assert known.curve is not None
    assert [p["low"] for p in content["learning_curve"]["points"]] == [
        p.balanced_accuracy.low for p in known.curve.points
    ]
    assert [s["sentence"] for s in content["suspect_labels"]] == [s.sentence for s in known.doubts.suspects]
    assert content["doubtful_cases"][0]["sentence"] == known.doubts.doubtful[0].sentence
    assert content["auc"][trained.model.classes[1]]["high"] == known.auc[1].high
    shown = CliRunner().invoke(app, command)
    assert shown.exit_code == 0 and known.doubts.doubtful[0].sentence in shown.output
    assert "Learning curve, balanced accuracy: " in shown.output
    without = CliRunner().invoke(app, plain)
    assert without.exit_code == 0 and "learning curve" not in without.output.lower()


def test_what_is_not_defined_is_null_for_programs() -> None:
    from SegClassifyLib.cli.review import interval_json
    from SegClassifyLib.evaluation.intervals import Interval

    assert interval_json(Interval(0.5, float("nan"), 0.75)) == {"value": 0.5, "low": None, "high": 0.75}
