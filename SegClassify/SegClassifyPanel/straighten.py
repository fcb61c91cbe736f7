"""A volume that a transform bends or shears, resampled onto a straight grid in world coordinates."""

from __future__ import annotations

import math
import time

import numpy as np
import slicer
import vtk

from SegClassifyPanel.chunks import Steps
from SegClassifyPanel.geometry import array_of, matrix_of, nearest_rotation

STRETCH = 0.012
"""Seconds that one resampled slab should take at most."""


def straightened(node: slicer.vtkMRMLVolumeNode) -> Steps[tuple[vtk.vtkImageData, np.ndarray]]:
    """Resample a volume, slab by slab.

    Args:
        node: under a transform of whatever kind.

    Returns:
        An image of unit spacing at the origin, and its 4 x 4 matrix IJK to world RAS. Outside of the volume is the
        least value inside of it.
    """
    grid, size = _grid(node)
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(node.GetImageData())
    reslice.SetResliceTransform(_grid_to_voxels(node, grid))
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputExtent(0, size[0] - 1, 0, size[1] - 1, 0, size[2] - 1)
    reslice.SetInterpolationModeToLinear()
    reslice.SetBackgroundLevel(node.GetImageData().GetScalarRange()[0])
    image = vtk.vtkImageData()
    image.SetDimensions(*size)
    image.AllocateScalars(
        node.GetImageData().GetScalarType(), node.GetImageData().GetNumberOfScalarComponents()
    )
    row, rows = 0, 4
    for k in range(size[2]):
        row = 0
        while row < size[1]:
            began = time.monotonic()
            end = min(size[1], row + rows)
            extent = (0, size[0] - 1, row, end - 1, k, k)
            reslice.UpdateExtent(extent)
            image.CopyAndCastFrom(reslice.GetOutput(), extent)
            row = end
            took = max(time.monotonic() - began, 1e-4)
            rows = max(1, min(size[1], int(rows * min(2.0, STRETCH / took))))
            yield (k + row / size[1]) / size[2]
    return image, grid


def _grid(node: slicer.vtkMRMLVolumeNode) -> tuple[np.ndarray, tuple[int, int, int]]:
    """A grid with the volume's spacing along axes as near to its own as right angles allow, round all of it."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    own = array_of(matrix)
    transform = node.GetParentTransformNode()
    if transform.IsTransformToWorldLinear():
        to_world = vtk.vtkMatrix4x4()
        transform.GetMatrixTransformToWorld(to_world)
        own = array_of(to_world) @ own
    columns = own[:3, :3]
    grid = np.eye(4)
    grid[:3, :3] = nearest_rotation(columns) * np.linalg.norm(columns, axis=0)
    bounds = [0.0] * 6
    node.GetSliceBounds(bounds, matrix_of(np.linalg.inv(grid)))
    low, high = np.array(bounds[::2]), np.array(bounds[1::2])
    # The bounds go to the outer faces of the voxels, and a grid begins at the centre of its first one.
    grid[:3, 3] = grid[:3, :3] @ (low + 0.5)
    size = [max(1, math.ceil(n - 1e-3)) for n in high - low]
    return grid, (size[0], size[1], size[2])


def _grid_to_voxels(node: slicer.vtkMRMLVolumeNode, grid: np.ndarray) -> vtk.vtkGeneralTransform:
    from_world = vtk.vtkGeneralTransform()
    node.GetParentTransformNode().GetTransformFromWorld(from_world)
    ras_to_ijk = vtk.vtkMatrix4x4()
    node.GetRASToIJKMatrix(ras_to_ijk)
    chain = vtk.vtkGeneralTransform()
    chain.PostMultiply()
    chain.Concatenate(matrix_of(grid))
    chain.Concatenate(from_world)
    chain.Concatenate(ras_to_ijk)
    return chain
