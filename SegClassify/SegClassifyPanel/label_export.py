"""A segmentation node to a label map that the worker maps, on the grid of an image, in small pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

from SegClassifyPanel.chunks import Steps
from SegClassifyPanel.geometry import array_of, matrix_of, placement
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.volumes import ExportedVolume, VolumeError, file_grid

make_importable()

from SegClassifyLib.worker.job_messages import VolumeSource  # noqa: E402
from SegClassifyLib.worker.model_messages import LabelInfo  # noqa: E402
from SegClassifyLib.worker.set_messages import SegmentationSource  # noqa: E402

SLAB = 2 << 20
"""Voxels worked on at a stretch."""

SAME = 0.05
"""How far, in voxels, a segment's grid may lie off the image's to be copied instead of resampled."""


@dataclass(frozen=True)
class Grid:
    """Where a label map is wanted.

    Args:
        shape: ``(K, J, I)``.
        ijk_to_parent: 4 x 4 RAS, in the coordinates of ``transform_id``.
        transform_id: node ID of the image's parent transform; empty for the world.
        source: spacing, origin and direction as the worker gets them.
    """

    shape: tuple[int, ...]
    ijk_to_parent: np.ndarray
    transform_id: str
    source: VolumeSource


def grid_of_export(exported: ExportedVolume) -> Grid:
    """The grid on which an image was written."""
    shape = np.load(exported.source.array, mmap_mode="r", allow_pickle=False).shape
    return Grid(shape, exported.ijk_to_parent, exported.transform_id, exported.source)


def grid_of_file(volume: slicer.vtkMRMLVolumeNode) -> Grid:
    """The grid of the file that a volume was loaded from: transforms that lie over it now do not count."""
    shape, matrix = file_grid(volume)
    where = placement(matrix)
    source = VolumeSource(volume.GetName(), "", where.spacing, where.origin, where.direction)
    return Grid(shape, matrix, volume.GetTransformNodeID() or "", source)


def segment_labels(node: slicer.vtkMRMLSegmentationNode) -> tuple[LabelInfo, ...]:
    """What the segments of a node become: 1, 2, … in their order, background left out."""
    segmentation = node.GetSegmentation()
    labels = []
    for number in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(number)
        red, green, blue = (float(c) for c in segment.GetColor())
        labels.append(LabelInfo(number + 1, segment.GetName(), (red, green, blue)))
    return tuple(labels)


def export_labels(node: slicer.vtkMRMLSegmentationNode, grid: Grid, path: Path) -> Steps[SegmentationSource]:
    """Write a segmentation as one label map; where segments overlap, one of them is kept.

    Args:
        node: its segments become the labels.
        grid: of the image.
        path: of the .npy file.

    Raises:
        VolumeError: it has no segments, or cannot be brought to the grid.
        OSError: the file cannot be written.
    """
    labels = segment_labels(node)
    if not labels:
        raise VolumeError(_("“{node}” has no segments: draw one first.").format(node=node.GetName()))
    dtype = np.dtype(np.uint8 if labels[-1].value < 256 else np.uint16)
    out = np.lib.format.open_memmap(path, "w+", dtype, grid.shape)
    try:
        segmentation = _with_voxels(node, grid)
        layers = _layers(segmentation, labels)
        for number, (image, values) in enumerate(layers):
            yield number / len(layers)
            image = _in_coordinates_of(node, grid, image)
            start = _offset(image, grid)
            if start is None:
                image, start = _resampled(image, grid), (0, 0, 0)
            for fraction in _copy(image, start, values, out):
                yield (number + fraction) / len(layers)
        out.flush()
    finally:
        del out  # the worker maps the file next
    return SegmentationSource(replace(grid.source, name=node.GetName(), array=str(path)), labels)


def _with_voxels(node: slicer.vtkMRMLSegmentationNode, grid: Grid) -> slicer.vtkSegmentation:
    """The node's segmentation; where it has surfaces only, a copy of which voxels are made.

    The caller keeps it as long as it needs the voxels: a segmentation that goes wipes them out of shared images.
    """
    segmentation, converter = node.GetSegmentation(), slicer.vtkSegmentationConverter
    binary = converter.GetSegmentationBinaryLabelmapRepresentationName()
    if segmentation.ContainsRepresentation(binary):
        return segmentation
    copy = slicer.vtkSegmentation()
    copy.DeepCopy(segmentation)
    whole = vtk.vtkImageData()
    whole.SetDimensions(*reversed(grid.shape))
    geometry = converter.SerializeImageGeometry(matrix_of(grid.ijk_to_parent), whole)
    copy.SetConversionParameter(converter.GetReferenceImageGeometryParameterName(), geometry)
    if not copy.CreateRepresentation(binary):
        raise VolumeError(
            _("“{node}” has no voxels that could be saved: open it in the module Segment Editor.").format(
                node=node.GetName()
            )
        )
    return copy


def _layers(
    segmentation: slicer.vtkSegmentation, labels: Sequence[LabelInfo]
) -> list[tuple[slicer.vtkOrientedImageData, dict[int, int]]]:
    """Each image that segments share, with its values and what they are to become."""
    binary = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    found: dict[str, tuple[slicer.vtkOrientedImageData, dict[int, int]]] = {}
    for label in labels:
        segment = segmentation.GetNthSegment(label.value - 1)
        image = segment.GetRepresentation(binary)
        if image is None or image.GetNumberOfPoints() == 0 or image.GetPointData().GetScalars() is None:
            continue
        key = image.GetAddressAsString("vtkOrientedImageData")
        found.setdefault(key, (image, {}))[1][int(segment.GetLabelValue())] = label.value
    return list(found.values())


def _in_coordinates_of(
    node: slicer.vtkMRMLSegmentationNode, grid: Grid, image: slicer.vtkOrientedImageData
) -> slicer.vtkOrientedImageData:
    """The image in the coordinates of the grid: its own where both lie under the same transform."""
    if (node.GetTransformNodeID() or "") == grid.transform_id:
        return image
    moved = slicer.vtkOrientedImageData()
    moved.DeepCopy(image)
    slicer.vtkSlicerSegmentationsModuleLogic.ApplyParentTransformToOrientedImageData(node, moved, False)
    if not grid.transform_id:
        return moved
    over = slicer.mrmlScene.GetNodeByID(grid.transform_id)
    back = vtk.vtkMatrix4x4()
    if over is None or not over.IsTransformToWorldLinear() or not over.GetMatrixTransformToWorld(back):
        raise VolumeError(
            _("“{node}” and its image lie under different transforms: put both under the same one.").format(
                node=node.GetName()
            )
        )
    back.Invert()
    place = vtk.vtkMatrix4x4()
    moved.GetImageToWorldMatrix(place)
    vtk.vtkMatrix4x4.Multiply4x4(back, place, place)
    moved.SetImageToWorldMatrix(place)
    return moved


def _offset(image: slicer.vtkOrientedImageData, grid: Grid) -> tuple[int, int, int] | None:
    """Where the image's voxel (0, 0, 0) lies on the grid, i, j, k; ``None`` where it is not a part of the grid."""
    place = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(place)
    relative = np.linalg.inv(grid.ijk_to_parent) @ array_of(place)
    shift = relative[:3, 3]
    largest = max(grid.shape)
    if np.abs(relative[:3, :3] - np.eye(3)).max() * largest > SAME:
        return None
    if np.abs(shift - np.round(shift)).max() > SAME:
        return None
    i, j, k = (round(float(n)) for n in shift)
    return i, j, k


