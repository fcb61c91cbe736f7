"""Writing label maps and images, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.atomic import written_whole
from SegClassifyLib.volumes.bridge import smallest_unsigned, to_sitk
from SegClassifyLib.volumes.dimensions import flatten_geometry, unflatten_geometry
from SegClassifyLib.volumes.formats import ending, kind_by_ending
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label, LabelMap
from SegClassifyLib.volumes.integrity import check_length, check_stream
from SegClassifyLib.volumes.labels import distinct_colour
from SegClassifyLib.volumes.loading import read_header, stored_bytes_per_voxel
from SegClassifyLib.volumes.segments import segment_header

_VOLUMES = (".nii", ".nii.gz", ".nrrd", ".mha")
_PICTURES = (".png", ".tif", ".tiff")


def write_label_map(label_map: LabelMap, path: str | os.PathLike[str]) -> None:
    """Write a segmentation on its own grid.

    Args:
        label_map: ``(D, H, W)`` or ``(H, W)``. A .seg.nrrd file keeps names and colours, and is always 3D: a 2D
            map becomes one slice.
        path: ending in .nii, .nii.gz, .nrrd, .seg.nrrd or .mha; .png and .tif for 2D.

    Raises:
        ImageError: another ending, a folder or disk that cannot be written, or a 3D map as a picture. A file
            that was there before is then untouched.
    """
    path = Path(path)
    _check_ending(path, (*_VOLUMES, ".seg.nrrd", *_PICTURES), "label map")
    array, geometry = smallest_unsigned(label_map.array), label_map.geometry
    if ending(path) in _PICTURES:
        array, geometry = _flat(array, geometry, path)
        if array.dtype.itemsize > 2:
            raise ImageError(f"{path} cannot hold labels above 65535: write NRRD or NIfTI.")
    if ending(path) != ".seg.nrrd":
        _write(to_sitk(array, geometry), path)
        return
    if geometry.ndim == 2:
        array, geometry = array[None], unflatten_geometry(geometry)
    image = to_sitk(array, geometry)
    for key, value in segment_header(_all_labels(array, label_map.labels), geometry).items():
        image.SetMetaData(key, value)
    _write(image, path)


def write_image(image: Image, path: str | os.PathLike[str]) -> None:
    """Write an image on its own grid.

    Args:
        image: ``(C, D, H, W)`` or ``(C, H, W)``; several channels become the components of each voxel (read
            them with ``colour="channels"``).
        path: ending in .nii, .nii.gz, .nrrd or .mha; .png and .tif for whole numbers in 2D.

    Raises:
        ImageError: the format cannot hold the image, or the folder or disk cannot be written. A file that was
            there before is then untouched.
    """
    path = Path(path)
    _check_ending(path, (*_VOLUMES, *_PICTURES), "image")
    array, geometry = image.array, image.geometry
    if ending(path) in _PICTURES:
        if array.dtype not in (np.uint8, np.uint16, np.bool_) or len(array) not in (1, 3):
            raise ImageError(
                f"{path} can hold one or three channels of 8 or 16 bits, not {len(array)} of {array.dtype}: write "
                "NRRD or NIfTI."
            )
        array, geometry = _flat(array, geometry, path)
    array = array[0] if len(array) == 1 else np.ascontiguousarray(np.moveaxis(array, 0, -1))
    _write(to_sitk(array, geometry), path)


def _write(image: sitk.Image, path: Path) -> None:
    kind = kind_by_ending(path)
    assert kind is not None
    with written_whole(path) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True)
        try:
            # ITK says nothing when the disk fills up under a NIfTI file.
            reader = read_header(temporary, kind)
            payload = check_length(temporary, kind, reader.GetSize(), stored_bytes_per_voxel(reader))
            check_stream(temporary, payload)
        except ImageError as error:
            raise OSError("incomplete") from error


def _check_ending(path: Path, allowed: tuple[str, ...], what: str) -> None:
    if ending(path) not in allowed:
        raise ImageError(f"{path} cannot be written as a {what}: end its name in {', '.join(allowed)}.")


def _flat(array: np.ndarray, geometry: Geometry, path: Path) -> tuple[np.ndarray, Geometry]:
    if geometry.ndim == 2:
        return array, geometry
    if 1 not in geometry.size:
        raise ImageError(f"{path} can hold a single slice, not a volume: write NRRD or NIfTI.")
    flat = flatten_geometry(geometry)
    return array.reshape(*array.shape[: array.ndim - 3], *flat.shape), flat


def _all_labels(array: np.ndarray, labels: tuple[Label, ...]) -> tuple[Label, ...]:
    """The labels with names, and those in the map without one: Slicer drops voxels of no segment."""
    named = {label.value for label in labels}
    unnamed = [int(v) for v in np.unique(array) if v != 0 and int(v) not in named]
    return (*labels, *(Label(v, f"label {v}", distinct_colour(v - 1)) for v in unnamed))
