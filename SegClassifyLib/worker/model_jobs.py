"""What is done with a trained model: baselines beside it, saving, comparing, evaluating, choosing the next cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from SegClassifyLib.annotation.next_case import Suggestion, next_cases
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.classify.held_out import HeldOut, evaluate_held_out
from SegClassifyLib.errors import ModelPackageError, TrainingError
from SegClassifyLib.evaluation.comparison import Comparison, ScoreDifference
from SegClassifyLib.evaluation.intervals import class_auc_intervals
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.package.library import models_folder
from SegClassifyLib.package.store import open_package
from SegClassifyLib.package.versions import save_version
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.baselines import measure_baseline
from SegClassifyLib.training.classifier_run import known_segmenters, read_record
from SegClassifyLib.training.compare import compare_on_folds, version_of
from SegClassifyLib.worker.comparison_messages import BASELINES
from SegClassifyLib.worker.device_list import check_device
from SegClassifyLib.worker.model_list import model_info
from SegClassifyLib.worker.predictions import CasePrediction, remember_predictions
from SegClassifyLib.worker.protocol import (
    BaselineParams,
    BaselineResult,
    CaseDoubt,
    CompareModelsParams,
    EvaluateModelParams,
    EvaluationInfo,
    ModelComparison,
    ModelInfo,
    NextCasesParams,
    SaveModelParams,
    ScorePair,
    SuggestedCase,
    SuggestedCases,
)
from SegClassifyLib.worker.score_infos import (
    case_answers,
    class_auc_infos,
    confusion_rows,
    score_info,
    score_infos,
)


def baseline(params: BaselineParams, progress: Progress) -> BaselineResult:
    """``baseline``."""
    if params.kind not in BASELINES:
        raise TrainingError(f"There is no baseline {params.kind!r}: choose one of {', '.join(BASELINES)}.")
    training_set, device = TrainingSet.open(params.folder), check_device(params.device)
    progress.report("Opening the model")
    record, model = read_record(Path(params.run)), open_package(params.run)
    found = measure_baseline(
        "shape" if params.kind == "shape" else "scratch",
        model,
        record,
        training_set,
        _cache(training_set),
        device,
        progress,
    )
    return BaselineResult(
        kind=params.kind,
        name=found.name,
        scores=score_infos(found.scores),
        difference=score_info("balanced accuracy", found.comparison.scores[0].difference),
        sentence=found.comparison.sentence,
    )


def save_model(params: SaveModelParams) -> ModelInfo:
    """``save_model``."""
    if not params.name.strip():
        raise ModelPackageError("The model needs a name: type one.")
    model = open_package(params.run)
    named = replace(
        model, name=params.name.strip(), description=params.description.strip() or model.description
    )
    return model_info(save_version(named, params.models or models_folder()))


def compare_models(params: CompareModelsParams, progress: Progress) -> ModelComparison:
    """``compare_models``."""
    training_set, device = TrainingSet.open(params.folder), check_device(params.device)
    progress.report("Opening the model")
    segmenters = known_segmenters(training_set, (params.first, params.second))
    first, second = (version_of(open_package(path), segmenters) for path in (params.first, params.second))
    found = compare_on_folds(
        training_set,
        first,
        second,
        seed=params.seed,
        device=device,
        cache=_cache(training_set),
        progress=progress,
    )
    return _comparison(found)


def evaluate_model(params: EvaluateModelParams, progress: Progress) -> EvaluationInfo:
    """``evaluate_model``."""
    training_set = TrainingSet.open(params.folder)
    progress.report("Opening the model")
    classifier = Classifier.open(params.model, check_device(params.device))
    if not classifier.model.classes:
        raise ModelPackageError(
            f"{classifier.model.name} has no classifier: choose a model that has one, or train one."
        )
    found = evaluate_held_out(classifier, training_set, progress=progress)
    return EvaluationInfo(
        model=classifier.model.name,
        classes=found.classes,
        cases=len(found.names),
        scores=score_infos(found.intervals),
        auc=class_auc_infos(found.classes, class_auc_intervals(found.y, found.proba, found.groups)),
        confusion=confusion_rows(found.scores.confusion),
        answers=case_answers(found.names, found.classes, found.y, found.proba),
        notes=_evaluation_notes(found),
    )


def suggest_cases(params: NextCasesParams, progress: Progress) -> SuggestedCases:
    """``next_cases``."""
    if params.count < 1:
        raise TrainingError(f"{params.count} cases cannot be named: ask for one or more.")
    training_set, device = TrainingSet.open(params.folder), check_device(params.device)
    progress.report("Opening the model")
    model = open_package(params.model)
    images = Path(params.images) if params.images else None
    found = next_cases(model, training_set, images, params.count, device, _cache(training_set), progress)
    own = [s for s in found.suggestions if s.origin == "set"]
    if own:
        remember_predictions(training_set, {s.name: _prediction(s, found.classes, model.name) for s in own})
    return SuggestedCases(
        suggestions=tuple(_suggested(s) for s in found.suggestions),
        classes=found.classes,
        candidates=found.candidates,
        notes=tuple(f"{name} was left out: {why}" for name, why in found.skipped),
    )


def _cache(training_set: TrainingSet) -> FeatureCache:
    return FeatureCache(training_set.features_folder)


def _comparison(found: Comparison) -> ModelComparison:
    first, second = found.names
    return ModelComparison(
        first=first,
        second=second,
        scores=tuple(_pair(s) for s in found.scores),
        sentence=found.sentence,
        notes=found.notes,
        disagreements=tuple(
            CaseDoubt(d.case, f"{d.case} ({d.truth}): {first} says {d.first}, {second} says {d.second}.")
            for d in found.disagreements
        ),
    )


def _pair(score: ScoreDifference) -> ScorePair:
    return ScorePair(
        score_info(score.metric, score.first),
        score_info(score.metric, score.second),
        score_info(score.metric, score.difference),
    )


def _evaluation_notes(found: HeldOut) -> tuple[str, ...]:
    notes = [f"{name} could not be classified and counts in no score: {why}" for name, why in found.failures]
    if found.left_out:
        notes.insert(
            0, f"{len(found.left_out)} test cases were left out, because the model was trained on them."
        )
    return tuple(notes)


def _prediction(suggestion: Suggestion, classes: tuple[str, ...], model: str) -> CasePrediction:
    best = int(np.argmax(suggestion.probabilities))
    return CasePrediction(classes[best], suggestion.probabilities[best], model)


def _suggested(suggestion: Suggestion) -> SuggestedCase:
    return SuggestedCase(
        name=suggestion.name,
        in_set=suggestion.origin == "set",
        images=tuple(str(path.absolute()) for path in suggestion.paths),
        group=suggestion.group,
        probabilities=suggestion.probabilities,
        reason=suggestion.reason,
    )
