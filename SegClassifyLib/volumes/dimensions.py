"""A volume of a single slice as a 2D image, and a 2D label map back on the slice it belongs to."""

from __future__ import annotations

import numpy as np

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, LabelMap


def flatten(image: Image) -> Image:
    """The 2D image in a volume that is one voxel thick; a 2D image is returned as it is.

    Args:
        image: ``(C, D, H, W)`` with D, H or W equal to 1, or ``(C, H, W)``.

    Raises:
        ImageError: the volume has several slices.
    """
    if image.geometry.ndim == 2:
        return image
    if 1 not in image.geometry.size:
        size = " x ".join(map(str, image.geometry.size))
        raise ImageError(
            f"{image.name} is a volume of {size} voxels where a single 2D image is wanted: "
            "save the slice you want as an image of its own."
        )
    flat = image.array.squeeze(axis=3 - thin_axis(image.geometry))
    return Image(flat, flatten_geometry(image.geometry), image.sources)


def lift(label_map: LabelMap, geometry: Geometry) -> LabelMap:
    """A 2D label map on the single-slice volume that :func:`flatten` took its image from.

    Args:
        label_map: ``(H, W)``.
        geometry: the 3D grid, one voxel thick along some axis.

    Raises:
        ValueError: the grid is not that of the flattened volume.
    """
    single = geometry.ndim == 3 and 1 in geometry.size
    if not single or label_map.array.shape != flatten_geometry(geometry).shape:
        raise ValueError(f"a label map {label_map.array.shape} does not fit a grid of shape {geometry.shape}")
    return LabelMap(label_map.array.reshape(geometry.shape), geometry, label_map.labels)


def thin_axis(geometry: Geometry) -> int:
    """Which axis (0 x, 1 y, 2 z) of a single-slice volume is one voxel long; z where several are."""
    return max(axis for axis, n in enumerate(geometry.size) if n == 1)


def flatten_geometry(geometry: Geometry) -> Geometry:
    """The 2D grid of a single-slice volume.

    Its world axes are those of the picture on a DICOM viewer: to the patient's left and posterior for an
    axial slice, left and inferior for a coronal, posterior and inferior for a sagittal one.
    """
    thin = thin_axis(geometry)
    kept = [axis for axis in range(3) if axis != thin]
    normal = int(np.abs(geometry.matrix[:, thin]).argmax())
    rows = [axis for axis in range(3) if axis != normal]
    down = np.array([1.0, -1.0 if rows[1] == 2 else 1.0])
    block = geometry.matrix[np.ix_(rows, kept)] * down[:, None]
    # An oblique slice seen along the nearest axis is foreshortened: the nearest rotation undoes that.
    u, _, v = np.linalg.svd(block)
    return Geometry(
        tuple(geometry.size[a] for a in kept),
        tuple(geometry.spacing[a] for a in kept),
        tuple((np.asarray(geometry.origin)[rows] * down).tolist()),
        tuple((u @ v).ravel().tolist()),
    )


def unflatten_geometry(geometry: Geometry) -> Geometry:
    """A 2D grid as an axial slice 1 mm thick, for file formats that know volumes only."""
    matrix = np.eye(3)
    matrix[:2, :2] = geometry.matrix
    return Geometry(
        (*geometry.size, 1), (*geometry.spacing, 1.0), (*geometry.origin, 0.0), tuple(matrix.ravel().tolist())
    )
