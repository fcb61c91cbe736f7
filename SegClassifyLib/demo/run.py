"""The whole way on made-up heads: make them, train, classify unseen ones, compare with what one would do instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.classify.batch import Outcome, classify_many
from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.devices import resolve_device
from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.evaluation.crossvalidate import ScoreIntervals, score_intervals
from SegClassifyLib.evaluation.intervals import Interval, paired_difference
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.store import save_package
from SegClassifyLib.phantoms.sets import Counts, write_head_set
from SegClassifyLib.preprocessing.apply import preprocess
from SegClassifyLib.progress import Laps, Progress
from SegClassifyLib.training.classifier import TrainedClassifier, train_classifier
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.scratch import ScratchClassifier
from SegClassifyLib.training.segmenter_from_set import TrainedFamily, train_segmenter_from_set
from SegClassifyLib.training.segmenter_plan import SegmenterPlan
from SegClassifyLib.training.settings import AugmentationSettings, ScratchSettings, SegmenterSettings

OURS = "segmenter features"
SHAPE = "shape of the predicted labels only"
SCRATCH = "network trained from scratch"
FOCUS = "tumour"
"""The types differ in the tumour, so features are read in and round it."""


@dataclass(frozen=True)
class DemoSettings:
    """How large and how long.

    Args:
        counts: heads of each class.
        shape: of every head, array order.
        epochs: of the segmenter, 50 steps each.
        scratch_steps: of the from-scratch network.
        seed: of everything.
    """

    counts: Counts = Counts(segmented=10, classified=12, test=12)
    shape: tuple[int, int, int] = (48, 56, 48)
    epochs: int = 11
    scratch_steps: int = 100
    seed: int = 0


@dataclass(frozen=True)
class Arm:
    """One way to classify the test heads, trained on the same cases as the others.

    Args:
        proba: ``(N, K)`` on the test heads.
        scores: with 95 % intervals.
        behind: our balanced accuracy minus this one's, paired, with its 95 % interval; ``None`` for ours.
    """

    proba: np.ndarray
    scores: ScoreIntervals
    behind: Interval | None


@dataclass(frozen=True)
class DemoResult:
    """All that the report shows."""

    folder: Path
    training_set: TrainingSet
    segmenter: TrainedFamily
    classifier: TrainedClassifier
    package: Path
    outcomes: tuple[Outcome, ...]
    truth: np.ndarray
    arms: dict[str, Arm]
    seconds: dict[str, float]
    settings: DemoSettings


def run_demo(
    folder: Path, settings: DemoSettings | None = None, device: str = "auto", progress: Progress | None = None
) -> DemoResult:
    """Run everything and leave training set, model package and classified heads in ``folder``.

    Raises:
        SegClassifyError: ``folder`` is not empty.
    """
    settings, progress = settings or DemoSettings(), progress or Progress()
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()):
        raise SegClassifyError(f"{folder} is not empty: delete it, or choose another folder with --output.")
    where, clock = resolve_device(device), Laps()
    training_set = write_head_set(
        folder / "heads", settings.counts, settings.seed, settings.shape, progress=progress
    )
    clock.lap("making the heads")
    plan = _segmenter_plan(training_set, settings)
    family = train_segmenter_from_set(
        training_set, folder / "segmenter", plan, "Head segmenter", where, progress
    )
    clock.lap("training the segmenter")
    trained = train_classifier(
        training_set,
        family.family,
        ClassifierSettings(head="linear", focus=(FOCUS,), seed=settings.seed),
        "Tumour type",
        FeatureCache(training_set.features_folder),
        where,
        progress,
    )
    package = save_package(trained.model, folder / "model")
    clock.lap("training the classifier")
    test = [c for c in training_set.cases if c.split == "test"]
    paths = [tuple(training_set.image_paths(c)) for c in test]
    classifier = Classifier.open(package, where)
    outcomes = tuple(classify_many(classifier, paths, folder / "classified", progress=progress))
    clock.lap("classifying the test heads")
    truth = np.asarray([training_set.classes.index(str(c.label_class)) for c in test])
    probabilities = {
        OURS: np.stack([o.result.probabilities for o in outcomes if o.result is not None]),
        SHAPE: _shape_only(trained, outcomes, settings.seed),
        SCRATCH: _from_scratch(training_set, trained, paths, classifier, settings, where, progress),
    }
    clock.lap("baselines")
    arms = _arms(probabilities, truth, settings.seed)
    return DemoResult(
        folder, training_set, family, trained, package, outcomes, truth, arms, clock.seconds, settings
    )


def _segmenter_plan(training_set: TrainingSet, settings: DemoSettings) -> SegmenterPlan:
    """A slim network on small patches: what two processor cores train in a minute or two."""
    network = NetworkSpec(
        name="VNetDS",
        ndim=3,
        in_channels=len(training_set.channels),
        out_channels=len(training_set.labels),
        arguments={"base_filters": 8, "num_blocks": [1, 2, 2, 2]},
    )
    training = SegmenterSettings(
        epochs=settings.epochs,
        steps_per_epoch=50,
        patch=(32, 32, 32),
        learning_rate=1e-2,
        foreground=0.8,
        augmentation=AugmentationSettings(spatial_share=0.2, intensity_share=0.1),
        seed=settings.seed,
    )
    return SegmenterPlan(network=network, training=training)


def _shape_only(trained: TrainedClassifier, outcomes: tuple[Outcome, ...], seed: int) -> np.ndarray:
    """The same linear head on nothing but the shape of the labels that the segmenter predicts."""
    names = [name for name in trained.table.names if name.source == "shape"]
    head = LinearHead().fit(trained.table.select(names), trained.y, trained.groups, seed=seed)
    test = FeatureTable.stack([o.result.features for o in outcomes if o.result is not None])
    return head.predict_proba(test.select(names))


def _from_scratch(
    training_set: TrainingSet,
    trained: TrainedClassifier,
    paths: list[tuple[Path, ...]],
    classifier: Classifier,
    settings: DemoSettings,
    device: str,
    progress: Progress,
) -> np.ndarray:
    """The same encoder with fresh weights, trained on the same images and classes."""
    segmenter = classifier.model.segmenter
    by_name = {c.name: c for c in training_set.cases}
    images = [
        preprocess(training_set.load_image(by_name[name]), segmenter.preprocessing).array
        for name in trained.cases
    ]
    unseen = [preprocess(classifier.read(p), segmenter.preprocessing).array for p in paths]
    scratch = ScratchClassifier(segmenter.network, ScratchSettings(steps=settings.scratch_steps))
    scratch.fit(images, trained.y, settings.seed, progress, device)
    return scratch.predict_proba(unseen)


def _arms(probabilities: dict[str, np.ndarray], truth: np.ndarray, seed: int) -> dict[str, Arm]:
    groups = np.arange(len(truth))
    ours = probabilities[OURS]
    return {
        name: Arm(
            proba,
            score_intervals(truth, proba, groups, seed),
            None
            if name == OURS
            else paired_difference(truth, ours, proba, groups, "balanced_accuracy", seed=seed),
        )
        for name, proba in probabilities.items()
    }
