"""From a training set's label maps to a segmenter, with fold segmenters for cross-fitting beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.preprocessing.apply import preprocess
from SegClassifyLib.progress import Part, Progress
from SegClassifyLib.training.family import SegmenterFamily, save_family
from SegClassifyLib.training.history import EpochRecord
from SegClassifyLib.training.loop import TRAINING_PHASE
from SegClassifyLib.training.sample import Sample
from SegClassifyLib.training.segmenter import TrainedSegmenter, train_segmenter
from SegClassifyLib.training.segmenter_making import (
    Making,
    making_of,
    part_folder,
    part_name,
    save_making,
)
from SegClassifyLib.training.segmenter_plan import SegmenterPlan, SettledPlan, settle_plan
from SegClassifyLib.training.start import Start, StartWeights
from SegClassifyLib.volumes.observation import Observation, observe

OnPartEpoch = Callable[[str, EpochRecord], None]
"""Told of an epoch of a part: "" for the full segmenter, "fold 1 of 3" and so on."""


@dataclass(frozen=True)
class TrainedFamily:
    """The family and how the full segmenter's training went."""

    family: SegmenterFamily
    trained: TrainedSegmenter
    package: Path


def train_segmenter_from_set(
    training_set: TrainingSet,
    folder: Path,
    plan: SegmenterPlan | None = None,
    name: str = "",
    device: str = "cpu",
    progress: Progress | None = None,
    start: Start | None = None,
    on_epoch: OnPartEpoch | None = None,
) -> TrainedFamily:
    """Train, cross-fit, and write the packages to ``folder``; goes on where an interrupted run stopped.

    Args:
        training_set: its training cases with a corrected segmentation, whose role is not "classifier", are used.
        folder: gets ``model/``, ``crossfit/`` and, while training, ``checkpoints/``.
        plan: what not to choose from the data.
        name: of the model; the training set's name with "segmenter" where empty.
        device: "cpu", "cuda" or "mps".
        progress: told of every step; may cancel.
        start: a segmenter to start from instead of nothing.
        on_epoch: told of every epoch of every part, those before an interruption first.

    Raises:
        TrainingError: no case to train on, or a label that no case has.
        ImageError: an image cannot be read.
    """
    progress = progress or Progress()
    settled = settle_plan(training_set, plan or SegmenterPlan(), start, progress=progress)
    return train_settled(training_set, folder, settled, name, device, progress, start, on_epoch)


def train_settled(
    training_set: TrainingSet,
    folder: Path,
    settled: SettledPlan,
    name: str = "",
    device: str = "cpu",
    progress: Progress | None = None,
    start: Start | None = None,
    on_epoch: OnPartEpoch | None = None,
) -> TrainedFamily:
    """As :func:`train_segmenter_from_set`, by a plan that leaves nothing to choose."""
    progress, began = progress or Progress(), time.monotonic()
    samples, observations = _prepared(training_set, settled, progress)
    weights = [_weights(training_set, settled, start, part) for part in settled.parts]
    making = making_of(training_set, settled, name, device, observations, start, weights)
    save_making(making, folder)
    late = settled.seconds + time.monotonic() - began
    trained = []
    for part, starting in zip(settled.parts, weights, strict=True):
        trained.append(
            train_segmenter(
                [samples[row] for row in settled.rows(part)],
                settled.settings(part),
                settled.network,
                settled.preprocessing,
                training_set.labels,
                part_folder(folder, part),
                _part_of(progress, settled, part),
                device,
                starting.state if starting is not None else None,
                settled.plan.taps,
                _named(on_epoch, part_name(part, len(settled.held_out))),
                late * settled.share(part),
            )
        )
    family = _family(making, trained)
    return TrainedFamily(family, trained[0], save_family(family, folder))


def _family(making: Making, trained: list[TrainedSegmenter]) -> SegmenterFamily:
    folds = tuple(making.fold(part, trained[part]) for part in range(1, len(trained)))
    return SegmenterFamily(making.model(0, trained[0]), folds)


def _named(on_epoch: OnPartEpoch | None, part: str) -> Callable[[EpochRecord], None] | None:
    if on_epoch is None:
        return None
    return lambda record: on_epoch(part, record)


def _part_of(progress: Progress, settled: SettledPlan, part: int) -> Progress:
    """Steps of a part told as those of the whole."""
    count = len(settled.parts)
    timed = settled.plan.training.minutes is not None
    ends = np.cumsum([settled.share(p) if timed else 1 / count for p in settled.parts])
    begin = 0.0 if part == 0 else float(ends[part - 1])
    return Part(progress, TRAINING_PHASE, begin, float(ends[part]), part_name(part, count - 1))


def _weights(
    training_set: TrainingSet, settled: SettledPlan, start: Start | None, part: int
) -> StartWeights | None:
    """What a part starts from: never weights that know a case that it must not see."""
    if start is None:
        return None
    seen = set(settled.rows(part))
    held = [str(c.image_hash) for row, c in enumerate(settled.cases) if row not in seen]
    return start.weights(training_set.labels, held)


def _prepared(
    training_set: TrainingSet, settled: SettledPlan, progress: Progress
) -> tuple[list[Sample], list[Observation]]:
    samples, observations = [], []
    for number, case in enumerate(settled.cases):
        progress.report("Preparing images", number, len(settled.cases), case.name)
        image = training_set.load_image(case)
        label_map = training_set.load_segmentation(case, image)
        prepared = preprocess(image, settled.preprocessing)
        samples.append(Sample(case.name, case.group_name, prepared.array, prepared.to_model(label_map)))
        observations.append(observe(image, label_map, training_set.labels))
    progress.report("Preparing images", len(settled.cases), len(settled.cases))
    return samples, observations
