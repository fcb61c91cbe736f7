"""What is said about trainings: segmenters, classifiers, baselines, comparisons, next cases. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from SegClassifyLib.worker.model_messages import ModelInfo
from SegClassifyLib.worker.params import Params
from SegClassifyLib.worker.plain import PlainData
from SegClassifyLib.worker.wire import Notification

HEADS = ("auto", "linear", "conv", "fine-tuned")
SEEN = ("crossfit", "exclude", "include")
BASELINES = ("shape", "scratch")

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
"""Every phase that :class:`.job_messages.JobProgress` names for the methods of this module."""


@dataclass(frozen=True)
class EpochInfo(PlainData):
    """One epoch of a segmenter's training.

    Args:
        part: "" for the segmenter itself, "fold 1 of 3" … for those of the cross-fitting.
        epoch: 1 for the first.
        loss: mean of the epoch.
        dice: on held-out cases, by label name; labels of no such case are missing.
        seconds: of this part's training so far.
    """

    part: str
    epoch: int
    loss: float
    dice: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class EpochDone(PlainData):
    """The notification ``epoch``: an epoch of the training whose request had ``id`` has ended."""

    METHOD: ClassVar[str] = "epoch"

    id: int | str
    epoch: EpochInfo

    def notification(self) -> Notification:
        """The notification to send."""
        return Notification(self.METHOD, self.to_json())


@dataclass(frozen=True)
class ScoreInfo(PlainData):
    """A number with its 95 % interval; ``low`` and ``high`` are ``None`` where it has none.

    Args:
        name: "balanced accuracy", "accuracy", "AUC of glioma" …
        value: of the score; ``None`` where it is not defined.
        low, high: ends of the interval.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SegmenterOutlook(PlainData):
    """What a training would do if nothing else is said.

    Args:
        cases: with a segmentation that may train it.
        network: name of the network.
        grid: voxels of the median case on the model grid, D, H, W or H, W.
        patch: voxels, D, H, W or H, W.
        spacing: mm of the model grid, in the order of ``grid``; empty where images are fitted into it.
        folds: fold segmenters for cross-fitting.
        sentence: all this in words.
        networks: names of the networks that can be chosen.
    """

    cases: int
    network: str
    grid: tuple[int, ...]
    patch: tuple[int, ...]
    spacing: tuple[float, ...]
    folds: int
    sentence: str
    networks: tuple[str, ...]


@dataclass(frozen=True)
class PlanSegmenterParams(Params[SegmenterOutlook]):
    """``plan_segmenter``: look at the images and choose. A job."""

    METHOD: ClassVar[str] = "plan_segmenter"
    ANSWER: ClassVar[Any] = SegmenterOutlook

    folder: str


@dataclass(frozen=True)
class SegmenterRun(PlainData):
    """A training of a segmenter, whatever became of it.

    Args:
        path: its folder; what :class:`TrainSegmenterParams` resumes and a classifier is trained on.
        name: of the segmenter.
        state: "running" (here or in another process), "paused" (cancelled or killed; can go on), "finished".
        started: day and time, local, "2026-03-01 14:05".
        package: path of the model package; empty where there is none yet.
        usable: whether a classifier can be trained on it (finished, or kept).
        can_keep: whether an epoch was completed, so that ``keep_segmenter`` can make the best so far usable.
        dice: of the best epoch, by label name.
        epochs: of all its parts, in order.
        sentence: state in words ("paused after 12 minutes, Dice 0.71").
    """

    path: str
    name: str
    state: str
    started: str
    package: str
    usable: bool
    can_keep: bool
    dice: dict[str, float]
    epochs: tuple[EpochInfo, ...]
    sentence: str


@dataclass(frozen=True)
class SegmenterRunsParams(Params["tuple[SegmenterRun, ...]"]):
    """``segmenter_runs``: the trainings of a set's segmenters, the newest first."""

    METHOD: ClassVar[str] = "segmenter_runs"
    ANSWER: ClassVar[Any] = tuple[SegmenterRun, ...]

    folder: str


