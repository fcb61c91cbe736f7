"""What phantoms are drawn with: smooth noise, rounded bodies, rotations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage


def smooth_noise(
    rng: np.random.Generator, shape: Sequence[int], spacing: Sequence[float], scale: float
) -> np.ndarray:
    """Gaussian noise that varies over ``scale`` mm, mean 0, standard deviation 1.

    Args:
        rng: where randomness comes from.
        shape: array shape, (D, H, W) or (H, W).
        spacing: mm along the array's axes, in the same order as ``shape``.
        scale: sigma of the smoothing, mm.

    Returns:
        float32 of ``shape``.
    """
    sigma = np.maximum(scale / np.asarray(spacing, dtype=float), 1e-3)
    # long waves are drawn on a coarser grid: the same look for a fraction of the time
    step = np.maximum(1, np.floor(sigma / 1.5)).astype(int)
    coarse = [max(2, -(-n // s) + 1) for n, s in zip(shape, step, strict=True)]
    noise = ndimage.gaussian_filter(
        rng.standard_normal(coarse, dtype=np.float32), tuple(sigma / step), mode="wrap", truncate=3
    )
    if max(step) > 1:
        noise = ndimage.zoom(noise, step.tolist(), order=1)
    noise = noise[tuple(slice(n) for n in shape)]
    noise -= noise.mean()
    return np.asarray(noise / max(float(noise.std()), 1e-6), dtype=np.float32)


def ellipsoid_depth(points: np.ndarray, centre: Sequence[float], semi_axes: Sequence[float]) -> np.ndarray:
    """How deep in an ellipsoid each point lies, mm: 0 on its surface, negative outside (first order).

    Args:
        points: ``(N, ...)`` coordinates, mm; N is 2 or 3.
        centre: ``N`` numbers, mm.
        semi_axes: ``N`` numbers, mm.
    """
    column = (-1,) + (1,) * (points.ndim - 1)
    semi = np.asarray(semi_axes, dtype=np.float32).reshape(column)
    q = (points - np.asarray(centre, dtype=np.float32).reshape(column)) / semi
    radius = np.sqrt((q * q).sum(axis=0))
    q /= semi
    steepness = np.sqrt((q * q).sum(axis=0))
    return np.asarray((1 - radius) * radius / np.maximum(steepness, 1e-6), dtype=np.float32)


def soft_step(level: np.ndarray, width: float) -> np.ndarray:
    """0 below, 1 above ``level`` 0, linear over ``width``: the partial volume of a voxel that size."""
    return np.clip(level / np.float32(width) + np.float32(0.5), 0, 1)


def rotation(degrees_x: float, degrees_y: float, degrees_z: float) -> np.ndarray:
    """The 3×3 matrix that turns about x, then y, then z."""
    a, b, c = np.radians((degrees_x, degrees_y, degrees_z))
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)
