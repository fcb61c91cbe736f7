"""Which slices of a volume show most of its segmentation, and how they are held up to the eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, LabelMap
from SegClassifyLib.volumes.orient import to_orientation


@dataclass(frozen=True)
class _Plane:
    """How one orthogonal plane of an LPS volume is shown, as on a radiologist's screen."""

    name: str
    axis: int  # of the (D, H, W) array that the plane cuts
    upward: bool  # whether row 0 is at the bottom
    sides: tuple[str, str, str, str]  # left, right, top, bottom


_PLANES = (
    _Plane("axial", 0, False, ("R", "L", "A", "P")),
    _Plane("coronal", 1, True, ("R", "L", "S", "I")),
    _Plane("sagittal", 2, True, ("A", "P", "S", "I")),
)


@dataclass(frozen=True)
class Panel:
    """One slice ready to be drawn.

    Args:
        title: its plane and number.
        grey: ``(H, W)``, or ``(H, W, 3)`` in colour.
        labels: ``(H, W)``.
        extent: width and height, mm.
        upward: whether row 0 is at the bottom.
        sides: letters of the body's sides at the left, right, top and bottom; ``None`` for pictures.
    """

    title: str
    grey: np.ndarray
    labels: np.ndarray
    extent: tuple[float, float]
    upward: bool
    sides: tuple[str, str, str, str] | None

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.extent[0] / self.extent[1]


def telling_panels(image: Image, label_map: LabelMap, count: int) -> list[Panel]:
    """The slices that show most of the segmentation; a 2D image is its only one.

    Args:
        image: ``(C, D, H, W)`` or ``(C, H, W)``; the first channel, or three channels of a picture as colours.
        label_map: on the same grid.
        count: how many of a volume.
    """
    return (
        _flat_panels(image, label_map)
        if image.geometry.ndim == 2
        else _volume_panels(image, label_map, count)
    )


def _flat_panels(image: Image, label_map: LabelMap) -> list[Panel]:
    array, geometry = to_orientation(image.array, image.geometry, "LP")
    labels, _ = to_orientation(label_map.array, image.geometry, "LP")
    grey = np.moveaxis(array, 0, -1) if len(array) == 3 and array.dtype == np.uint8 else array[0]
    width, height = (n * s for n, s in zip(geometry.size, geometry.spacing, strict=True))
    return [Panel("", grey, labels, (width, height), False, None)]


def _volume_panels(image: Image, label_map: LabelMap, count: int) -> list[Panel]:
    volume, geometry = to_orientation(image.array[0], image.geometry, "LPS")
    labels, _ = to_orientation(label_map.array, image.geometry, "LPS")
    planes = [p for p in _PLANES if _is_presentable(p, geometry)] or list(_PLANES)
    # One slice of each plane first, then second-best slices of the planes there are.
    places = [
        (rank, plane, index)
        for plane in planes
        for rank, index in enumerate(_telling(labels, plane.axis, -(-count // len(planes))))
    ]
    best = sorted(places, key=lambda place: place[0])[: max(1, count)]
    chosen = sorted((plane.axis, index) for _, plane, index in best)
    return [
        Panel(
            f"{plane.name} {index + 1}/{labels.shape[plane.axis]}",
            volume.take(index, plane.axis),
            labels.take(index, plane.axis),
            _extent(geometry, plane),
            plane.upward,
            plane.sides,
        )
        for plane, index in ((_PLANES[axis], index) for axis, index in chosen)
    ]


def _extent(geometry: Geometry, plane: _Plane) -> tuple[float, float]:
    """Width and height of the plane's slices, mm."""
    millimetres = [n * s for n, s in zip(geometry.size, geometry.spacing, strict=True)]
    width, height = (mm for axis, mm in enumerate(millimetres) if axis != 2 - plane.axis)
    return width, height


def _is_presentable(plane: _Plane, geometry: Geometry) -> bool:
    sides = _extent(geometry, plane)
    return min(sides) > 0.2 * max(sides)


def _telling(labels: np.ndarray, axis: int, count: int) -> list[int]:
    """Slices across ``axis`` with the most labelled voxels, best first, apart from each other."""
    others = tuple(a for a in range(3) if a != axis)
    filled = np.count_nonzero(labels, axis=others).astype(float)
    n = len(filled)
    if not filled.any():
        return [min(n - 1, round((k + 1) * n / (count + 1))) for k in range(min(count, n))]
    chosen: list[int] = []
    apart = max(1, int(np.count_nonzero(filled)) // (count + 1))
    while len(chosen) < min(count, n) and filled.max() >= 0:
        best = int(filled.argmax())
        chosen.append(best)
        filled[max(0, best - apart + 1) : best + apart] = -1.0
    return chosen
