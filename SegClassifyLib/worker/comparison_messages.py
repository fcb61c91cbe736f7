"""What is said of a model beside simpler ways, beside another model and on test cases. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from SegClassifyLib.worker.params import Params
from SegClassifyLib.worker.plain import PlainData
from SegClassifyLib.worker.score_messages import CaseAnswer, CaseDoubt, ScoreInfo

BASELINES = ("shape", "scratch")


@dataclass(frozen=True)
class BaselineResult(PlainData):
    """A simpler way on the same folds.

    Args:
        kind: one of :data:`BASELINES`.
        name: in words.
        scores: as in :class:`ClassifierTrained`.
        difference: balanced accuracy of the classifier minus that of the baseline, paired.
        sentence: what that means.
    """

    kind: str
    name: str
    scores: tuple[ScoreInfo, ...]
    difference: ScoreInfo
    sentence: str


@dataclass(frozen=True)
class BaselineParams(Params[BaselineResult]):
    """``baseline``: a job; "shape" takes seconds, "scratch" minutes.

    Args:
        folder: of the training set.
        run: see :class:`ClassifierTrained`.
        kind: one of :data:`BASELINES`.
        device: as in :class:`ClassifyParams`.
    """

    METHOD: ClassVar[str] = "baseline"
    ANSWER: ClassVar[Any] = BaselineResult

    folder: str
    run: str
    kind: str
    device: str = "auto"


@dataclass(frozen=True)
class ScorePair(PlainData):
    """A score of two models on the same cases, and second minus first, paired."""

    first: ScoreInfo
    second: ScoreInfo
    difference: ScoreInfo


@dataclass(frozen=True)
class ModelComparison(PlainData):
    """Two models on the same folds.

    Args:
        first, second: their names.
        scores: of both.
        sentence: whether the difference is more than noise.
        notes: sentences on what was compared.
        disagreements: cases that one answers rightly and the other wrongly.
    """

    first: str
    second: str
    scores: tuple[ScorePair, ...]
    sentence: str
    notes: tuple[str, ...]
    disagreements: tuple[CaseDoubt, ...]


@dataclass(frozen=True)
class CompareModelsParams(Params[ModelComparison]):
    """``compare_models``: a job. ``first`` and ``second`` are paths of model packages or classifier runs."""

    METHOD: ClassVar[str] = "compare_models"
    ANSWER: ClassVar[Any] = ModelComparison

    folder: str
    first: str
    second: str
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class EvaluationInfo(PlainData):
    """A model on the set's test cases.

    Args:
        model: its name.
        classes: in order.
        cases: how many.
        scores: balanced accuracy, accuracy, mean AUC.
        auc: of each class.
        confusion: rows are true classes.
        answers: of every case.
        notes: sentences: cases that the model was trained on, and such.
    """

    model: str
    classes: tuple[str, ...]
    cases: int
    scores: tuple[ScoreInfo, ...]
    auc: tuple[ScoreInfo, ...]
    confusion: tuple[tuple[int, ...], ...]
    answers: tuple[CaseAnswer, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class EvaluateModelParams(Params[EvaluationInfo]):
    """``evaluate_model``: a job: the set's test cases, classified by a model package or classifier run."""

    METHOD: ClassVar[str] = "evaluate_model"
    ANSWER: ClassVar[Any] = EvaluationInfo

    folder: str
    model: str
    device: str = "auto"
