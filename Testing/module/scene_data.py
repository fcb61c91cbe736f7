"""Volumes for the module's tests, as a user's scene might hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

IJK_TO_RAS = np.array(
    [[-1.5, 0.0, 0.0, 20.0], [0.0, -1.2, 0.0, 30.0], [0.0, 0.0, 2.0, -10.0], [0.0, 0.0, 0.0, 1.0]]
)
"""As a scanner's axial volume: i to the left, j to the back, k upwards."""


def bright_boxes(shape: tuple[int, int, int] = (24, 30, 36)) -> np.ndarray:
    """``(K, J, I)`` int16: an organ of 200 with a tumour of 350 in it, nearer to one side on every axis."""
    array = np.zeros(shape, np.int16)
    array[tuple(slice(n // 6, n // 6 * 5) for n in shape)] = 200
    array[tuple(slice(n // 4, n // 2) for n in shape)] = 350
    return array


def add_volume(array: np.ndarray, name: str = "CT chest", ijk_to_ras: np.ndarray = IJK_TO_RAS) -> Any:
    """A volume node in the scene; of a ``(K, J, I, 3)`` array a colour one."""
    kind = "vtkMRMLVectorVolumeNode" if array.ndim == 4 else "vtkMRMLScalarVolumeNode"
    return slicer.util.addVolumeFromArray(array, ijk_to_ras, name, kind)


def add_transform(matrix: np.ndarray) -> Any:
    """A linear transform node."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode")
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    return node


def add_warp() -> Any:
    """A transform node that bends space smoothly, by up to some 8 mm."""
    landmarks = np.array([[x, y, z] for x in (-60.0, 60) for y in (-60.0, 60) for z in (-60.0, 60)])
    moved = landmarks + np.array([[6.0, -4, 3], [0, 8, 0], [-5, 0, 2], [0, 0, 0]] * 2)
    transform = vtk.vtkThinPlateSplineTransform()
    transform.SetBasisToR()
    transform.SetSourceLandmarks(_points(landmarks))
    transform.SetTargetLandmarks(_points(moved))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode")
    node.SetAndObserveTransformToParent(transform)
    return node


def world_centre(node: Any, segment: str, above: float = 0.5) -> np.ndarray:
    """Where the middle of a segment lies in the world, mm RAS."""
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segment, image)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    extent = image.GetExtent()
    from vtk.util.numpy_support import vtk_to_numpy

    array = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(tuple(reversed(image.GetDimensions())))
    ijk = np.argwhere(array > above).mean(axis=0)[::-1] + extent[::2]
    return to_world(node, slicer.util.arrayFromVTKMatrix(matrix) @ [*ijk, 1])


def to_world(node: Any, local: np.ndarray) -> np.ndarray:
    """A point in a node's own coordinates as one in the world."""
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, transform)
    return np.array(transform.TransformPoint(*local[:3]))


def bright_centre(volume: Any, array: np.ndarray, above: float = 280) -> np.ndarray:
    """Where the middle of a volume's brightest part lies in the world, mm RAS."""
    ijk = np.argwhere(array > above).mean(axis=0)[::-1]
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return to_world(volume, slicer.util.arrayFromVTKMatrix(matrix) @ [*ijk, 1])


def _points(array: np.ndarray) -> vtk.vtkPoints:
    points = vtk.vtkPoints()
    for point in array:
        points.InsertNextPoint(point)
    return points
