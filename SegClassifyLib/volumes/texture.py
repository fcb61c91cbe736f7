"""How rough the grey values of an image are: what noise, blur, stripes and another device change first."""

from __future__ import annotations

import numpy as np

from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.orient import to_orientation

_VOXELS = 4_000_000
"""Differences are measured on about so many voxels: slices are left out of larger volumes."""
_MOST_PLACES = 16
_FAINT = 1e-4
"""Differences of this part of the span count as none; keeps logarithms finite."""


def texture(array: np.ndarray, geometry: Geometry, span: float) -> tuple[float, ...]:
    """Two numbers an axis, first left-right, then front-back, then (3D) along the body.

    *Detail* is the logarithm of the mean difference between neighbouring voxels, in parts of ``span``. *Grain* is the
    logarithm of the mean second difference in parts of the first: 0.55 in white noise, far below 0 where grey values
    run smoothly.

    Args:
        array: one channel, ``(D, H, W)`` or ``(H, W)``, any real dtype.
        geometry: its grid.
        span: of the grey values; 0 counts as 1.
    """
    turned, _ = to_orientation(array, geometry, "LPS")
    slabs = _slabs(turned)
    numbers: list[float] = []
    for axis in range(turned.ndim - 1, -1, -1):
        first = second = 0.0
        for slab in slabs:
            step = np.diff(slab, axis=axis)
            first += float(np.abs(step).mean()) / len(slabs) if step.size else 0.0
            bend = np.diff(step, axis=axis)
            second += float(np.abs(bend).mean()) / len(slabs) if bend.size else 0.0
        detail = first / (span or 1.0) + _FAINT
        numbers += [float(np.log(detail)), float(np.log((second / (span or 1.0) + _FAINT) / detail))]
    return tuple(numbers)


def _slabs(array: np.ndarray) -> list[np.ndarray]:
    """The image itself, or three neighbouring slices from several places of a volume; float32."""
    if array.ndim == 2:
        return [np.asarray(array, np.float32)]
    depth, area = array.shape[0], array.shape[1] * array.shape[2]
    thick = min(3, depth)
    places = int(np.clip(_VOXELS // (thick * area), 1, _MOST_PLACES))
    starts = np.unique(np.linspace(0, depth - thick, places + 2)[1:-1].round().astype(int))
    return [np.asarray(array[start : start + thick], np.float32) for start in starts]
