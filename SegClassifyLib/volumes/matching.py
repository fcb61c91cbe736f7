"""Whether two grids lie in the same place, and how to put a label map on the grid it belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.dimensions import flatten_geometry, thin_axis
from SegClassifyLib.volumes.formats import Kind
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import LabelMap
from SegClassifyLib.volumes.orient import align_axes

TOLERANCE = 0.01
"""Voxels by which two grids may differ and count as the same: what rounding in headers does."""


def described(geometry: Geometry) -> str:
    """A grid in words, for sentences about two of them."""

    def numbers(values: tuple[float, ...], form: str) -> str:
        return " x ".join(format(v, form) for v in values)

    origin = ", ".join(f"{v:.2f}" for v in geometry.origin)
    return f"{numbers(geometry.size, 'd')} voxels of {numbers(geometry.spacing, '.4g')} mm from ({origin})"


def overlap(a: Geometry, b: Geometry) -> bool:
    """Whether any part of two grids of equal dimensions lies in the same place."""
    return _reaches(a, b) or _reaches(b, a)


def place_on(
    label_map: LabelMap, like: Geometry, path: Path, kind: Kind, *, is_segmentation: bool = False
) -> LabelMap:
    """The label map on exactly the grid ``like``, without resampling.

    Args:
        label_map: as read.
        like: the image's grid, 2D or 3D.
        path: for the sentence.
        kind: of file; a picture has no position, so only its size is compared.
        is_segmentation: a .seg.nrrd file, which Slicer may crop to its segments or extend beyond the image.

    Raises:
        ImageError: it lies elsewhere, or on other voxels.
    """
    array, geometry = label_map.array, label_map.geometry
    if is_segmentation and geometry.size == (1, 1, 1) and label_map.array.max() == 0:
        # Slicer's way to write a segmentation in which nothing is segmented.
        return LabelMap(np.zeros(like.shape, array.dtype), like, label_map.labels)
    target = like
    if geometry.ndim == 3 and like.ndim == 2 and 1 in geometry.size:
        array, geometry = array.squeeze(axis=2 - thin_axis(geometry)), flatten_geometry(geometry)
    elif geometry.ndim == 2 and like.ndim == 3 and 1 in like.size:
        target = flatten_geometry(like)
    if kind == "picture" and geometry.size == target.size:
        return LabelMap(array.reshape(like.shape), like, label_map.labels)
    placed = None
    if geometry.ndim == target.ndim:
        array, geometry = align_axes(array, geometry, target)
        if geometry.is_close(target, TOLERANCE):
            placed = array
        elif is_segmentation:
            placed = _pasted(array, geometry, target)
    if placed is None:
        raise ImageError(
            f"{path} does not lie on the image's grid (it has {described(label_map.geometry)}; the image has "
            f"{described(like)}): give the segmentation of this image, or resample it to the image."
        )
    return LabelMap(np.ascontiguousarray(placed).reshape(like.shape), like, label_map.labels)


def _pasted(array: np.ndarray, geometry: Geometry, target: Geometry) -> np.ndarray | None:
    """A crop or an extension of ``target`` back on its grid; ``None`` if it is on other voxels."""
    offset = np.linalg.solve(
        target.matrix * np.asarray(target.spacing), np.asarray(geometry.origin) - np.asarray(target.origin)
    )
    first = tuple(int(i) for i in np.rint(offset))
    whole = Geometry(geometry.size, target.spacing, tuple(target.world(first).tolist()), target.direction)
    if not geometry.is_close(whole, TOLERANCE):
        return None
    result = np.zeros(target.shape, array.dtype)
    ours, theirs = [], []
    for start, n, m in zip(first[::-1], array.shape, target.shape, strict=True):
        low, high = max(0, start), min(m, start + n)
        if high <= low:
            return None
        ours.append(slice(low, high))
        theirs.append(slice(low - start, high - start))
    result[tuple(ours)] = array[tuple(theirs)]
    # Labels beyond the image would be lost without a word.
    return result if np.count_nonzero(result) == np.count_nonzero(array) else None


def _reaches(inner: Geometry, outer: Geometry, steps: int = 24) -> bool:
    """Whether any of a lattice of points in ``inner`` lies in ``outer``."""
    axes = [np.linspace(0, n - 1, min(n, steps)) for n in inner.size]
    points = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(inner.ndim, -1)
    world = np.asarray(inner.origin)[:, None] + inner.matrix @ (points * np.asarray(inner.spacing)[:, None])
    local = outer.matrix.T @ (world - np.asarray(outer.origin)[:, None])
    index = local / np.asarray(outer.spacing)[:, None]
    limit = np.asarray(outer.size)[:, None] - 0.5
    return bool(((index >= -0.5) & (index <= limit)).all(axis=0).any())
