"""Shape and intensity of the predicted labels: the baseline that must be beaten.

Definitions are those of SimpleITK's label statistics: Lehmann G., "Label object representation and manipulation with
ITK", Insight Journal 2008.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SegClassifyLib.features.label_shape import LabelShape, label_shapes
from SegClassifyLib.features.label_voxels import LabelVoxels
from SegClassifyLib.features.spec import FeatureName
from SegClassifyLib.volumes.image import Label

_MAX_VOXELS = 2_000_000
"""Larger grids are read at every second, third … voxel: label statistics change in the third digit."""

_BINS = 128
"""Of the histogram, over a channel's whole range, that medians are read from."""

SHAPE = (
    "present", "volume", "radius", "elongation", "flatness", "roundness", "surface", "extent",
    "parts", "largest_part", "on_border", "depth",
)  # fmt: skip
"""volume, surface and radius are log(1 + mm³, mm², mm); depth is 0 at the image's centre and 1 at its border."""

INTENSITY = ("mean", "deviation", "skewness", "kurtosis", "minimum", "maximum", "median")


def descriptor_names(labels: Sequence[Label], channels: int) -> tuple[FeatureName, ...]:
    """Names of the numbers that :func:`describe_labels` gives, in its order; background is not described."""
    names: list[FeatureName] = []
    for label in labels[1:]:
        names += [FeatureName("shape", label.name, s) for s in SHAPE]
        names += [FeatureName("intensity", label.name, s, c) for c in range(channels) for s in INTENSITY]
    return tuple(names)


def describe_labels(
    labels: np.ndarray, image: np.ndarray, spacing: Sequence[float], names: Sequence[Label]
) -> np.ndarray:
    """Describe every label but background.

    Args:
        labels: ``(D, H, W)`` or ``(H, W)`` integers on the model grid.
        image: ``(C, D, H, W)`` or ``(C, H, W)`` float32, normalised, on the same grid.
        spacing: x, y (, z), mm.
        names: all labels, background first.

    Returns:
        ``(F,)`` float32, finite; all zero for a label that is not there (``present`` tells).
    """
    step = max(1, int(np.ceil((labels.size / _MAX_VOXELS) ** (1 / labels.ndim))))
    thin = (slice(None, None, step),) * labels.ndim
    small = np.ascontiguousarray(labels[thin])
    grid = np.asarray(spacing, np.float64)[::-1] * step
    box = _foreground(small)
    inner, start = np.ascontiguousarray(small[box]), [side.start for side in box]
    voxels = LabelVoxels.of(inner, 1 + max((label.value for label in names), default=0))
    shapes = label_shapes(inner, voxels, grid, start, small.shape)
    greys = [_greys(channel[thin], box, voxels) for channel in image]
    middle = (np.asarray(small.shape) - 1)[::-1] * grid[::-1] / 2
    rows = []
    for label in names[1:]:
        if label.value in shapes:
            grey = [found[label.value] for found in greys]
            rows.append(np.concatenate([_shape(shapes[label.value], middle), *grey]))
        else:
            rows.append(np.zeros(len(SHAPE) + len(INTENSITY) * len(image)))
    vector = np.concatenate(rows) if rows else np.empty(0)
    return np.nan_to_num(vector, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)


def _foreground(labels: np.ndarray) -> tuple[slice, ...]:
    """The box that holds all labels but background; empty where there are none."""
    there, box = labels != 0, []
    for axis in range(labels.ndim):
        along = np.flatnonzero(there.any(tuple(a for a in range(labels.ndim) if a != axis)))
        box.append(slice(int(along[0]), int(along[-1]) + 1) if len(along) else slice(0, 0))
    return tuple(box)


def _shape(shape: LabelShape, middle: np.ndarray) -> np.ndarray:
    """The numbers named in :data:`SHAPE`; ``middle`` of the image, x, y (, z), mm."""
    return np.asarray(
        [
            1.0,
            np.log1p(shape.volume),
            np.log1p(shape.radius),
            shape.elongation,
            shape.flatness,
            shape.roundness,
            np.log1p(shape.surface),
            shape.extent,
            np.log1p(len(shape.parts)),
            shape.parts.max() / shape.parts.sum(),
            shape.on_border,
            np.max(np.abs(shape.centroid - middle) / np.maximum(middle, 1e-6)),
        ]
    )


def _greys(channel: np.ndarray, box: tuple[slice, ...], voxels: LabelVoxels) -> dict[int, np.ndarray]:
    """The numbers named in :data:`INTENSITY` of every label that is there.

    Args:
        channel: ``(D, H, W)`` or ``(H, W)`` float32.
        box: the part of it that ``voxels`` counts in.
    """
    grey = channel[box].ravel()[voxels.place]
    low, width = float(channel.min()), float(np.ptp(channel)) / _BINS
    bins = np.zeros(len(grey), np.int64)
    if width > 0:
        bins = np.minimum(((grey - np.float32(low)) * np.float32(1 / width)).astype(np.int64), _BINS - 1)
    found = {}
    for value, part in voxels:
        x = grey[part].astype(np.float64)
        mean = x.mean()
        x -= mean
        square = x * x
        deviation = np.sqrt(square.sum() / max(1, len(x) - 1))
        third, fourth = np.dot(square, x) / len(x), np.dot(square, square) / len(x)
        skewness, kurtosis = (
            (third / deviation**3, fourth / deviation**4 - 3) if deviation > 0 else (0.0, 0.0)
        )
        median = low + width * _middle_bin(np.bincount(bins[part], minlength=_BINS))
        least, most = grey[part].min(), grey[part].max()
        found[value] = np.asarray([mean, deviation, skewness, kurtosis, least, most, median])
    return found


def _middle_bin(histogram: np.ndarray) -> float:
    """Where the median lies, in bins from the histogram's lower end: the centre of a bin, or between two."""
    reached, half = np.cumsum(histogram), histogram.sum() / 2
    first = int(np.searchsorted(reached, half))
    if reached[first] > half:
        return first + 0.5
    after = int(np.searchsorted(reached, half, side="right"))
    return (first + after) / 2 + 0.5
