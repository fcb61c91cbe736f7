"""Descriptors of all labels at once beside SimpleITK's label statistics, one label after another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter, label

from SegClassifyLib.features import descriptors
from SegClassifyLib.features.descriptors import INTENSITY, SHAPE, describe_labels, descriptor_names
from SegClassifyLib.volumes.image import Label


def _names(count: int) -> list[Label]:
    return [Label(value, f"label {value}") for value in range(count)]


def _image(shape: tuple[int, ...], channels: int = 1) -> np.ndarray:
    return (np.random.default_rng(1).normal(size=(channels, *shape)) ** 3).astype(np.float32)


def _blobs(shape: tuple[int, ...], count: int, smooth: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(count, *shape))
    field = np.stack([gaussian_filter(n, smooth) for n in noise]) if smooth else noise
    return field.argmax(0).astype(np.uint8)


def _reference(
    labels: np.ndarray, image: np.ndarray, spacing: Sequence[float], names: Sequence[Label]
) -> np.ndarray:
    """Each label by itself, with SimpleITK's filters and scipy's parts."""
    rows = []
    middle = (np.array(labels.shape[::-1]) - 1) * spacing / 2
    for name in names[1:]:
        mask = (labels == name.value).astype(np.uint8)
        if not mask.any():
            rows.append(np.zeros(len(SHAPE) + len(INTENSITY) * len(image)))
            continue
        picture = sitk.GetImageFromArray(mask)
        picture.SetSpacing(list(spacing))
        shape = sitk.LabelShapeStatisticsImageFilter()
        shape.Execute(picture)
        size = np.array(shape.GetBoundingBox(1)[labels.ndim :])
        parts = np.bincount(label(mask)[0].ravel())[1:]
        volume = shape.GetPhysicalSize(1)
        depth = np.max(np.abs(np.array(shape.GetCentroid(1)) - middle) / np.maximum(middle, 1e-6))
        logs = np.log1p([volume, shape.GetEquivalentSphericalRadius(1), shape.GetPerimeter(1), len(parts)])
        moments = np.array(shape.GetPrincipalMoments(1))
        # Where a moment is zero but for rounding, SimpleITK's answer is zero or any number.
        flat = 0.0 if moments[0] < 1e-9 * moments[-1] else shape.GetFlatness(1)
        line = 0.0 if moments[-2] < 1e-9 * moments[-1] else shape.GetElongation(1)
        extent = volume / np.prod(size * spacing)
        row = [1, logs[0], logs[1], line, flat, shape.GetRoundness(1), logs[2], extent, logs[3]]
        row += [parts.max() / parts.sum(), shape.GetPerimeterOnBorderRatio(1), depth]
        for channel in image:
            grey = sitk.LabelIntensityStatisticsImageFilter()
            grey.SetNumberOfBins(128)
            values = sitk.GetImageFromArray(channel)
            values.SetSpacing(list(spacing))
            grey.Execute(picture, values)
            row += [grey.GetMean(1), grey.GetStandardDeviation(1), grey.GetSkewness(1), grey.GetKurtosis(1)]
            row += [grey.GetMinimum(1), grey.GetMaximum(1), grey.GetMedian(1)]
        rows.append(np.array(row))
    return np.nan_to_num(np.concatenate(rows))


def _compare(labels: np.ndarray, image: np.ndarray, spacing: Sequence[float], names: Sequence[Label]) -> None:
    found = describe_labels(labels, image, spacing, names)
    wanted = _reference(labels, image, spacing, names)
    said = [str(n) for n in descriptor_names(names, len(image))]
    off = {
        n: (float(f), float(w))
        for n, f, w in zip(said, found, wanted, strict=True)
        if abs(f - w) > 1e-5 * (1 + abs(w))
    }
    assert not off


@pytest.mark.parametrize("smooth", [0, 1, 3])
@pytest.mark.parametrize("shape", [(14, 17, 20), (30, 24)])
@pytest.mark.parametrize("count", [2, 12])
def test_all_labels_at_once_are_as_one_after_another(
    shape: tuple[int, ...], count: int, smooth: float
) -> None:
    spacing = (0.7, 1.3, 2.1)[: len(shape)]
    _compare(_blobs(shape, count, smooth), _image(shape, 2), spacing, _names(count))


def test_labels_that_are_absent_tiny_flat_or_at_the_border() -> None:
    labels = np.zeros((9, 10, 11), np.uint16)
    labels[4, 4, 4] = 1  # one voxel
    labels[0, 0, 0] = labels[8, 9, 10] = 2  # two corners
    labels[2:6, 7, 2:9] = 3  # a plate
    labels[5, 2, 3:9] = 5  # a line
    labels[7:, :3, :4] = 6  # a box at the border
    _compare(labels, _image(labels.shape), (1.5, 0.8, 3.0), _names(8))


def test_parts_that_touch_by_an_edge_are_two() -> None:
    labels = np.zeros((3, 6, 6), np.uint8)
    labels[1, 1, 1] = labels[1, 2, 2] = labels[1, 4, 1:5] = labels[2, 4, 4] = 1
    labels[0, 4, 1] = 2  # another label in between joins nothing
    labels[1, 3, 1] = 2
    _compare(labels, _image(labels.shape), (1, 1, 1), _names(3))
    found = describe_labels(labels, _image(labels.shape), (1, 1, 1), _names(3))
    assert np.expm1(found[SHAPE.index("parts")]) == pytest.approx(3)
    assert found[SHAPE.index("largest_part")] == pytest.approx(5 / 7)


def test_nothing_found_one_grey_value_and_one_slice() -> None:
    assert not describe_labels(np.zeros((5, 6, 7), np.uint8), _image((5, 6, 7)), (1, 1, 1), _names(3)).any()
    assert describe_labels(np.zeros((5, 6), np.uint8), _image((5, 6)), (1, 1), _names(1)).shape == (0,)
    one = np.ones((4, 5, 6), np.uint8)
    _compare(one, np.full((1, 4, 5, 6), 3.0, np.float32), (1, 1, 2), _names(2))
    _compare(_blobs((1, 20, 20), 3, 2), _image((1, 20, 20)), (1, 1, 2), _names(3))


def test_large_grids_are_read_at_every_second_voxel(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, image = _blobs((16, 18, 20), 3, 2), _image((16, 18, 20))
    monkeypatch.setattr(descriptors, "_MAX_VOXELS", 1000)
    found = describe_labels(labels, image, (1, 1.5, 2), _names(3))
    thin = (slice(None, None, 2),) * 3
    wanted = _reference(labels[thin].copy(), image[(0, *thin)].copy()[None], (2, 3, 4), _names(3))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_a_small_label_in_a_large_image_is_measured_where_it_lies() -> None:
    labels = np.zeros((20, 30, 25), np.uint8)
    labels[7:11, 22:30, 3:9] = _blobs((4, 8, 6), 4, 1)
    _compare(labels, _image(labels.shape), (0.7, 1.3, 2.1), _names(4))
