"""One look at every training case before training starts: is it usable, and where are its labels?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.errors import TrainingError
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.sample import Sample
from SegClassifyLib.volumes.image import Label

_POSITIONS = 512
"""Voxels remembered for each label of a case: enough to centre patches on, however large the case."""


@dataclass(frozen=True)
class SampleSurvey:
    """What is remembered of one case.

    Args:
        name, group: of the sample.
        shape: spatial, array order.
        counts: ``(L,)`` int64 voxels of each label, background first.
        positions: flat voxel indices of each label, at most 512; empty for background and absent labels.
        minimum: ``(C,)`` float32 least grey value of each channel, with which patches are padded.
        digest: hash of pixels and labels.
    """

    name: str
    group: str
    shape: tuple[int, ...]
    counts: np.ndarray
    positions: tuple[np.ndarray, ...]
    minimum: np.ndarray
    digest: str


def survey_samples(
    samples: Sequence[Sample],
    labels: tuple[Label, ...],
    channels: int,
    ndim: int,
    progress: Progress | None = None,
) -> tuple[SampleSurvey, ...]:
    """Check every sample and remember where its labels are; each sample is touched once, so it may be lazy.

    Args:
        samples: training cases on the model grid.
        labels: background first, values 0 … L-1.
        channels, ndim: what the network takes.
        progress: told of every case.

    Raises:
        TrainingError: no samples, a sample that does not fit the network, or no label in any of them.
    """
    if not samples:
        raise TrainingError(
            "There are no cases with a segmentation to train on; add some to the training set."
        )
    progress = progress or Progress()
    surveys = []
    for i in range(len(samples)):
        progress.report("Looking at the cases", i, len(samples))
        surveys.append(_survey(samples[i], len(labels), channels, ndim))
    if not any(s.counts[1:].any() for s in surveys):
        raise TrainingError(
            f"All {len(surveys)} segmentations are empty: only background (0) was found; check that the right "
            "files were added as segmentations."
        )
    return tuple(surveys)


def absent_labels(surveys: Sequence[SampleSurvey], labels: tuple[Label, ...]) -> tuple[Label, ...]:
    """Labels that no case has, background aside."""
    total = np.sum([s.counts for s in surveys], axis=0)
    return tuple(label for label, n in zip(labels[1:], total[1:], strict=True) if n == 0)


def _survey(sample: Sample, n_labels: int, channels: int, ndim: int) -> SampleSurvey:
    image, labels = np.asarray(sample.image), np.asarray(sample.labels)
    if image.ndim != ndim + 1 or image.shape[0] != channels:
        raise TrainingError(
            f"Case {sample.name!r}: the image has shape {image.shape}, but the network takes {channels} channel(s) "
            f"in {ndim}D; choose a network for these images."
        )
    if labels.shape != image.shape[1:]:
        raise TrainingError(
            f"Case {sample.name!r}: the segmentation has shape {labels.shape} and the image {image.shape[1:]}; "
            "bring them onto the same grid."
        )
    if not np.isfinite(image).all():
        raise TrainingError(
            f"Case {sample.name!r}: the image holds values that are not numbers; repair or remove it."
        )
    if (highest := int(labels.max())) >= n_labels:
        raise TrainingError(
            f"Case {sample.name!r}: the segmentation has the value {highest}, but the labels end at {n_labels - 1}; "
            "add the label to the training set or correct the segmentation."
        )
    counts = np.bincount(labels.ravel(), minlength=n_labels)
    positions = _positions(labels, counts)
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16)
    digest.update(np.ascontiguousarray(labels).data)
    minimum = image.reshape(channels, -1).min(axis=1).astype(np.float32)
    return SampleSurvey(
        sample.name, sample.group, labels.shape, counts, positions, minimum, digest.hexdigest()
    )


def _positions(labels: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, ...]:
    foreground = np.flatnonzero(labels)
    values = labels.ravel()[foreground]
    found = [np.empty(0, dtype=np.int64)]
    for value in range(1, len(counts)):
        where = foreground[values == value]
        # Evenly spread rather than drawn: no seed needed, and every part of the label is there.
        keep = (
            np.linspace(0, len(where) - 1, _POSITIONS).astype(int) if len(where) > _POSITIONS else slice(None)
        )
        found.append(where[keep])
    return tuple(found)
