"""The methods of trainings, one to the module that does it."""

from __future__ import annotations

from SegClassifyLib.progress import Progress
from SegClassifyLib.worker import classifier_jobs, model_jobs, segmenter_jobs
from SegClassifyLib.worker.protocol import (
    BaselineParams,
    BaselineResult,
    ClassifierTrained,
    CompareModelsParams,
    EvaluateModelParams,
    EvaluationInfo,
    KeepSegmenterParams,
    LastClassifierParams,
    ModelComparison,
    ModelInfo,
    NextCasesParams,
    PlanSegmenterParams,
    SaveModelParams,
    SegmenterOutlook,
    SegmenterRun,
    SegmenterRunsParams,
    SuggestedCases,
    TrainClassifierParams,
    TrainSegmenterParams,
)
from SegClassifyLib.worker.reporter import Reporter


class TrainingMethods:
    """Every method of :data:`.training_messages.TRAINING_JOBS` and ``TRAINING_ERRANDS``, by its name."""

    def plan_segmenter(self, params: PlanSegmenterParams, reporter: Reporter) -> SegmenterOutlook:
        """``plan_segmenter``."""
        return segmenter_jobs.plan_segmenter(params, reporter)

    def train_segmenter(self, params: TrainSegmenterParams, reporter: Reporter) -> SegmenterRun:
        """``train_segmenter``."""
        return segmenter_jobs.train_segmenter(params, reporter)

    def segmenter_runs(self, params: SegmenterRunsParams, _progress: Progress) -> tuple[SegmenterRun, ...]:
        """``segmenter_runs``."""
        return segmenter_jobs.segmenter_runs(params)

    def keep_segmenter(self, params: KeepSegmenterParams, _progress: Progress) -> SegmenterRun:
        """``keep_segmenter``."""
        return segmenter_jobs.keep_segmenter(params)

    def train_classifier(self, params: TrainClassifierParams, progress: Progress) -> ClassifierTrained:
        """``train_classifier``."""
        return classifier_jobs.train(params, progress)

    def last_classifier(
        self, params: LastClassifierParams, _progress: Progress
    ) -> tuple[ClassifierTrained, ...]:
        """``last_classifier``."""
        return classifier_jobs.last(params)

    def baseline(self, params: BaselineParams, progress: Progress) -> BaselineResult:
        """``baseline``."""
        return model_jobs.baseline(params, progress)

    def save_model(self, params: SaveModelParams, _progress: Progress) -> ModelInfo:
        """``save_model``."""
        return model_jobs.save_model(params)

    def compare_models(self, params: CompareModelsParams, progress: Progress) -> ModelComparison:
        """``compare_models``."""
        return model_jobs.compare_models(params, progress)

    def evaluate_model(self, params: EvaluateModelParams, progress: Progress) -> EvaluationInfo:
        """``evaluate_model``."""
        return model_jobs.evaluate_model(params, progress)

    def next_cases(self, params: NextCasesParams, progress: Progress) -> SuggestedCases:
        """``next_cases``."""
        return model_jobs.suggest_cases(params, progress)
