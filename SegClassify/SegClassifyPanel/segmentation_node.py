"""The worker's label file as a segmentation: all segments on one shared image, made in small pieces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

from SegClassifyPanel.chunks import Steps
from SegClassifyPanel.geometry import matrix_of
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.terminology import terminology_of

make_importable()

from SegClassifyLib.worker.protocol import LabelInfo  # noqa: E402

SLAB = 2 << 20
"""Voxels worked on at a stretch."""

Box = tuple[slice, slice, slice]


def build_segmentation(
    label_file: Path, labels: Sequence[LabelInfo], ijk_to_parent: np.ndarray
) -> Steps[slicer.vtkSegmentation]:
    """A segmentation that is in no scene yet, so that nothing watches while it grows.

    Importing a label map node would copy it for every label; here all segments share one image, cut to the labelled
    part.

    Args:
        label_file: .npy, ``(K, J, I)`` or ``(J, I)``, unsigned integers.
        labels: what the integers mean; each becomes a segment, also where the file has none of it.
        ijk_to_parent: 4 x 4, of the file's grid, in the coordinates of the node's parent transform.

    Raises:
        OSError, ValueError: the file cannot be read.
    """
    array = np.load(label_file, mmap_mode="r", allow_pickle=False)
    return (yield from segmentation_of_array(array, labels, ijk_to_parent))


def segmentation_of_array(
    array: np.ndarray, labels: Sequence[LabelInfo], ijk_to_parent: np.ndarray
) -> Steps[slicer.vtkSegmentation]:
    """As :func:`build_segmentation`, of an array ``(K, J, I)`` or ``(J, I)`` in memory."""
    array = array[None] if array.ndim == 2 else array
    matrix = matrix_of(ijk_to_parent)
    box = yield from _bounding_box(array)
    image = slicer.vtkOrientedImageData()
    image.SetExtent(*(n for s in reversed(box) for n in (s.start, s.stop - 1)))
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR if array.dtype == np.uint8 else vtk.VTK_UNSIGNED_SHORT, 1)
    part = array[box]
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(part.shape)
    step = max(1, SLAB // max(1, part[0].size))
    for k in range(0, len(part), step):
        voxels[k : k + step] = part[k : k + step]
        yield 0.5 + 0.5 * min(1.0, (k + step) / len(part))
    image.SetImageToWorldMatrix(matrix)
    return _segmentation(image, labels, _reference_geometry(matrix, array.shape))


def _bounding_box(array: np.ndarray) -> Steps[Box]:
    """The part of an array that is not zero; one voxel where all of it is."""
    step = max(1, SLAB // max(1, array[0].size))
    along_k = np.zeros(array.shape[0], bool)
    in_plane = np.zeros(array.shape[1:], bool)
    for k in range(0, len(array), step):
        slab = array[k : k + step]
        here = slab.max(axis=0) > 0
        if here.any():
            along_k[k : k + step] = slab.reshape(len(slab), -1).max(axis=1) > 0
            in_plane |= here
        yield 0.5 * min(1.0, (k + step) / len(array))
    if not in_plane.any():
        return slice(0, 1), slice(0, 1), slice(0, 1)
    return _reach(along_k), _reach(np.any(in_plane, axis=1)), _reach(np.any(in_plane, axis=0))


def _reach(line: np.ndarray) -> slice:
    places = np.flatnonzero(line)
    return slice(int(places[0]), int(places[-1]) + 1)


def _reference_geometry(matrix: vtk.vtkMatrix4x4, shape: tuple[int, ...]) -> str:
    whole = vtk.vtkImageData()
    whole.SetDimensions(*reversed(shape))
    return str(slicer.vtkSegmentationConverter.SerializeImageGeometry(matrix, whole))


def _segmentation(
    image: slicer.vtkOrientedImageData, labels: Sequence[LabelInfo], geometry: str
) -> slicer.vtkSegmentation:
    segmentation = slicer.vtkSegmentation()
    converter = slicer.vtkSegmentationConverter
    binary = converter.GetSegmentationBinaryLabelmapRepresentationName()
    segmentation.SetSourceRepresentationName(binary)
    segmentation.SetConversionParameter(converter.GetReferenceImageGeometryParameterName(), geometry)
    for label in labels:
        segment = slicer.vtkSegment()
        segment.SetName(label.name)
        segment.SetColor(*label.color)
        segment.SetTag(segment.GetTerminologyEntryTagName(), terminology_of(label.name))
        segment.AddRepresentation(binary, image)
        segment.SetLabelValue(label.value)
        segmentation.AddSegment(segment, f"Label_{label.value}")
    return segmentation


def segmentation_name(volume: slicer.vtkMRMLVolumeNode) -> str:
    """What the segmentation of a volume is called."""
    return _("{volume} segmentation").format(volume=volume.GetName())
