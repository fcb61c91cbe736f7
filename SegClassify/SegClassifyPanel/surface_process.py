"""Closed surfaces of label maps, made in a process of its own: ``PythonSlicer surface_process.py order.json``.

Only VTK and NumPy are used, and nothing of Slicer. The method is that of Slicer's own conversion: discrete flying
edges, then smoothing by a windowed sinc filter (Taubin), strength 0.5.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk

SMOOTHING = 0.5
ITERATIONS = 20


def surface(
    labels: np.ndarray, value: int, first: tuple[int, int, int], matrix: list[float]
) -> vtk.vtkPolyData:
    """The closed surface round one label.

    Args:
        labels: ``(K, J, I)`` unsigned integers.
        value: of the label.
        first: i, j, k of the array's first voxel.
        matrix: IJK to the coordinates of the surface, 4 x 4 row by row.
    """
    mask = labels == value
    if not mask.any():
        return vtk.vtkPolyData()
    box = tuple(_reach(mask, axis) for axis in range(3))
    # A layer of background all round closes the surface at the border of the image.
    part = np.pad(mask[box].astype(np.uint8), 1)
    image = vtk.vtkImageData()
    image.SetDimensions(*reversed(part.shape))
    image.SetOrigin(*(first[n] + box[2 - n].start - 1 for n in range(3)))
    image.GetPointData().SetScalars(numpy_to_vtk(part.ravel(), deep=True))
    edges = vtk.vtkDiscreteFlyingEdges3D()
    edges.SetInputData(image)
    edges.GenerateValues(1, 1, 1)
    edges.ComputeGradientsOff()
    edges.ComputeNormalsOff()
    smooth = vtk.vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(edges.GetOutputPort())
    smooth.SetNumberOfIterations(ITERATIONS)
    smooth.SetPassBand(pow(10.0, -4.0 * SMOOTHING))
    smooth.BoundarySmoothingOff()
    smooth.FeatureEdgeSmoothingOff()
    smooth.NonManifoldSmoothingOn()
    smooth.NormalizeCoordinatesOn()
    return _finish(smooth, matrix)


def _finish(smooth: vtk.vtkAlgorithm, matrix: list[float]) -> vtk.vtkPolyData:
    move = vtk.vtkTransform()
    move.SetMatrix(matrix)
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetTransform(move)
    moved.SetInputConnection(smooth.GetOutputPort())
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputConnection(moved.GetOutputPort())
    normals.ConsistencyOn()
    normals.SplittingOff()
    normals.Update()
    result = normals.GetOutput()
    result.GetPointData().SetScalars(None)
    return result


def _reach(mask: np.ndarray, axis: int) -> slice:
    other = tuple(n for n in range(3) if n != axis)
    places = np.flatnonzero(mask.any(axis=other))
    return slice(int(places[0]), int(places[-1]) + 1)


def introduce_itself() -> None:
    """Say this process's number, and lead a group of that number: a launcher may stand between it and Slicer."""
    if sys.platform != "win32":
        os.nice(5)  # the window goes first
        if os.getpgrp() != os.getpid():
            os.setpgid(0, 0)
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()


def main(order: Path) -> None:
    """Make what the order asks for: ``{"layers": [{"array", "first", "matrix", "surfaces": [{"value", "file"}]}]}``."""
    introduce_itself()
    for layer in json.loads(order.read_text(encoding="utf-8"))["layers"]:
        labels = np.load(layer["array"], mmap_mode="r", allow_pickle=False)
        for wanted in layer["surfaces"]:
            writer = vtk.vtkXMLPolyDataWriter()
            writer.SetFileName(wanted["file"])
            writer.SetInputData(surface(labels, wanted["value"], tuple(layer["first"]), layer["matrix"]))
            writer.SetDataModeToAppended()
            writer.EncodeAppendedDataOff()
            writer.SetCompressorTypeToNone()
            if not writer.Write():
                sys.exit(f"{wanted['file']} cannot be written")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
