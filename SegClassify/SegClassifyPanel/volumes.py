"""A volume node to a .npy file that the worker maps, in pieces so small that Slicer does not notice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

from SegClassifyPanel.chunks import Steps, scaled
from SegClassifyPanel.geometry import array_of, is_sheared, placement
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.straighten import straightened

make_importable()

from SegClassifyLib.worker.protocol import VolumeSource  # noqa: E402

SLAB = 2 << 20
"""Bytes written at a stretch."""

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
"""Red, green and blue to grey (ITU-R BT.601)."""


class VolumeError(ValueError):
    """A volume cannot be used; the message is a sentence for the user."""


@dataclass(frozen=True)
class ExportedVolume:
    """A volume as the worker gets it.

    Args:
        source: what goes into the request; in world coordinates.
        ijk_to_parent: 4 x 4 RAS matrix of the written grid, in the coordinates of ``transform_id``.
        transform_id: node ID of the transform that the volume, and what is made of it, lies under; may be empty.
        notes: sentences on what was done to it.
    """

    source: VolumeSource
    ijk_to_parent: np.ndarray
    transform_id: str
    notes: tuple[str, ...]


def export_volume(node: slicer.vtkMRMLVolumeNode, path: Path) -> Steps[ExportedVolume]:
    """Write a volume's voxels, and say where they lie in the world.

    A volume under a linear transform is written as it is, at its place in the world; one that a transform shears or
    warps is resampled onto a straight grid in world coordinates.

    Args:
        node: scalar volume, or a colour image, which becomes grey.
        path: of the .npy file: ``(K, J, I)``, ``(1, H, W)`` for a single slice in whichever plane.

    Raises:
        VolumeError: it holds no voxels, or they are neither grey nor colours.
        OSError: the file cannot be written.
    """
    name = node.GetName()
    image = node.GetImageData()
    _check(node, image)
    notes: list[str] = []
    ijk_to_parent, transform_id, to_world = _place(node)
    if to_world is None or is_sheared(to_world):
        notes.append(
            _("{volume} lies under a transform that bends or shears it, so it was resampled first.").format(
                volume=name
            )
        )
        image, ijk_to_parent = yield from straightened(node)
        transform_id, to_world = "", ijk_to_parent
    voxels = voxel_array(image)
    if voxels.ndim == 4:
        notes.append(_("{volume} is in colour: its brightness was used.").format(volume=name))
    order = _slice_first(voxels.shape[:3])
    voxels = voxels.transpose(*order, *range(3, voxels.ndim))
    ijk_to_parent, to_world = _turned(ijk_to_parent, order), _turned(to_world, order)
    yield from write_voxels(voxels, path)
    where = placement(to_world)
    source = VolumeSource(name, str(path), where.spacing, where.origin, where.direction)
    return ExportedVolume(source, ijk_to_parent, transform_id, tuple(notes))


def export_volumes(node_ids: Sequence[str], folder: Path, gone: str) -> Steps[list[ExportedVolume]]:
    """Every volume by :func:`export_volume`, to a file each in ``folder``.

    Raises:
        VolumeError: one is no longer in the scene (told with ``gone``), or cannot be exported.
        OSError: a file cannot be written.
    """
    exported: list[ExportedVolume] = []
    share = 1 / len(node_ids)
    for number, node_id in enumerate(node_ids):
        node = slicer.mrmlScene.GetNodeByID(node_id) if node_id else None
        if node is None:
            raise VolumeError(gone)
        steps = export_volume(node, folder / f"channel-{number}.npy")
        exported.append((yield from scaled(steps, number * share, share)))
    return exported


def file_grid(node: slicer.vtkMRMLVolumeNode) -> tuple[tuple[int, ...], np.ndarray]:
    """``(K, J, I)`` and the 4 x 4 RAS matrix of a volume as :func:`export_volume` writes it, without any transform.

    Raises:
        VolumeError: it holds no voxels.
    """
    image = node.GetImageData()
    _check(node, image)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    shape = tuple(reversed(image.GetDimensions()))
    order = _slice_first(shape)
    return tuple(shape[axis] for axis in order), _turned(array_of(matrix), order)


def _check(node: slicer.vtkMRMLVolumeNode, image: vtk.vtkImageData | None) -> None:
    name = node.GetName()
    if image is None or image.GetNumberOfPoints() == 0 or image.GetPointData().GetScalars() is None:
        raise VolumeError(_("{volume} has no voxels: load the image again.").format(volume=name))
    if image.GetNumberOfScalarComponents() not in (1, 3, 4):
        raise VolumeError(
            _(
                "{volume} has {count} values per voxel, so they are neither grey nor colours: convert it with the "
                "module Vector to Scalar Volume first."
            ).format(volume=name, count=image.GetNumberOfScalarComponents())
        )


def _place(node: slicer.vtkMRMLVolumeNode) -> tuple[np.ndarray, str, np.ndarray | None]:
    """IJK to the parent transform's coordinates, that transform's ID, IJK to world (``None`` where it is no matrix)."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    ijk_to_parent = array_of(matrix)
    transform = node.GetParentTransformNode()
    if transform is None:
        return ijk_to_parent, "", ijk_to_parent
    if not transform.IsTransformToWorldLinear():
        return ijk_to_parent, transform.GetID(), None
    to_world = vtk.vtkMatrix4x4()
    transform.GetMatrixTransformToWorld(to_world)
    return ijk_to_parent, transform.GetID(), array_of(to_world) @ ijk_to_parent


def voxel_array(image: vtk.vtkImageData) -> np.ndarray:
    """``(K, J, I)``, or ``(K, J, I, components)``, sharing memory with the image."""
    scalars = image.GetPointData().GetScalars()
    shape = tuple(reversed(image.GetDimensions()))
    count = scalars.GetNumberOfComponents()
    return vtk_to_numpy(scalars).reshape(shape if count == 1 else (*shape, count))


def _slice_first(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Order of axes that puts that of a single slice first."""
    if shape[0] == 1 or 1 not in shape:
        return (0, 1, 2)
    return (1, 0, 2) if shape[1] == 1 else (2, 0, 1)


def _turned(ijk_to_ras: np.ndarray, order: tuple[int, int, int]) -> np.ndarray:
    """The matrix of a grid whose array ``(K, J, I)`` has its axes in another order."""
    return ijk_to_ras[:, [*(2 - axis for axis in reversed(order)), 3]]


def write_voxels(voxels: np.ndarray, path: Path) -> Steps[None]:
    """``(K, J, I)`` or ``(K, J, I, 3 or 4)`` to a .npy file of ``(K, J, I)``, slab by slab."""
    colour = voxels.ndim == 4
    dtype = np.dtype(np.float32) if colour else voxels.dtype
    shape = voxels.shape[:3]
    rows = voxels.reshape(shape[0] * shape[1], *voxels.shape[2:]) if voxels.flags.c_contiguous else None
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for place, slab in _slabs(voxels, rows):
            grey = slab[..., :3].astype(np.float32) @ LUMINANCE if colour else slab
            file.write(np.ascontiguousarray(grey, dtype).data)
            yield place


def _slabs(voxels: np.ndarray, rows: np.ndarray | None) -> Iterator[tuple[float, np.ndarray]]:
    """Parts of an array in the order of the file, each with how much of it is then behind."""
    parts = voxels if rows is None else rows
    step = max(1, SLAB // max(1, parts[0].nbytes))
    for start in range(0, len(parts), step):
        yield min(1.0, (start + step) / len(parts)), parts[start : start + step]
