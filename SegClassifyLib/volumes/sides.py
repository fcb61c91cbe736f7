"""How the left half of an image differs from the right one, and what both have, in a few numbers."""

from __future__ import annotations

import numpy as np

from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.orient import to_orientation

_PARTS = 8
"""The image is looked at in so many parts along each axis."""


def sides(array: np.ndarray, geometry: Geometry, low: float, high: float) -> tuple[float, ...]:
    """Half the difference between each part of the image and the one opposite it, then half their sum.

    Of a mirrored image the differences are exactly the opposite and the sums the same.

    Args:
        array: one channel, ``(D, H, W)`` or ``(H, W)``, any real dtype; a volume of one slice counts as 2D.
        geometry: its grid.
        low, high: grey values that count as 0 and 1; what lies beyond is cut.

    Returns:
        Twice 8 × 8 × 4 numbers, in 2D 8 × 4, the outermost parts on the patient's right first in each row.
    """
    turned, _ = to_orientation(array, geometry, "LPS")
    slices = turned if turned.ndim == 3 else turned[None]
    rows, columns = (_weights(n) for n in slices.shape[1:])
    # Slice by slice, for a copy of a whole volume would be large.
    small = np.stack([rows @ _halves(s, low, high) @ columns.T for s in slices], axis=1)
    parts = small[:, 0] if small.shape[1] == 1 else np.tensordot(small, _weights(small.shape[1]), (1, 1))
    parts = parts if parts.ndim == 3 else np.moveaxis(parts, -1, 1)
    return tuple(float(x) for x in parts[..., : _PARTS // 2].ravel())


def _halves(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Of each voxel, as 0 to 1, and the one opposite it half the difference and half the sum, ``(2, H, W)`` float32."""
    scaled = np.clip((np.nan_to_num(values.astype(np.float32)) - low) / max(high - low, 1e-9), 0, 1)
    return np.asarray([(scaled - scaled[:, ::-1]) / 2, (scaled + scaled[:, ::-1]) / 2], np.float32)


def _weights(count: int) -> np.ndarray:
    """``(8, count)`` float32: the share that each voxel has in the mean of each part; voxels on an edge are parted."""
    edges = np.linspace(0, count, _PARTS + 1)
    begun = np.clip(edges[:, None] - np.arange(count), 0, 1)
    return np.asarray(np.diff(begun, axis=0) * (_PARTS / count), np.float32)
