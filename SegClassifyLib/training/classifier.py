"""Training a classifier on a segmenter's features, with an honest estimate of how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.evaluation.calibrate import fit_calibration
from SegClassifyLib.evaluation.crossvalidate import CrossValidation, cross_validate
from SegClassifyLib.evaluation.reliability import Reliability, reliability
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.auto import Choice, choose_head
from SegClassifyLib.heads.base import check_trainable
from SegClassifyLib.heads.conv import ConvHead
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.provenance import ClassCount, Provenance, Score, software_versions
from SegClassifyLib.package.reference import summarise
from SegClassifyLib.progress import Progress
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training.background import background_cases, background_features
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.family import SegmenterFamily
from SegClassifyLib.training.finetune import FineTuner
from SegClassifyLib.training.honest_features import HonestFeatures, honest_features
from SegClassifyLib.training.trust import learn_trust, trust_notes
from SegClassifyLib.trust.trust import Trust
from SegClassifyLib.volumes.observation import Observation

AnyHead = LinearHead | ConvHead | FineTuner


@dataclass(frozen=True)
class TrainedClassifier:
    """A model and what is known of it.

    Args:
        model: ready to be saved and used.
        prototype: an unfitted head like that of the model, to train it on other cases.
        validation: patient-grouped cross-validation of the head that was chosen.
        choice: how the head was chosen; ``None`` when the user named it.
        cases: names of the training cases, in the order of ``validation.proba``.
        y: their classes, ``(N,)`` int.
        table: their features, in the same order.
        groups: their groups, ``(N,)``.
        notes: sentences on what was done and how far to believe it.
        reliability: whether the held-out probabilities mean what they say.
        observations: what the images of the cases were like, in the same order.
        segmenter_knew: some of the cases also trained the segmenter (and are cross-fitted, or flatter).
    """

    model: Model
    prototype: AnyHead
    validation: CrossValidation
    choice: Choice | None
    cases: tuple[str, ...]
    y: np.ndarray
    groups: np.ndarray
    table: FeatureTable
    notes: tuple[str, ...]
    reliability: Reliability
    observations: tuple[Observation, ...]
    segmenter_knew: bool


def train_classifier(
    training_set: TrainingSet,
    family: SegmenterFamily,
    settings: ClassifierSettings | None = None,
    name: str = "",
    cache: FeatureCache | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> TrainedClassifier:
    """Train on the set's labelled training cases.

    Args:
        training_set: cases with a class, whose role is not "segmenter" and whose split is "train".
        family: the segmenter, with its fold segmenters where there are some.
        settings: head, cross-fitting, folds, seed.
        name: of the model; the training set's name where empty.
        cache: of features; without one every case is run through the network again.
        device: "cpu", "cuda" or "mps".

    Raises:
        TrainingError: too few cases; the sentence says which class needs more.
        ImageError: an image cannot be read.
    """
    settings, progress = settings or ClassifierSettings(), progress or Progress()
    labelled = [c for c in training_set.cases if c.trains_classifier]
    material = honest_features(training_set, labelled, family, settings.seen, device, cache, progress)
    classes = training_set.classes
    y, groups = _targets(material, classes)
    whole = FeatureTable.stack(list(material.features))
    table = _focused(whole, settings.focus, family.full.segmenter)
    background = None
    if settings.head in ("auto", LinearHead.kind):
        others = background_cases(training_set, material.cases, settings.unlabelled)
        background = background_features(training_set, others, family.full.segmenter, device, cache, progress)
    rows = background.table if background else None
    heads = _candidates(training_set, material, family.full.segmenter, settings, device, rows)
    choice = None
    if len(heads) > 1:
        choice = choose_head(heads, table, y, groups, seed=settings.seed, progress=progress)
        prototype = next(h for h in heads if h.kind == choice.kind)
    else:
        prototype = heads[0]
    repeats = settings.repeats_for(prototype.kind)
    # Maps are most of a table, and are copied for every fold.
    seen = replace(table, maps={}) if prototype.kind == LinearHead.kind else table
    validation = cross_validate(
        prototype.fresh, seen, y, groups, settings.folds, repeats, settings.seed, progress, classes
    )
    head = choice.head if choice else prototype.fresh().fit(seen, y, groups, settings.seed, progress)
    trust = learn_trust(material, whole, validation, y, groups, prototype.kind, settings.seed, background)
    notes = (
        *material.notes,
        *_helped(head, rows),
        *_believable(y, groups, classes),
        *trust_notes(trust, classes),
        *([choice.reason] if choice else []),
    )
    calibrated = reliability(y, validation.proba, groups, seed=settings.seed)
    model = _model(
        training_set, family, settings, name, material, head, validation, calibrated, trust, notes, device
    )
    return TrainedClassifier(
        model,
        prototype,
        validation,
        choice,
        tuple(c.name for c in material.cases),
        y,
        groups,
        table,
        notes,
        calibrated,
        tuple(f.observation for f in material.features),
        bool(material.known),
    )


def _targets(material: HonestFeatures, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    if not material.cases and material.left_out:
        raise TrainingError(
            f"All {len(material.left_out)} labelled cases trained the segmenter, so their features would flatter: "
            "train the segmenter with cross-fitting, or label cases that it has not seen."
        )
    y = np.asarray([classes.index(str(c.label_class)) for c in material.cases], dtype=np.int64)
    groups = np.asarray([c.group_name for c in material.cases])
    check_trainable(y, groups, classes)
    return y, groups


def _focused(table: FeatureTable, focus: Sequence[str], segmenter: Segmenter) -> FeatureTable:
    known = [label.name for label in segmenter.labels]
    strange = [name for name in focus if name not in known]
    if strange:
        raise TrainingError(f"The segmenter has no label {strange[0]!r}: it has {', '.join(known)}.")
    return table.about(focus)


def _candidates(
    training_set: TrainingSet,
    material: HonestFeatures,
    segmenter: Segmenter,
    settings: ClassifierSettings,
    device: str,
    background: FeatureTable | None,
) -> list[AnyHead]:
    def tuner() -> FineTuner:
        if material.flattering or any("fold segmenters" in note for note in material.notes):
            raise TrainingError(
                "Fine-tuning needs cases that did not train the segmenter: choose to exclude such cases, or the "
                "linear head."
            )
        images = [training_set.load_image(c) for c in material.cases]
        return FineTuner(segmenter, images, device, settings.fine_tune)

    if settings.head == "linear":
        return [LinearHead(background=background)]
    if settings.head == "conv":
        return [ConvHead()]
    if settings.head == "fine-tuned":
        return [tuner()]
    heads: list[AnyHead] = [LinearHead(background=background), ConvHead()]
    if device != "cpu" and len(material.cases) >= settings.fine_tune_from and not material.notes:
        heads.append(tuner())
    return heads


def _helped(head: AnyHead, background: FeatureTable | None) -> list[str]:
    if background is None or not isinstance(head, LinearHead):
        return []
    return [f"{len(background)} other images, whose class was not looked at, showed how features vary."]


def _believable(y: np.ndarray, groups: np.ndarray, classes: Sequence[str]) -> list[str]:
    """Sentences on numbers that cannot be believed."""
    thin = [c for k, c in enumerate(classes) if len(np.unique(groups[y == k])) < 5]
    if not thin:
        return []
    return [f"Fewer than five patients in {', '.join(thin)}: the estimate may be far off."]


def _model(
    training_set: TrainingSet,
    family: SegmenterFamily,
    settings: ClassifierSettings,
    name: str,
    material: HonestFeatures,
    head: AnyHead,
    validation: CrossValidation,
    calibrated: Reliability,
    trust: Trust,
    notes: tuple[str, ...],
    device: str,
) -> Model:
    classes = tuple(training_set.classes)
    y = np.asarray([classes.index(str(c.label_class)) for c in material.cases])
    full = family.full
    segmenter = head.tuned if isinstance(head, FineTuner) else full.segmenter
    counts = tuple(
        ClassCount(
            name=label,
            cases=int((y == k).sum()),
            groups=len({c.group_name for c in material.cases if c.label_class == label}),
        )
        for k, label in enumerate(classes)
    )
    how = (
        f"{len(validation.per_repeat)} x {validation.folds}-fold cross-validation by patient, 95 % interval by "
        "bootstrap over patients"
    )
    provenance = Provenance(
        data_set=training_set.name,
        data_hash=training_set.content_hash(),
        counts=counts,
        segmenter_cases=full.provenance.segmenter_cases,
        segmenter_images=full.provenance.segmenter_images,
        classifier_images=tuple(sorted(str(c.image_hash) for c in material.cases)),
        cross_fitting=" ".join(notes),
        seed=settings.seed,
        software=software_versions(),
        device=device,
        scores=(
            *_scores(validation, calibrated, how),
            *(s for s in full.provenance.scores if s.metric.startswith("Dice")),
        ),
        settings={"classifier": settings.model_dump(mode="json"), **full.provenance.settings},
        licence=training_set.document.licence,
    )
    calibration = fit_calibration(validation.logits, y)
    reference = summarise([f.observation for f in material.features], training_set.channels)
    return replace(
        full,
        name=name or training_set.name,
        description=f"Tells {_listed(classes)} apart in the images of {training_set.name}.",
        segmenter=segmenter,
        head=head.to_state(),
        classes=classes,
        temperature=calibration.temperature,
        doubt=calibration.doubt,
        training=reference.model_copy(update={"labels": full.training.labels}),
        provenance=provenance,
        trust=trust,
    )


def _scores(validation: CrossValidation, calibrated: Reliability, how: str) -> list[Score]:
    intervals = validation.intervals
    rows = (
        ("balanced accuracy", intervals.balanced_accuracy),
        ("accuracy", intervals.accuracy),
        ("AUC (one against the rest, mean)", intervals.macro_auc),
        ("expected calibration error of the probabilities", calibrated.error),
    )
    return [
        Score(metric=metric, value=i.value, low=i.low, high=i.high, how=how)
        for metric, i in rows
        if np.isfinite([i.value, i.low, i.high]).all()
    ]


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" and {words[-1]}"
