"""Shape and intensity of the predicted labels, by SimpleITK's label statistics: the baseline that must be beaten.

Definitions: Lehmann G., "Label object representation and manipulation with ITK", Insight Journal 2008.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SegClassifyLib.features.spec import FeatureName
from SegClassifyLib.volumes.image import Label

_MAX_VOXELS = 2_000_000
"""Larger grids are read at every second, third … voxel: label statistics change in the third digit."""

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
    import SimpleITK as sitk

    step = max(1, int(np.ceil((labels.size / _MAX_VOXELS) ** (1 / labels.ndim))))
    thin = (slice(None, None, step),) * labels.ndim
    small = np.ascontiguousarray(labels[thin])
    present = np.flatnonzero(np.bincount(small.ravel(), minlength=len(names)))
    grid = [float(s) * step for s in spacing]
    shapes = _shape_filter(small, grid, sitk) if len(present) else None
    intensities = [_intensity_filter(small, channel[thin], grid, sitk) for channel in image]
    rows = []
    for label in names[1:]:
        if label.value not in present:
            rows.append(np.zeros(len(SHAPE) + len(INTENSITY) * len(image)))
            continue
        shape = _shape(shapes, label.value, small, grid, sitk)
        grey = [_intensity(f, label.value) for f in intensities]
        rows.append(np.concatenate([shape, *grey]))
    vector = np.concatenate(rows) if rows else np.empty(0)
    return np.nan_to_num(vector, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)


def _to_sitk(array, grid, sitk):  # type: ignore[no-untyped-def]
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(grid)
    return image


def _shape_filter(labels, grid, sitk):  # type: ignore[no-untyped-def]
    statistics = sitk.LabelShapeStatisticsImageFilter()
    statistics.ComputePerimeterOn()
    statistics.ComputeFeretDiameterOff()
    statistics.Execute(_to_sitk(labels, grid, sitk))
    return statistics


def _intensity_filter(labels, channel, grid, sitk):  # type: ignore[no-untyped-def]
    statistics = sitk.LabelIntensityStatisticsImageFilter()
    statistics.ComputePerimeterOff()
    statistics.ComputeFeretDiameterOff()
    statistics.SetNumberOfBins(128)
    statistics.Execute(_to_sitk(labels, grid, sitk), _to_sitk(channel.astype(np.float32), grid, sitk))
    return statistics


def _shape(filter_, value: int, labels: np.ndarray, grid: Sequence[float], sitk) -> np.ndarray:  # type: ignore[no-untyped-def]
    volume = filter_.GetPhysicalSize(value)
    box = filter_.GetBoundingBox(value)
    ndim = labels.ndim
    start, size = np.asarray(box[:ndim]), np.asarray(box[ndim:])
    parts = _parts(labels, value, start, size, sitk)
    middle = (np.asarray(labels.shape[::-1]) - 1) * np.asarray(grid) / 2
    depth = np.max(np.abs(np.asarray(filter_.GetCentroid(value)) - middle) / np.maximum(middle, 1e-6))
    return np.asarray(
        [
            1.0,
            np.log1p(volume),
            np.log1p(filter_.GetEquivalentSphericalRadius(value)),
            filter_.GetElongation(value),
            filter_.GetFlatness(value),
            filter_.GetRoundness(value),
            np.log1p(filter_.GetPerimeter(value)),
            volume / max(float(np.prod(size * np.asarray(grid))), 1e-9),
            np.log1p(len(parts)),
            parts.max() / max(parts.sum(), 1),
            filter_.GetPerimeterOnBorderRatio(value),
            depth,
        ]
    )


def _parts(labels: np.ndarray, value: int, start: np.ndarray, size: np.ndarray, sitk) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Voxels of each connected part of a label, looked for in its bounding box only."""
    box = tuple(slice(int(a), int(a + n)) for a, n in zip(start[::-1], size[::-1], strict=True))
    mask = sitk.GetImageFromArray((labels[box] == value).astype(np.uint8))
    connected = sitk.GetArrayFromImage(sitk.ConnectedComponent(mask))
    return np.bincount(connected.ravel())[1:]


def _intensity(filter_, value: int) -> np.ndarray:  # type: ignore[no-untyped-def]
    return np.asarray(
        [
            filter_.GetMean(value),
            filter_.GetStandardDeviation(value),
            filter_.GetSkewness(value),
            filter_.GetKurtosis(value),
            filter_.GetMinimum(value),
            filter_.GetMaximum(value),
            filter_.GetMedian(value),
        ]
    )
