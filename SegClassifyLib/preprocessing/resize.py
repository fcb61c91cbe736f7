"""Scaling arrays to another number of voxels over the same extent."""

from __future__ import annotations

import numpy as np


def resize_linear(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Linear interpolation with an anti-aliasing filter where voxels get larger.

    Args:
        array: ``(C, D, H, W)`` or ``(C, H, W)`` float32.
        shape: new ``(D, H, W)`` or ``(H, W)``; both grids cover the same extent (voxel corners coincide).

    Returns:
        ``(C, *shape)`` float32; the input itself where nothing changes.
    """
    if array.shape[1:] == shape:
        return array
    import torch
    import torch.nn.functional as F

    x = torch.from_numpy(np.ascontiguousarray(array))
    if len(shape) == 3:
        # Separable: first the planes, then the remaining axis as the rows of one tall picture.
        # torch has the anti-aliasing filter for two axes only.
        depth = x.shape[1]
        x = _bilinear(x.flatten(0, 1)[:, None], (shape[1], shape[2]), F)
        x = x.reshape(array.shape[0], depth, -1)[:, None]
        x = _bilinear(x, (shape[0], shape[1] * shape[2]), F)
        return x.reshape(array.shape[0], *shape).numpy()
    return _bilinear(x[:, None], shape, F)[:, 0].numpy()


def _bilinear(x, shape, functional):  # type: ignore[no-untyped-def]
    if tuple(x.shape[-2:]) == tuple(shape):
        return x
    return functional.interpolate(x, size=shape, mode="bilinear", antialias=True, align_corners=False)


def resize_nearest(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The value of the voxel that holds each new voxel's centre; any dtype, ``(D, H, W)`` or ``(H, W)``."""
    for axis, new in enumerate(shape):
        old = array.shape[axis]
        if old != new:
            index = ((np.arange(new) + 0.5) * (old / new)).astype(np.intp).clip(0, old - 1)
            array = np.take(array, index, axis=axis)
    return array
