"""What a classifier should beat, on the same cases and folds: shape descriptors alone, and a network from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.evaluation.comparison import Comparison, compare
from SegClassifyLib.evaluation.crossvalidate import ScoreIntervals, cross_validate, score_intervals
from SegClassifyLib.evaluation.folds import make_folds
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.package.model import Model
from SegClassifyLib.preprocessing.apply import preprocess
from SegClassifyLib.progress import Part, Progress
from SegClassifyLib.training.background import background_cases, background_features
from SegClassifyLib.training.classifier_run import TrainingRecord, family_at, segmenter_of
from SegClassifyLib.training.honest_features import honest_features
from SegClassifyLib.training.scratch import ScratchClassifier
from SegClassifyLib.training.settings import ScratchSettings

BaselineKind = Literal["shape", "scratch"]

SCRATCH_PHASE = "Training from scratch"
"""What :func:`.image_training.train_on_images` calls it."""


@dataclass(frozen=True)
class Baseline:
    """A simpler way beside the classifier.

    Args:
        name: in words.
        proba: out-of-fold probabilities ``(N, K)``.
        scores: with 95 % intervals.
        comparison: first the baseline, second the classifier; differences are the classifier's minus its.
    """

    name: str
    proba: np.ndarray
    scores: ScoreIntervals
    comparison: Comparison


def measure_baseline(
    kind: BaselineKind,
    model: Model,
    record: TrainingRecord,
    training_set: TrainingSet,
    cache: FeatureCache | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
    scratch: ScratchSettings | None = None,
) -> Baseline:
    """Cross-validate a simpler way on the cases and folds of a classifier's training.

    Args:
        kind: "shape": a linear head on shape and intensity of the predicted labels alone. "scratch": the segmenter's
            own encoder with fresh weights, trained on the images; the first repeat of the folds only, for it is slow.
        model, record: the classifier, as its training left it.
        training_set: has the images.
        cache, device: of features and networks.
        progress: told of every step; may cancel.
        scratch: how a network is trained from scratch.

    Raises:
        TrainingError: a case has changed since.
    """
    progress = progress or Progress()
    cases = record.found_in(training_set)
    if kind == "shape":
        name = "shape and intensity of the predicted labels only"
        proba = _shape(record, training_set, cases, cache, device, progress)
    else:
        name = "network trained from scratch"
        proba = _scratch(model, record, training_set, cases, scratch, device, progress)
    y, groups, seed = np.asarray(record.y), np.asarray(record.groups), record.settings.seed
    comparison = compare(
        (name, model.name), y, proba, np.asarray(record.proba), groups, record.classes, record.cases, seed
    )
    return Baseline(name, proba, score_intervals(y, proba, groups, seed), comparison)


def _shape(
    record: TrainingRecord,
    training_set: TrainingSet,
    cases: Sequence[Case],
    cache: FeatureCache | None,
    device: str,
    progress: Progress,
) -> np.ndarray:
    family = family_at(segmenter_of(record, training_set), training_set)
    material = honest_features(training_set, cases, family, record.settings.seen, device, cache, progress)
    if tuple(c.name for c in material.cases) != record.cases:
        raise TrainingError(
            f"The segmenter {family.full.name} was trained again after the classifier was: train the classifier again."
        )
    table = FeatureTable.stack(list(material.features)).about(record.settings.focus)
    table = replace(table, maps={}).columns(np.asarray([name.is_descriptor for name in table.names]))
    others = background_cases(training_set, cases, record.settings.unlabelled)
    background = background_features(training_set, others, family.full.segmenter, device, cache, progress)
    head = LinearHead(background=background.table if background else None)
    return cross_validate(
        head.fresh,
        table,
        np.asarray(record.y),
        np.asarray(record.groups),
        record.folds,
        record.repeats,
        record.settings.seed,
        progress,
        record.classes,
    ).proba


def _scratch(
    model: Model,
    record: TrainingRecord,
    training_set: TrainingSet,
    cases: Sequence[Case],
    settings: ScratchSettings | None,
    device: str,
    progress: Progress,
) -> np.ndarray:
    images = []
    for number, case in enumerate(cases):
        progress.report("Preparing images", number, len(cases), case.name)
        images.append(preprocess(training_set.load_image(case), model.segmenter.preprocessing).array)
    y, groups, seed = np.asarray(record.y), np.asarray(record.groups), record.settings.seed
    folds = make_folds(y, groups, record.folds, seed, record.classes)
    proba = np.zeros((len(y), len(record.classes)))
    for number, fold in enumerate(folds):
        classifier = ScratchClassifier(model.segmenter.network, settings)
        words = f"fold {number + 1} of {len(folds)}"
        part = Part(progress, SCRATCH_PHASE, number / len(folds), (number + 1) / len(folds), words)
        classifier.fit([images[i] for i in fold.train], y[fold.train], seed, part, device, groups[fold.train])
        proba[fold.test] = classifier.predict_proba([images[i] for i in fold.test])
    return proba
