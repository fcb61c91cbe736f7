"""How the left half of an image differs from the right one, in a few numbers: what tells a mirrored image."""

from __future__ import annotations

import numpy as np

from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.orient import to_orientation

_PARTS = 8
"""The image is looked at in so many parts along each axis."""
_ENOUGH = 64
"""Voxels along an axis that are looked at; of longer ones some are left out."""


def sides(array: np.ndarray, geometry: Geometry, low: float, high: float) -> tuple[float, ...]:
    """Half the difference between each part of the image and the one opposite it: ``-x`` of a mirrored image.

    Args:
        array: one channel, ``(D, H, W)`` or ``(H, W)``, any real dtype.
        geometry: its grid.
        low, high: grey values that count as 0 and 1; what lies beyond is cut.

    Returns:
        8 × 8 × 4 numbers, in 2D 8 × 4, the outermost parts on the patient's right first in each row; empty for an
        image of fewer voxels along an axis than parts.
    """
    turned, _ = to_orientation(array, geometry, "LPS")
    if min(turned.shape) < _PARTS:
        return ()
    steps = tuple(slice(None, None, max(1, n // _ENOUGH)) for n in turned.shape)
    parts = np.clip((turned[steps].astype(np.float64) - low) / max(high - low, 1e-9), 0, 1)
    for axis, count in enumerate(parts.shape):
        edges = np.linspace(0, count, _PARTS + 1).round().astype(int)
        sizes = np.diff(edges).reshape(-1, *(1,) * (parts.ndim - 1 - axis))
        parts = np.add.reduceat(parts, edges[:-1], axis=axis) / sizes
    half = (parts - parts[..., ::-1])[..., : _PARTS // 2] / 2
    return tuple(float(x) for x in half.ravel())
