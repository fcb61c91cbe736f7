"""Two models on the same folds of a training set: is the newer one better, or is that noise?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import ModelPackageError, TrainingError
from SegClassifyLib.evaluation.calibrate import held_out_probabilities
from SegClassifyLib.evaluation.comparison import Comparison, compare
from SegClassifyLib.evaluation.crossvalidate import held_out_logits
from SegClassifyLib.evaluation.folds import Fold, repeated_folds
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import CaseFeatures, FeatureTable
from SegClassifyLib.heads.base import check_trainable
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.package.decision import Decision
from SegClassifyLib.package.model import Model
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.background import background_cases, background_features
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.family import SegmenterFamily, open_family
from SegClassifyLib.training.honest_features import HonestFeatures, honest_features


@dataclass(frozen=True)
class Version:
    """A model to compare.

    Args:
        model: with a head.
        family: its segmenter with the fold segmenters that cases which trained it need.
    """

    model: Model
    family: SegmenterFamily


def version_of(model: Model, segmenters: Sequence[Path] = ()) -> Version:
    """A model, with fold segmenters where one of ``segmenters`` (what ``train-segmenter`` left) is its own."""
    for folder in segmenters:
        family = open_family(folder)
        if family.full.segmenter.fingerprint == model.segmenter.fingerprint:
            return Version(model, family)
    return Version(model, SegmenterFamily(model))


def compare_on_folds(
    training_set: TrainingSet,
    first: Version,
    second: Version,
    folds: int = 5,
    repeats: int = 3,
    seed: int = 0,
    device: str = "cpu",
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Train both heads anew on the same folds and ask both about the same held-out cases.

    A model is trained anew only on those cases of a fold's training part that it was made from, so that an older
    version with fewer cases is compared as what it was. Their classes are those the set says today.

    Args:
        training_set: its labelled training cases are the cases asked about.
        first, second: what is compared.
        folds, repeats: of the cross-validation, grouped by patient.
        seed: of folds, heads and the bootstrap.
        device, cache: of the features.
        progress: told of every case and fit; may cancel.

    Raises:
        ModelPackageError: a model without a classifier, or a fine-tuned one, which cannot be trained anew here.
        TrainingError: different classes, or too few cases that both may be asked about.
    """
    progress = progress or Progress()
    classes = _classes(training_set, first.model, second.model)
    labelled = [c for c in training_set.cases if c.trains_classifier]
    found = [
        honest_features(training_set, labelled, v.family, "crossfit", device, cache, progress)
        for v in (first, second)
    ]
    cases = [c for c in found[0].cases if c in found[1].cases]
    if not cases:
        raise TrainingError(
            f"No labelled case of {training_set.name} is left that neither segmenter was trained on: name the folders "
            "that train-segmenter left, with their fold segmenters, or compare on held-out cases."
        )
    y = np.array([classes.index(str(c.label_class)) for c in cases])
    groups = np.array([c.group_name for c in cases])
    check_trainable(y, groups, classes)
    plans = list(repeated_folds(y, groups, folds, repeats, seed, classes))
    others = background_cases(training_set, cases, ClassifierSettings().unlabelled)
    backgrounds = [
        background_features(training_set, others, v.model.segmenter, device, cache, progress)
        for v in (first, second)
    ]
    probabilities = [
        _out_of_fold(
            version.model,
            material,
            cases,
            y,
            groups,
            plans,
            seed,
            progress,
            background.table if background else None,
        )
        for version, material, background in zip((first, second), found, backgrounds, strict=True)
    ]
    names = _names(first.model, second.model)
    notes = _notes(training_set, names, (first.model, second.model), cases, len(labelled))
    return compare(
        names, y, probabilities[0], probabilities[1], groups, classes, [c.name for c in cases], seed, notes
    )


def _classes(training_set: TrainingSet, first: Model, second: Model) -> tuple[str, ...]:
    for model in (first, second):
        if model.head is None:
            raise ModelPackageError(
                f"{model.name} has no classifier: name models that train-classifier made."
            )
        if model.head.kind == "fine-tuned":
            raise ModelPackageError(
                f"The classifier of {model.name} is fine-tuned with its segmenter and cannot be trained anew on folds: "
                "compare on held-out cases."
            )
    used = {c.label_class for c in training_set.cases if c.label_class}
    if set(first.classes) != set(second.classes) or not used <= set(first.classes):
        told = "; ".join(
            f"{name} {', '.join(sorted(classes))}"
            for name, classes in (
                (first.name, first.classes),
                (second.name, second.classes),
                (training_set.name, used),
            )
        )
        raise TrainingError(f"Models are compared on the same classes, and here they differ ({told}).")
    return first.classes


def _out_of_fold(
    model: Model,
    material: HonestFeatures,
    cases: Sequence[Case],
    y: np.ndarray,
    groups: np.ndarray,
    plans: Sequence[Sequence[Fold]],
    seed: int,
    progress: Progress,
    background: FeatureTable | None,
) -> np.ndarray:
    """Probabilities ``(N, K)`` of heads that have not seen the case's patient, mean over the repeats."""
    decision = Decision(model)
    by_case: dict[str, CaseFeatures] = {
        c.name: f for c, f in zip(material.cases, material.features, strict=True)
    }
    table = decision.table([by_case[c.name] for c in cases])
    head = decision.head
    if isinstance(head, LinearHead):
        head = LinearHead(head.settings, background)
    fresh = head.fresh  # type: ignore[attr-defined] # linear and conv heads are learners
    own = _own(model, cases)
    logits = np.zeros((len(plans), len(y), int(y.max()) + 1))
    total, done = sum(map(len, plans)), 0
    for repeat, plan in enumerate(plans):
        for fold in plan:
            progress.report("Training anew", done, total, model.name)
            part = fold.train[own[fold.train]]
            if len(np.unique(y[part])) < logits.shape[2]:
                raise TrainingError(
                    f"{model.name} was made from too few cases of {len(cases)} that are compared on: a fold without "
                    "some class is left. Compare on held-out cases."
                )
            logits[repeat, fold.test] = held_out_logits(
                fresh(), table, y, groups, Fold(part, fold.test), seed + repeat
            )
            done += 1
    return np.asarray(held_out_probabilities(logits, y, groups).mean(0))


def _own(model: Model, cases: Sequence[Case]) -> np.ndarray:
    """Which cases ``(N,)`` bool the model was made from; all where it does not say."""
    known = set(model.provenance.classifier_images)
    return np.array([not known or c.image_hash in known for c in cases], bool)


def _names(first: Model, second: Model) -> tuple[str, str]:
    """Two different names, also for two versions of one model."""
    if first.name != second.name:
        return first.name, second.name
    return f"{first.name} ({_made(first)}, first)", f"{second.name} ({_made(second)}, second)"


def _made(model: Model) -> str:
    return model.provenance.created.replace("T", " ")[:16]


def _notes(
    training_set: TrainingSet,
    names: tuple[str, str],
    models: tuple[Model, Model],
    cases: Sequence[Case],
    labelled: int,
) -> tuple[str, ...]:
    own = [int(_own(m, cases).sum()) for m in models]
    notes = [
        f"Both were trained anew on the same folds of {training_set.name} and asked about the same {len(cases)} cases; "
        f"{names[0]} from {own[0]} of them, {names[1]} from {own[1]}."
    ]
    if len(cases) < labelled:
        notes.append(
            f"{labelled - len(cases)} cases that trained a segmenter, and have no fold segmenter, were left out."
        )
    return tuple(notes)
