"""The whole chain on small 2D phantoms: train, cross-fit, classify, evaluate, through the API and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.cli.main import app
from SegClassifyLib.errors import ImageError, TrainingError
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.package.store import save_package
from SegClassifyLib.phantoms.sets import Counts, write_slice_set
from SegClassifyLib.training import segmenter_from_set
from SegClassifyLib.training.classifier import TrainedClassifier, train_classifier
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.family import SegmenterFamily, open_family
from SegClassifyLib.training.finetune_settings import FineTuneSettings
from SegClassifyLib.training.honest_features import honest_features, image_source
from SegClassifyLib.training.segmenter_from_set import train_segmenter_from_set
from SegClassifyLib.training.segmenter_plan import SegmenterPlan
from SegClassifyLib.training.settings import SegmenterSettings
from SegClassifyLib.volumes.read import read_image, read_label_map

PLAN = SegmenterPlan.model_validate(
    {
        "network": {
            "name": "VNetDS",
            "ndim": 2,
            "in_channels": 1,
            "out_channels": 2,
            "arguments": {"base_filters": 4, "num_blocks": [1, 1, 2]},
        },
        "training": {"epochs": 4, "steps_per_epoch": 15, "batch": 4, "learning_rate": 0.01},
    }
)
LINEAR = ClassifierSettings(head="linear", repeats=1, folds=3)


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    """Round and spiculated lesions: some to segment, some to classify, some for both, some for the test."""
    folder = tmp_path_factory.mktemp("slices")
    return write_slice_set(folder / "set", Counts(segmented=4, classified=8, both=6, test=4), shape=(64, 64))


@pytest.fixture(scope="module")
def family(slices: TrainingSet) -> SegmenterFamily:
    """Trained with cross-fitting, because some cases train both."""
    return train_segmenter_from_set(slices, slices.folder.parent / "segmenter", PLAN).family


@pytest.fixture(scope="module")
def trained(slices: TrainingSet, family: SegmenterFamily) -> TrainedClassifier:
    return train_classifier(slices, family, LINEAR, cache=FeatureCache(slices.folder.parent / "cache"))


@pytest.fixture(scope="module")
def package(trained: TrainedClassifier, slices: TrainingSet) -> Path:
    return save_package(trained.model, slices.folder.parent / "model")


def test_folds_hold_out_every_case_that_trains_both(slices: TrainingSet, family: SegmenterFamily) -> None:
    both = {c.image_hash for c in slices.cases if c.segmentation and c.label_class and c.split == "train"}
    assert len(family.folds) == 3
    assert both == set().union(*(fold.held_out for fold in family.folds))
    for fold in family.folds:
        assert not fold.held_out & set(fold.model.provenance.segmenter_images)
        assert fold.held_out <= family.seen
    test = {c.image_hash for c in slices.cases if c.split == "test"}
    assert not test & family.seen


def test_the_family_on_disk_is_the_family(slices: TrainingSet, family: SegmenterFamily) -> None:
    opened = open_family(slices.folder.parent / "segmenter")
    assert opened.full.segmenter.fingerprint == family.full.segmenter.fingerprint
    assert [f.held_out for f in opened.folds] == [f.held_out for f in family.folds]


def test_seen_cases_get_translated_features_or_are_left_out(
    slices: TrainingSet, family: SegmenterFamily
) -> None:
    labelled = [c for c in slices.cases if c.trains_classifier]
    both = [c for c in labelled if c.segmentation]
    crossfit = honest_features(slices, labelled, family, "crossfit")
    excluded = honest_features(slices, labelled, family, "exclude")
    included = honest_features(slices, labelled, family, "include")
    assert len(crossfit.cases) == len(included.cases) == len(labelled)
    assert set(excluded.left_out) == {c.name for c in both}
    assert included.flattering and not crossfit.flattering
    seen = {c.name for c in both}
    for case, honest, known in zip(labelled, crossfit.features, included.features, strict=True):
        assert np.allclose(honest.vector, known.vector) == (case.name not in seen)
    lone = SegmenterFamily(family.full)
    assert set(honest_features(slices, labelled, lone, "crossfit").left_out) == seen


def test_translation_brings_features_nearer(slices: TrainingSet, family: SegmenterFamily) -> None:
    from SegClassifyLib.training.crossfit import learn_translation

    fold = family.folds[0].model.segmenter
    cases = [image_source(slices, c) for c in slices.cases]
    mine, full = (FeatureExtractor(s).extract(cases) for s in (fold, family.full.segmenter))
    half = len(cases) // 2
    translation = learn_translation(mine[:half], full[:half])
    taps = np.asarray([n.source in ("bottleneck", "decoder0", "decoder1") for n in full[0].names])
    spread = np.stack([f.vector for f in full]).std(0) + 1e-6

    def distance(found: list) -> float:  # type: ignore[type-arg]
        return float(
            np.mean(
                [
                    np.abs((a.vector - b.vector) / spread)[taps]
                    for a, b in zip(found, full[half:], strict=True)
                ]
            )
        )

    assert distance([translation.apply(f) for f in mine[half:]]) < 0.7 * distance(mine[half:])


def test_classifier_beats_guessing_and_says_where_it_comes_from(
    trained: TrainedClassifier, slices: TrainingSet
) -> None:
    provenance = trained.model.provenance
    assert provenance.data_hash == slices.content_hash()
    assert [c.cases for c in provenance.counts] == [14, 14]
    assert trained.validation.scores.balanced_accuracy > 0.6
    assert any("fold segmenters" in note for note in trained.notes)
    assert all(s.low is None or s.low <= s.value <= (s.high or 1) for s in provenance.scores)


def test_same_seed_same_classifier(
    slices: TrainingSet, family: SegmenterFamily, trained: TrainedClassifier
) -> None:
    again = train_classifier(slices, family, LINEAR)
    assert again.model.head is not None and trained.model.head is not None
    for name, array in trained.model.head.arrays.items():
        assert np.array_equal(array, again.model.head.arrays[name]), name


def test_adding_a_case_runs_the_network_once(
    slices: TrainingSet, family: SegmenterFamily, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cache = FeatureCache(tmp_path)
    runs = []
    run = FeatureExtractor.run
    monkeypatch.setattr(FeatureExtractor, "run", lambda self, *a: runs.append(1) or run(self, *a))
    cases = [image_source(slices, c) for c in slices.cases[:5]]
    extractor = FeatureExtractor(family.full.segmenter, cache=cache)
    first = extractor.extract(cases)
    assert len(runs) == 5
    second = FeatureExtractor(family.full.segmenter, cache=FeatureCache(tmp_path)).extract(
        [*cases, image_source(slices, slices.cases[5])]
    )
    assert len(runs) == 6
    assert all(
        np.array_equal(a.vector, b.vector) and a.names == b.names for a, b in zip(first, second, strict=False)
    )
    assert all(a.observation == b.observation for a, b in zip(first, second, strict=False))
    other = family.folds[0].model.segmenter
    FeatureExtractor(other, cache=FeatureCache(tmp_path)).extract(cases[:1])
    assert len(runs) == 7, "other weights must not find these features"
    damaged = next(tmp_path.glob("*.npz"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    everything = [image_source(slices, c) for c in slices.cases[:6]]
    FeatureExtractor(family.full.segmenter, cache=FeatureCache(tmp_path)).extract(everything)
    FeatureExtractor(other, cache=FeatureCache(tmp_path)).extract(cases[:1])
    assert len(runs) == 8


def test_other_code_versions_do_not_find_cached_features(
    slices: TrainingSet, family: SegmenterFamily, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from SegClassifyLib.features import cache as module

    cache = FeatureCache(tmp_path)
    features = FeatureExtractor(family.full.segmenter, cache=cache).extract(
        [image_source(slices, slices.cases[0])]
    )[0]
    known = slices.cases[0].image_hash
    assert known is not None
    found = cache.get(known, family.full.segmenter)
    assert found is not None and np.array_equal(found.vector, features.vector)
    monkeypatch.setattr(module, "FEATURE_VERSION", 99)
    assert cache.get(known, family.full.segmenter) is None


def test_fine_tuned_model_is_one_package_and_one_pass(
    slices: TrainingSet, family: SegmenterFamily, tmp_path: Path
) -> None:
    settings = ClassifierSettings(
        head="fine-tuned",
        seen="exclude",
        folds=2,
        repeats=1,
        fine_tune=FineTuneSettings(epochs=2, network_rate=1e-3),
    )
    result = train_classifier(slices, family, settings)
    assert result.model.head is not None and result.model.head.kind == "fine-tuned"
    assert result.model.segmenter.fingerprint != family.full.segmenter.fingerprint
    opened = Classifier.open(save_package(result.model, tmp_path / "tuned"))
    test = next(c for c in slices.cases if c.split == "test")
    answer = opened.classify(slices.image_paths(test))
    assert answer.probabilities.sum() == pytest.approx(1)
    with pytest.raises(TrainingError, match="Fine-tuning needs cases"):
        train_classifier(slices, family, settings.model_copy(update={"seen": "crossfit"}))


def test_classify_gives_labels_on_the_image_and_named_features(package: Path, slices: TrainingSet) -> None:
    classifier = Classifier.open(package)
    test = [c for c in slices.cases if c.split == "test"]
    right = 0
    for case in test:
        result = classifier.classify(slices.image_paths(case))
        image = slices.load_image(case)
        assert result.label_map.geometry == image.geometry
        assert len(result.features.names) == len(set(result.features.names)) == len(result.features.vector)
        right += result.predicted == case.label_class
        assert sum(result.probabilities) == pytest.approx(1)
    assert right >= 3, "worse than guessing"
    with pytest.raises(ImageError, match=r"2 image\(s\) given where .* needs 1"):
        classifier.classify([*slices.image_paths(test[0]), *slices.image_paths(test[1])])


def test_noise_is_warned_about(package: Path, tmp_path: Path) -> None:
    import SimpleITK as sitk

    rng = np.random.default_rng(0)
    image = sitk.GetImageFromArray((rng.random((300, 300)) * 60000).astype(np.uint16))
    sitk.WriteImage(image, str(tmp_path / "noise.png"))
    result = Classifier.open(package).classify([tmp_path / "noise.png"])
    assert any("grey values" in w for w in result.warnings)
    assert any("covers" in w for w in result.warnings)


def test_too_few_cases_is_a_sentence(slices: TrainingSet, family: SegmenterFamily, tmp_path: Path) -> None:
    few = write_slice_set(tmp_path / "few", Counts(segmented=1, classified=1, test=0), shape=(64, 64), seed=5)
    with pytest.raises(TrainingError, match="one case"):
        train_classifier(few, family, LINEAR)
    with pytest.raises(TrainingError, match="no case with a corrected segmentation"):
        for case in few.cases:
            few.change(case.name, segmentation=None)
        segmenter_from_set.train_segmenter_from_set(few, tmp_path / "out", PLAN)


def test_command_goes_on_after_a_bad_image(package: Path, slices: TrainingSet, tmp_path: Path) -> None:
    good = [str(slices.image_paths(c)[0]) for c in slices.cases if c.split == "test"][:2]
    bad = tmp_path / "broken.png"
    bad.write_bytes(b"no picture")
    command = ["classify", str(package), good[0], str(bad), good[1], "-o", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(app, [*command, "--features"])
    assert result.exit_code == 3, result.output
    content = json.loads(result.stdout)
    assert [r["image"] for r in content["results"]] == good
    assert "broken.png" in content["failures"][0]["error"]
    for entry in content["results"]:
        label_map = read_label_map(Path(entry["segmentation"]))
        assert [x.name for x in label_map.labels if x.value] == ["lesion"]
        assert label_map.array.squeeze().shape == read_image(Path(entry["image"])).array.shape[1:]
        assert (tmp_path / "out" / f"{entry['name']}_overlay.png").stat().st_size > 5000
        assert (
            len(json.loads((tmp_path / "out" / f"{entry['name']}_features.json").read_text(encoding="utf-8")))
            > 50
        )
    assert len((tmp_path / "out" / "results.csv").read_text(encoding="utf-8").splitlines()) == 4
    only_bad = CliRunner().invoke(app, ["classify", str(package), str(bad), "-o", str(tmp_path / "none")])
    assert only_bad.exit_code == 1
    assert not list((tmp_path / "none").glob("broken*"))


def test_evaluate_leaves_out_what_trained_the_model(
    package: Path, slices: TrainingSet, tmp_path: Path
) -> None:
    command = [
        "evaluate",
        str(package),
        str(slices.folder),
        "--json",
        "--report",
        str(tmp_path / "report.html"),
    ]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["cases"] == 8
    everything = json.loads(CliRunner().invoke(app, [*command, "--cases", "all"]).stdout)
    assert everything["cases"] == 8 and len(everything["left_out"]) == 28
    assert "balanced accuracy" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_commands_train_what_the_api_trains(
    slices: TrainingSet, family: SegmenterFamily, tmp_path: Path
) -> None:
    short = PLAN.model_copy(update={"folds": 0, "training": SegmenterSettings(epochs=1, batch=2)})
    plan = tmp_path / "plan.json"
    plan.write_text(short.model_dump_json(), encoding="utf-8")
    run = CliRunner().invoke(
        app, ["train-segmenter", str(slices.folder), str(tmp_path / "seg"), "--config", str(plan), "--json"]
    )
    assert run.exit_code == 0, run.output
    assert Path(json.loads(run.stdout)["package"]).is_dir()
    segmenter, cache = str(slices.folder.parent / "segmenter"), str(slices.folder.parent / "cache")
    places = [str(slices.folder), segmenter, str(tmp_path / "model")]
    command = ["train-classifier", *places, "--head", "linear", "--cache", cache]
    run = CliRunner().invoke(app, [*command, "--json"])
    assert run.exit_code == 0, run.output
    assert json.loads(run.stdout)["cases"] == 28
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 1 and "model" in again.output


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["classify", "no-such-model", "x.png"], "no model"),
        (["evaluate", "no-such-model", "."], "dataset.json"),
        (["train-classifier", ".", "x", "y"], "dataset.json"),
    ],
)
def test_errors_are_sentences(
    command: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert words in result.output.replace("\n", " ") and "Traceback" not in result.output


def test_focus_uses_only_what_is_read_in_and_round_a_label(
    slices: TrainingSet, family: SegmenterFamily, tmp_path: Path
) -> None:
    result = train_classifier(slices, family, LINEAR.model_copy(update={"focus": ("lesion",)}))
    assert {name.region for name in result.table.names} == {"lesion", "margin of lesion"}
    opened = Classifier.open(save_package(result.model, tmp_path / "focused"))
    test = next(c for c in slices.cases if c.split == "test")
    assert opened.classify(slices.image_paths(test)).probabilities.sum() == pytest.approx(1)
    with pytest.raises(TrainingError, match="no label 'liver'"):
        train_classifier(slices, family, LINEAR.model_copy(update={"focus": ("liver",)}))