def _resampled(image: slicer.vtkOrientedImageData, grid: Grid) -> slicer.vtkOrientedImageData:
    reference = slicer.vtkOrientedImageData()
    reference.SetDimensions(*reversed(grid.shape))
    reference.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    reference.SetImageToWorldMatrix(matrix_of(grid.ijk_to_parent))
    result = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        image, reference, result, False, False
    )
    return result


def _copy(
    image: slicer.vtkOrientedImageData, start: tuple[int, int, int], values: dict[int, int], out: np.ndarray
) -> Steps[None]:
    """Write the values of an image into the label map, slab by slab; what lies outside of it is left out."""
    scalars = image.GetPointData().GetScalars() if image.GetNumberOfPoints() else None
    if scalars is None:
        return
    array = vtk_to_numpy(scalars).reshape(tuple(reversed(image.GetDimensions())))
    extent = image.GetExtent()
    low = [extent[2 * axis] + start[axis] for axis in (2, 1, 0)]  # k, j, i on the grid
    there = [
        slice(max(0, n), min(size, n + m)) for n, m, size in zip(low, array.shape, out.shape, strict=True)
    ]
    if any(s.start >= s.stop for s in there):
        return
    here = [slice(s.start - n, s.stop - n) for s, n in zip(there, low, strict=True)]
    source, target = array[tuple(here)], out[tuple(there)]
    step = max(1, SLAB // max(1, source[0].size))
    for k in range(0, len(source), step):
        slab, into = source[k : k + step], target[k : k + step]
        for old, new in values.items():
            into[slab == old] = new
        yield min(1.0, (k + step) / len(source))
