"""Trainings of classifiers: ``train_classifier``, ``last_classifier``."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

from SegClassifyLib.atomic import write_text
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.caveats import caveats, plain_notes
from SegClassifyLib.training.classifier import TrainedClassifier, train_classifier
from SegClassifyLib.training.classifier_run import (
    RESULT,
    classifiers_folder,
    family_at,
    record_of,
    save_classifier_run,
)
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.family import SegmenterFamily
from SegClassifyLib.training.review import Review, review_classifier
from SegClassifyLib.worker.classifier_messages import HEADS, SEEN
from SegClassifyLib.worker.device_list import check_device
from SegClassifyLib.worker.plain import ShapeError
from SegClassifyLib.worker.predictions import CasePrediction, remember_predictions
from SegClassifyLib.worker.protocol import (
    CaseDoubt,
    ClassifierTrained,
    CurvePoint,
    LastClassifierParams,
    TrainClassifierParams,
)
from SegClassifyLib.worker.score_infos import case_answers, class_auc_infos, confusion_rows, score_infos
from SegClassifyLib.worker.segmenter_jobs import usable_segmenter

_STEPS = 5
"""Points of the curve of what further cases would bring."""


def train(params: TrainClassifierParams, progress: Progress) -> ClassifierTrained:
    """``train_classifier``."""
    began = time.monotonic()
    training_set, device = TrainingSet.open(params.folder), check_device(params.device)
    path = usable_segmenter(params.segmenter)
    settings = _settings(params)
    progress.report("Opening the model")
    family = family_at(path, training_set)
    cache = FeatureCache(training_set.features_folder)
    trained = train_classifier(training_set, family, settings, params.name, cache, device, progress)
    review = review_classifier(trained, _steps(params.further), progress=progress)
    progress.report("Saving")
    run = save_classifier_run(trained, record_of(trained, training_set, path, settings), training_set)
    result = _result(run, trained, review, family, params, time.monotonic() - began)
    with disk_errors(run, TrainingError):
        write_text(run.with_name(run.name + RESULT), json.dumps(result.to_json(), indent=1))
    remember_predictions(training_set, _predictions(result))
    return result


def last(params: LastClassifierParams) -> tuple[ClassifierTrained, ...]:
    """``last_classifier``."""
    parent = classifiers_folder(TrainingSet.open(params.folder))
    runs = sorted((p for p in parent.glob("*") if p.is_dir() and not p.name.startswith(".")), reverse=True)
    for run in runs:
        try:
            text = run.with_name(run.name + RESULT).read_text(encoding="utf-8")
            return (ClassifierTrained.from_json(json.loads(text)),)
        except (OSError, ValueError, ShapeError):  # killed before it was written, or by another version
            continue
    return ()


def _settings(params: TrainClassifierParams) -> ClassifierSettings:
    for what, value, known in (
        ("classifier", params.head, HEADS),
        ("way with seen cases", params.seen, SEEN),
    ):
        if value not in known:
            raise TrainingError(f"There is no {what} {value!r}: choose one of {', '.join(known)}.")
    return ClassifierSettings.model_validate({"head": params.head, "seen": params.seen, "seed": params.seed})


def _steps(further: tuple[int, ...]) -> tuple[int, ...]:
    """The numbers of further cases asked for, and some on the way to the last of them."""
    if not further:
        return ()
    last = max(further)
    return tuple(sorted({*further, *(max(1, round(last * k / _STEPS)) for k in range(1, _STEPS + 1))}))


def _result(
    run: Path,
    trained: TrainedClassifier,
    review: Review,
    family: SegmenterFamily,
    params: TrainClassifierParams,
    seconds: float,
) -> ClassifierTrained:
    model, validation = trained.model, trained.validation
    assert model.head is not None
    classes, curve = model.classes, review.curve
    outlook = [o for o in curve.outlook if o.further in params.further] if curve is not None else []
    sentences = [o.sentence for o in outlook] + (
        [curve.refusal] if curve is not None and curve.refusal else []
    )
    return ClassifierTrained(
        run=str(run.absolute()),
        name=model.name,
        head=model.head.kind,
        classes=classes,
        cases=len(trained.cases),
        groups=len(np.unique(trained.groups)),
        scores=score_infos(validation.intervals),
        auc=class_auc_infos(classes, review.auc),
        how=next((s.how for s in model.provenance.scores if not s.metric.startswith("Dice")), ""),
        confusion=confusion_rows(validation.scores.confusion),
        answers=case_answers(trained.cases, classes, trained.y, validation.proba),
        suspects=tuple(
            CaseDoubt(trained.cases[s.index], s.sentence, classes[s.suggested])
            for s in review.doubts.suspects
        ),
        suspects_note=review.doubts.note,
        doubtful=tuple(CaseDoubt(trained.cases[d.index], d.sentence) for d in review.doubts.doubtful),
        curve=tuple(
            _point(p.cases, p.balanced_accuracy) for p in (curve.points if curve is not None else ())
        ),
        outlook=tuple(sentences),
        outlook_curve=tuple(
            _point(len(trained.cases) + o.further, o.reached)
            for o in (curve.outlook if curve is not None else ())
            if np.isfinite([o.reached.value, o.reached.low, o.reached.high]).all()
        ),
        warnings=caveats(trained, family, params.seen),
        notes=plain_notes(trained),
        seconds=seconds,
    )


def _point(cases: int, interval: Interval) -> CurvePoint:
    return CurvePoint(cases, float(interval.value), float(interval.low), float(interval.high))


def _predictions(result: ClassifierTrained) -> dict[str, CasePrediction]:
    return {a.case: CasePrediction(a.predicted, max(a.probabilities), result.name) for a in result.answers}
