"""Where the voxels of a volume lie: RAS matrices of Slicer, and what the worker wants to know of them in LPS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import vtk

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])

SHEAR = 1e-3
"""How far two axes may be from a right angle (cosine) before the volume is resampled."""


@dataclass(frozen=True)
class Placement:
    """A grid in space.

    Args:
        spacing: mm along i, j, k.
        origin: of the first voxel's centre, mm, LPS.
        direction: unit vectors of i, j, k as columns, LPS, row by row.
    """

    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: tuple[float, ...]


def array_of(matrix: vtk.vtkMatrix4x4) -> np.ndarray:
    """4 x 4 float64."""
    return np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])


def matrix_of(array: np.ndarray) -> vtk.vtkMatrix4x4:
    """A 4 x 4 array as VTK has it."""
    matrix = vtk.vtkMatrix4x4()
    for row in range(4):
        for column in range(4):
            matrix.SetElement(row, column, float(array[row, column]))
    return matrix


def placement(ijk_to_ras: np.ndarray) -> Placement:
    """Spacing, origin and direction in LPS of a 4 x 4 matrix IJK to RAS whose axes are at right angles."""
    columns = ijk_to_ras[:3, :3]
    spacing = np.linalg.norm(columns, axis=0)
    direction = nearest_rotation(columns)
    x, y, z = (float(s) for s in spacing)
    a, b, c = (float(o) for o in RAS_TO_LPS @ ijk_to_ras[:3, 3])
    return Placement((x, y, z), (a, b, c), tuple((RAS_TO_LPS @ direction).ravel().tolist()))


def is_sheared(ijk_to_ras: np.ndarray) -> bool:
    """Whether the axes of a grid are not at right angles, so that no image file could hold it."""
    columns = ijk_to_ras[:3, :3]
    unit = columns / np.linalg.norm(columns, axis=0)
    return bool(np.abs(unit.T @ unit - np.eye(3)).max() > SHEAR)


def nearest_rotation(columns: np.ndarray) -> np.ndarray:
    """The orthonormal 3 x 3 axes (left-handed ones stay so) nearest to some that need not be."""
    unit = columns / np.linalg.norm(columns, axis=0)
    left, _, right = np.linalg.svd(unit)
    return np.asarray(left @ right)
