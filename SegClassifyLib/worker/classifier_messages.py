"""What is said about trainings of classifiers, and about saving one as a model. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from SegClassifyLib.worker.model_messages import ModelInfo
from SegClassifyLib.worker.params import Params
from SegClassifyLib.worker.plain import PlainData
from SegClassifyLib.worker.score_messages import CaseAnswer, CaseDoubt, ScoreInfo

HEADS = ("auto", "linear", "conv", "fine-tuned")
SEEN = ("crossfit", "exclude", "include")


@dataclass(frozen=True)
class CurvePoint(PlainData):
    """Balanced accuracy with so many training cases; 95 % interval.

    Args:
        cases: how many trained.
        value, low, high: of the score.
    """

    cases: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassifierTrained(PlainData):
    """A classifier, and how good it is.

    Args:
        run: path of its package in the training set's folder; what ``save_model``, ``baseline`` … take.
        name: of the model.
        head: kind of classifier ("linear").
        classes: in order.
        cases, groups: that it was trained on.
        scores: balanced accuracy, accuracy, mean AUC.
        auc: of each class.
        how: how the scores were found, in words.
        confusion: cases of class i (row) that were given class j (column), by ``answers``.
        answers: of every training case.
        suspects: labels that look wrong, the surest first.
        suspects_note: why none can be suspected; else empty.
        doubtful: the least sure answers.
        curve: learning curve; empty where none was asked for or it was refused.
        outlook: sentences: what more cases would bring, or why that cannot be said.
        outlook_curve: the same as points: balanced accuracy with more cases than there are, with its band.
        warnings: sentences on why not to believe the numbers.
        notes: sentences on what was done.
        seconds: that it took.
    """

    run: str
    name: str
    head: str
    classes: tuple[str, ...]
    cases: int
    groups: int
    scores: tuple[ScoreInfo, ...]
    auc: tuple[ScoreInfo, ...]
    how: str
    confusion: tuple[tuple[int, ...], ...]
    answers: tuple[CaseAnswer, ...]
    suspects: tuple[CaseDoubt, ...]
    suspects_note: str
    doubtful: tuple[CaseDoubt, ...]
    curve: tuple[CurvePoint, ...]
    outlook: tuple[str, ...]
    outlook_curve: tuple[CurvePoint, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class TrainClassifierParams(Params[ClassifierTrained]):
    """``train_classifier``: a job; seconds where features are cached.

    Args:
        folder: of the training set.
        segmenter: path of a segmenter's run, or of any model package.
        name: of the model; the set's where empty.
        head: one of :data:`HEADS`.
        seen: one of :data:`SEEN`: what becomes of cases that trained the segmenter.
        further: numbers of further cases to look ahead to; empty: no learning curve.
        device: as in :class:`ClassifyParams`.
        seed: of everything random.
    """

    METHOD: ClassVar[str] = "train_classifier"
    ANSWER: ClassVar[Any] = ClassifierTrained

    folder: str
    segmenter: str
    name: str = ""
    head: str = "auto"
    seen: str = "crossfit"
    further: tuple[int, ...] = (50,)
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class LastClassifierParams(Params["tuple[ClassifierTrained, ...]"]):
    """``last_classifier``: what the set's last training of a classifier answered; empty if there was none."""

    METHOD: ClassVar[str] = "last_classifier"
    ANSWER: ClassVar[Any] = tuple[ClassifierTrained, ...]

    folder: str


@dataclass(frozen=True)
class SaveModelParams(Params[ModelInfo]):
    """``save_model``: a trained classifier under a name of its own among the user's models. An earlier one stays.

    Args:
        run: see :class:`ClassifierTrained`.
        name: for lists and menus.
        description: a few sentences; the first is shown in lists.
        models: the folder of models; empty: the user's.
    """

    METHOD: ClassVar[str] = "save_model"
    ANSWER: ClassVar[Any] = ModelInfo

    run: str
    name: str
    description: str
    models: str = ""