@dataclass(frozen=True)
class TrainSegmenterParams(Params[SegmenterRun]):
    """``train_segmenter``: a job that may take hours; a notification ``epoch`` after every epoch.

    Cancelled or killed, it is a paused run.

    Args:
        folder: of the training set.
        resume: path of a paused run to go on with, as it was begun; everything below but ``device`` is then ignored.
        name: of the segmenter; the set's name with "segmenter" where empty.
        start_from: path of a model package or run whose weights to start from; empty: from nothing.
        network: empty: chosen from the data.
        patch: voxels, D, H, W or H, W; empty: chosen from the data.
        minutes: budget of the whole, fold segmenters included; 0: ``epochs`` counts.
        epochs: budget of each part; 0: 40 unless ``minutes`` is given.
        folds: fold segmenters for cross-fitting; ``None``: chosen from the data.
        device: as in :class:`ClassifyParams`.
        seed: of everything random.
    """

    METHOD: ClassVar[str] = "train_segmenter"
    ANSWER: ClassVar[Any] = SegmenterRun

    folder: str
    resume: str = ""
    name: str = ""
    start_from: str = ""
    network: str = ""
    patch: tuple[int, ...] = ()
    minutes: float = 0.0
    epochs: int = 0
    folds: int | None = None
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class KeepSegmenterParams(Params[SegmenterRun]):
    """``keep_segmenter``: make the best so far of a paused run usable; it can still go on."""

    METHOD: ClassVar[str] = "keep_segmenter"
    ANSWER: ClassVar[Any] = SegmenterRun

    folder: str
    run: str


@dataclass(frozen=True)
class CaseAnswer(PlainData):
    """What the classifier said of a training case it had not seen (mean over the repeats of cross-validation).

    Args:
        case: its name.
        class_name: the class it has.
        predicted: the class it was given.
        probabilities: of every class.
    """

    case: str
    class_name: str
    predicted: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class CaseDoubt(PlainData):
    """A case to look at, and why.

    Args:
        case: its name.
        sentence: why.
        looks_like: for a label that looks wrong: the class it looks like; else empty.
    """

    case: str
    sentence: str
    looks_like: str = ""


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


@dataclass(frozen=True)
class SuggestedCase(PlainData):
    """A case worth annotating.

    Args:
        name: of the case, or of the file.
        in_set: whether it is in the set already.
        images: absolute paths, one a channel.
        group: its patient, as far as known.
        probabilities: of every class, by the model.
        reason: why, in a sentence.
    """

    name: str
    in_set: bool
    images: tuple[str, ...]
    group: str
    probabilities: tuple[float, ...]
    reason: str


@dataclass(frozen=True)
class SuggestedCases(PlainData):
    """What to annotate next, the most useful first.

    Args:
        suggestions: in order.
        classes: of the probabilities.
        candidates: how many cases without a class were looked at.
        notes: sentences: what could not be used.
    """

    suggestions: tuple[SuggestedCase, ...]
    classes: tuple[str, ...]
    candidates: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class NextCasesParams(Params[SuggestedCases]):
    """``next_cases``: a job.

    Args:
        folder: of the training set.
        model: path of a model package or classifier run.
        images: a folder of more images; may be empty.
        count: how many at most.
        device: as in :class:`ClassifyParams`.
    """

    METHOD: ClassVar[str] = "next_cases"
    ANSWER: ClassVar[Any] = SuggestedCases

    folder: str
    model: str
    images: str = ""
    count: int = 10
    device: str = "auto"


TRAINING_JOBS: tuple[type[Params[Any]], ...] = (
    PlanSegmenterParams,
    TrainSegmenterParams,
    TrainClassifierParams,
    BaselineParams,
    CompareModelsParams,
    EvaluateModelParams,
    NextCasesParams,
)
"""Methods of this module that wait for the one job that computes."""

TRAINING_ERRANDS: tuple[type[Params[Any]], ...] = (
    SegmenterRunsParams,
    KeepSegmenterParams,
    LastClassifierParams,
    SaveModelParams,
)
"""Those that are done beside it."""
