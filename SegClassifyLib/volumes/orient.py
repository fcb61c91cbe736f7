"""Turning axes to a wanted anatomical orientation and back: transpositions and flips, never resampling."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from SegClassifyLib.volumes.geometry import Geometry

_LETTERS = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}


@dataclass(frozen=True)
class _AxisMap:
    """Which old axis becomes each new axis (x, y, z order), and whether it is turned round."""

    order: tuple[int, ...]
    flip: tuple[bool, ...]

    def array(self, array: np.ndarray) -> np.ndarray:
        n = len(self.order)
        lead = array.ndim - n
        # Array axes run z, y, x: the reverse of the geometry's.
        axes = tuple(lead + n - 1 - self.order[n - 1 - i] for i in range(n))
        turned = array.transpose(*range(lead), *axes)
        steps = tuple(slice(None, None, -1 if self.flip[n - 1 - i] else None) for i in range(n))
        return turned[(..., *steps)]

    def geometry(self, geometry: Geometry) -> Geometry:
        corner = [0.0] * geometry.ndim
        for axis, flipped in zip(self.order, self.flip, strict=True):
            corner[axis] = geometry.size[axis] - 1.0 if flipped else 0.0
        signs = np.where(self.flip, -1.0, 1.0)
        return Geometry(
            tuple(geometry.size[a] for a in self.order),
            tuple(geometry.spacing[a] for a in self.order),
            tuple(geometry.world(tuple(corner)).tolist()),
            tuple((geometry.matrix[:, self.order] * signs).ravel().tolist()),
        )

    @property
    def inverse(self) -> _AxisMap:
        back = tuple(self.order.index(i) for i in range(len(self.order)))
        return _AxisMap(back, tuple(self.flip[i] for i in back))


def to_orientation(array: np.ndarray, geometry: Geometry, code: str) -> tuple[np.ndarray, Geometry]:
    """Turn a volume so that its indices increase in the directions of ``code``, or as near as its axes allow.

    Args:
        array: ``(..., D, H, W)`` or ``(..., H, W)`` on ``geometry``; leading axes stay as they are.
        geometry: of the array.
        code: directions in which x, y and z indices increase, e.g. "LPS" or "RAS". A 2D image is only turned
            so that x and y increase along the world's first and second axis, whatever ``code`` says.

    Returns:
        A view of the same voxels (no copy), and the geometry in which each of them keeps its position.

    Raises:
        ValueError: ``code`` does not name three directions once each, or the array is not on ``geometry``.
    """
    _check_shape(array, geometry)
    axes = _axis_map(geometry, _targets(code) if geometry.ndim == 3 else ((0, 1), (1, 1)))
    return axes.array(array), axes.geometry(geometry)


def from_orientation(array: np.ndarray, oriented: Geometry, native: Geometry) -> np.ndarray:
    """Undo :func:`to_orientation`: the exact inverse, again as a view.

    Args:
        array: ``(..., D, H, W)`` or ``(..., H, W)`` on the grid ``oriented``.
        oriented: what :func:`to_orientation` made of ``native``.
        native: the grid to go back to.

    Raises:
        ValueError: one grid is not the other with its axes turned.
    """
    _check_shape(array, oriented)
    axes = _between(native, oriented)
    if axes is None or axes.geometry(native).size != oriented.size:
        raise ValueError("the two grids differ by more than the order and direction of their axes")
    return axes.inverse.array(array)


def align_axes(array: np.ndarray, geometry: Geometry, like: Geometry) -> tuple[np.ndarray, Geometry]:
    """Turn a volume so that its axes run as those of ``like``, or as near as they can.

    Args:
        array: ``(..., D, H, W)`` or ``(..., H, W)`` on ``geometry``.
        geometry: of the array.
        like: a grid of as many dimensions.

    Returns:
        A view of the same voxels and their geometry; both as given where no order of axes is nearest.
    """
    _check_shape(array, geometry)
    axes = _between(geometry, like)
    return (array, geometry) if axes is None else (axes.array(array), axes.geometry(geometry))


def _between(old: Geometry, new: Geometry) -> _AxisMap | None:
    cosines = old.matrix.T @ new.matrix
    order = tuple(int(i) for i in np.abs(cosines).argmax(axis=0))
    if sorted(order) != list(range(old.ndim)):
        return None
    return _AxisMap(order, tuple(bool(cosines[a, i] < 0) for i, a in enumerate(order)))


def _check_shape(array: np.ndarray, geometry: Geometry) -> None:
    if array.shape[array.ndim - geometry.ndim :] != geometry.shape:
        raise ValueError(f"array {array.shape} does not lie on a grid of shape {geometry.shape}")


def _targets(code: str) -> tuple[tuple[int, int], ...]:
    targets = tuple(_LETTERS.get(letter, (-1, 0)) for letter in code.upper())
    if sorted(axis for axis, _ in targets) != [0, 1, 2]:
        raise ValueError(f"orientation {code!r} is not three letters such as LPS or RAS")
    return targets


def _axis_map(geometry: Geometry, targets: tuple[tuple[int, int], ...]) -> _AxisMap:
    """The assignment of axes to directions with the largest sum of direction cosines.

    Halfway between two assignments (45 degrees) the resulting direction decides, not the order in which the
    axes happen to be stored: the same anatomy is turned the same way however it was saved.
    """
    matrix = geometry.matrix

    def candidate(order: tuple[int, ...]) -> tuple[float, tuple[float, ...], _AxisMap]:
        along = [matrix[world, axis] * sign for (world, sign), axis in zip(targets, order, strict=True)]
        flip = tuple(bool(value < 0) for value in along)
        turned = matrix[:, order] * np.where(flip, -1.0, 1.0)
        key = tuple(np.round(turned, 4).ravel().tolist())
        return round(float(np.abs(along).sum()), 4), key, _AxisMap(order, flip)

    return max((candidate(p) for p in permutations(range(geometry.ndim))), key=lambda c: c[:2])[2]
