"""What is said about trainings of segmenters. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from SegClassifyLib.worker.params import Params
from SegClassifyLib.worker.plain import PlainData
from SegClassifyLib.worker.wire import Notification


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
