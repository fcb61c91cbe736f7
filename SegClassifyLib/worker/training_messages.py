"""The methods of trainings, and the phases that their jobs name. Standard library only."""

from __future__ import annotations

from typing import Any

from SegClassifyLib.worker.classifier_messages import (
    LastClassifierParams,
    SaveModelParams,
    TrainClassifierParams,
)
from SegClassifyLib.worker.comparison_messages import BaselineParams, CompareModelsParams, EvaluateModelParams
from SegClassifyLib.worker.next_case_messages import NextCasesParams
from SegClassifyLib.worker.params import Params
from SegClassifyLib.worker.segmenter_messages import (
    KeepSegmenterParams,
    PlanSegmenterParams,
    SegmenterRunsParams,
    TrainSegmenterParams,
)

TRAINING_PHASES = (
    "Starting",
    "Opening the model",
    "Planning",
    "Preparing images",
    "Looking at the cases",
    "Training the segmenter",
    "Reading features",
    "Comparing classifiers",
    "Training the linear classifier",
    "Training the conv classifier",
    "Fine-tuning",
    "Cross-validating",
    "Drawing the learning curve",
    "Training from scratch",
    "Training anew",
    "Classifying",
    "Looking at cases",
    "Looking at cases without a class",
    "Saving",
)
"""Every phase that :class:`.job_messages.JobProgress` names for :data:`TRAINING_JOBS`."""

TRAINING_JOBS: tuple[type[Params[Any]], ...] = (
    PlanSegmenterParams,
    TrainSegmenterParams,
    TrainClassifierParams,
    BaselineParams,
    CompareModelsParams,
    EvaluateModelParams,
    NextCasesParams,
)
"""Methods that wait for the one job that computes."""

TRAINING_ERRANDS: tuple[type[Params[Any]], ...] = (
    SegmenterRunsParams,
    KeepSegmenterParams,
    LastClassifierParams,
    SaveModelParams,
)
"""Those that are done beside it."""
