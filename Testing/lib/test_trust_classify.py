"""Through the whole: a trained model says what it cannot rule out, and which image it should not be asked about."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner
from untrained import fresh_family, slice_set

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.classify.promises import check_promises
from SegClassifyLib.cli.main import app
from SegClassifyLib.evaluation.reliability import reliability
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.package.card import model_card
from SegClassifyLib.package.store import save_package
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.classifier import TrainedClassifier, train_classifier
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.volumes.image import Image
from SegClassifyLib.worker.classify_job import classify_case
from SegClassifyLib.worker.protocol import ClassifyParams, FileSource
from SegClassifyLib.worker.warm import WarmClassifier


@pytest.fixture(scope="module")
def training_set(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return slice_set(tmp_path_factory.mktemp("trust") / "set", classified=10, test=2)


@pytest.fixture(scope="module")
def trained(training_set: TrainingSet) -> TrainedClassifier:
    settings = ClassifierSettings(head="linear", repeats=1)
    cache = FeatureCache(training_set.features_folder)
    return train_classifier(training_set, fresh_family(), settings, "Lesions", cache)


@pytest.fixture(scope="module")
def noisy(training_set: TrainingSet) -> Image:
    image = training_set.load_image(next(c for c in training_set.cases if c.split == "test"))
    noise = np.random.default_rng(0).normal(size=image.array.shape) * np.ptp(image.array)
    return Image((image.array + noise).astype(np.float32), image.geometry)


def test_a_training_knows_how_far_it_may_be_believed(trained: TrainedClassifier) -> None:
    found = trained.reliability
    assert found == reliability(trained.y, trained.validation.proba, trained.groups)
    assert len(trained.observations) == len(trained.cases) == 20 and trained.observations[0].texture
    assert trained.segmenter_knew is False
    trust = trained.model.trust
    assert trust is not None and trust.answers is not None and trust.novelty is not None
    assert len(trust.answers.heads) == 5 and len(trust.answers.y) == 20
    assert list(trust.novelty.distances) == ["network", "look"]
    assert not any("rules such a class out" in note for note in trained.notes)


def test_cases_that_the_segmenter_knew_are_no_yardstick_for_its_features(training_set: TrainingSet) -> None:
    knew = frozenset(str(c.image_hash) for c in training_set.cases[:3])
    settings = ClassifierSettings(head="linear", repeats=1, seen="include")
    cache = FeatureCache(training_set.features_folder)
    trained = train_classifier(training_set, fresh_family(knew), settings, "Lesions", cache)
    assert trained.segmenter_knew is True
    assert trained.model.trust is not None and trained.model.trust.novelty is not None
    assert list(trained.model.trust.novelty.distances) == ["look"]


def test_an_image_is_answered_with_a_set_and_a_place_among_the_training_cases(
    trained: TrainedClassifier, training_set: TrainingSet
) -> None:
    classifier = Classifier(trained.model, "cpu")
    image = training_set.load_image(next(c for c in training_set.cases if c.split == "test"))
    result = classifier.classify(image)
    assert result.prediction_set[0] == result.predicted
    assert set(result.prediction_set) <= set(result.classes)
    assert result.confidence == 0.9
    assert result.novelty is not None and 0 <= result.novelty <= 95 and not result.novel
    assert result.promised == 0.9 and "at 90 % confidence" in result.sentence


def test_a_noisy_image_is_called_unlike_the_training_cases(trained: TrainedClassifier, noisy: Image) -> None:
    result = Classifier(trained.model, "cpu").classify(noisy)
    assert result.novel and result.novelty is not None and result.novelty == 100
    assert "less like the training cases" in result.warnings[0] and "or noise" in result.warnings[0]
    assert result.sentence.startswith("Unlike the training cases")
    assert result.prediction_set and result.promised is None and result.set_sentence == ""
    assert "confidence" not in result.sentence, "a set promises nothing for such an image"
    told = result.to_json()
    assert (told["novel"], told["confidence"]) == (True, None)
    assert told["prediction_set"] == list(result.prediction_set)
    usual = replace(result, novel=False)
    assert usual.promised == 0.9 and usual.set_sentence in usual.sentence
    assert usual.set_sentence.startswith("at 90 % confidence")


def test_the_command_writes_sets_and_novelty(
    trained: TrainedClassifier, training_set: TrainingSet, noisy: Image, tmp_path: Path
) -> None:
    package = save_package(trained.model, tmp_path / "model")
    usual = training_set.image_paths(next(c for c in training_set.cases if c.split == "test"))[0]
    sitk.WriteImage(sitk.GetImageFromArray(noisy.array[0]), str(tmp_path / "noisy.nrrd"))
    arguments = ["classify", str(package), str(usual), str(tmp_path / "noisy.nrrd")]
    found = CliRunner().invoke(
        app, [*arguments, "-o", str(tmp_path / "out"), "--no-overlay", "--device", "cpu", "--json"]
    )
    assert found.exit_code == 0, found.output
    first, second = json.loads(found.stdout)["results"]
    assert first["prediction_set"] and first["confidence"] == 0.9 and first["novel"] is False
    assert second["novel"] is True and second["novelty_percentile"] == 100
    assert second["prediction_set"] and second["confidence"] is None
    with (tmp_path / "out" / "results.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [r["novel"] for r in rows] == ["no", "yes"]
    assert rows[0]["prediction set"] == " or ".join(first["prediction_set"])
    assert rows[1]["prediction set"] == " or ".join(second["prediction_set"]), "the raw set, beside the flag"
    assert "Do not rely on the probabilities" in rows[1]["warnings"]
    said = CliRunner().invoke(
        app, [*arguments, "-o", str(tmp_path / "out"), "--no-overlay", "--device", "cpu"]
    )
    text = {line.split(":")[0]: line for line in said.stdout.splitlines() if not line.startswith(" ")}
    assert "at 90 % confidence" in text[first["name"]]
    assert "Unlike the training cases" in text["noisy"] and "confidence" not in text["noisy"]
    assert float(rows[1]["novelty percentile"]) == pytest.approx(second["novelty_percentile"], abs=0.1)


def test_the_worker_tells_the_set_in_words_where_it_promises_something(
    trained: TrainedClassifier, training_set: TrainingSet, noisy: Image, tmp_path: Path
) -> None:
    package = save_package(trained.model, tmp_path / "model")
    usual = training_set.image_paths(next(c for c in training_set.cases if c.split == "test"))[0]
    sitk.WriteImage(sitk.GetImageFromArray(noisy.array[0]), str(tmp_path / "noisy.nrrd"))
    warm = WarmClassifier()
    told, unlike = (
        classify_case(
            ClassifyParams(str(package), (FileSource(str(path)),), str(tmp_path), path.stem, "cpu"),
            warm,
            Progress(),
        )
        for path in (usual, tmp_path / "noisy.nrrd")
    )
    assert told.set_sentence.startswith("at 90 % confidence") and told.confidence == 0.9
    assert told.set_sentence in told.sentence
    assert unlike.novel and unlike.prediction_set, "the raw set stays"
    assert (unlike.set_sentence, unlike.confidence) == ("", None)


def test_sets_of_images_unlike_the_training_cases_are_not_counted_as_promises(
    trained: TrainedClassifier, training_set: TrainingSet
) -> None:
    usual = Classifier(trained.model, "cpu").classify(training_set.load_image(training_set.cases[0]))
    one, other = trained.model.classes
    kept = replace(usual, prediction_set=(one,), novelty=50.0, novel=False)
    unlike = replace(kept, prediction_set=(one, other), novelty=100.0, novel=True)
    y, proba = np.array([0, 0, 1, 1]), np.full((4, 2), 0.5)
    believed = reliability(y, proba, np.arange(4))
    found = check_promises(y, [kept, kept, kept, unlike], believed, trained.model.classes)
    assert found.covered is not None and found.covered.value == pytest.approx(2 / 3)
    assert [i.value for i in found.by_class if i is not None] == [1.0, 0.0]
    assert found.set_size == 1 and found.flagged is not None and found.flagged.value == 0.25
    assert "promise nothing and are not counted" in found.sentences(trained.model.classes)[-1]
    none = check_promises(y, [unlike] * 4, believed, trained.model.classes)
    assert none.covered is None and none.by_class == (None, None)
    assert "not counted" not in " ".join(none.sentences(trained.model.classes))
    without = replace(kept, prediction_set=())
    assert check_promises(y, [without] * 4, believed, trained.model.classes).covered is None


def test_the_card_says_how_far_to_trust_the_model(trained: TrainedClassifier) -> None:
    card = model_card(trained.model)
    assert "90 % confidence" in card and "unlike the training cases" in card
    assert "expected calibration error" in card


def test_an_evaluation_checks_what_was_promised(
    trained: TrainedClassifier, training_set: TrainingSet, tmp_path: Path
) -> None:
    package = save_package(trained.model, tmp_path / "model")
    command = ["evaluate", str(package), str(training_set.folder), "--device", "cpu"]
    found = CliRunner().invoke(app, [*command, "--json", "--report", str(tmp_path / "report.html")])
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    sets, classifier = told["prediction_sets"], Classifier(trained.model, "cpu")
    test = [c for c in training_set.cases if c.split == "test"]
    answers = [classifier.classify(training_set.load_image(c)) for c in test]
    held = [c.label_class in a.prediction_set for c, a in zip(test, answers, strict=True) if not a.novel]
    assert sets["confidence"] == 0.9 and sets["covered"]["value"] == np.mean(held)
    assert set(sets["covered_by_class"]) == set(trained.model.classes)
    assert told["flagged_novel"]["low"] <= told["flagged_novel"]["value"] <= told["flagged_novel"]["high"]
    assert 0 <= told["calibration_error"]["value"] <= 1
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Whether it can be believed" in page and "Prediction sets, promised to hold" in page
