"""What the panel names as images, a mapped .npy file or a file on disk, as the library's :class:`Image`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from SegClassifyLib.errors import ImageError
from SegClassifyLib.preprocessing.spec import PreprocessingSpec
from SegClassifyLib.progress import Progress
from SegClassifyLib.volumes.bridge import smallest_unsigned
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, LabelMap
from SegClassifyLib.volumes.loading import upright
from SegClassifyLib.volumes.read import check_values, join_channels, read_image
from SegClassifyLib.worker.job_messages import FileSource, VolumeSource


def load_case(
    sources: Sequence[VolumeSource | FileSource],
    wanted: PreprocessingSpec,
    model: str,
    progress: Progress | None = None,
) -> Image:
    """All channels of a case on the grid of the first.

    Args:
        sources: one a channel, in the model's order.
        wanted: what the model takes.
        model: its name, for sentences.
        progress: told channel by channel; may cancel.

    Returns:
        ``(C, D, H, W)``, or ``(C, H, W)`` for 2D files. A volume that is alone stays mapped from its file.

    Raises:
        ImageError: too many or too few, one cannot be used, or they do not fit together or the model.
        Cancelled: asked to stop.
    """
    progress = progress or Progress()
    names = [channel.name for channel in wanted.channels]
    if len(sources) != len(names):
        raise ImageError(
            f"{len(sources)} image(s) given where {model} needs {len(names)}: {', '.join(names)}, in this order."
        )
    images = []
    for number, source in enumerate(sources):
        progress.report("Reading", number, len(sources))
        images.append(map_volume(source) if isinstance(source, VolumeSource) else read_image(source.path))
    image = join_channels(images, names)
    size = image.geometry.size
    if wanted.ndim == 3 and (len(size) == 2 or 1 in size):
        raise ImageError(
            f"{image.name} is a single 2D image and {model} works on 3D volumes: choose the whole volume, or a model "
            "for 2D images."
        )
    return image


def map_volume(source: VolumeSource) -> Image:
    """A volume from its .npy file, its voxels mapped and not copied where their type allows.

    Args:
        source: see :class:`VolumeSource`.

    Returns:
        ``(1, D, H, W)``: what :func:`read_image` would give for the same volume in a file, its dtype included.

    Raises:
        ImageError: the file is not there or not whole, or what it holds is no volume.
    """
    array = _voxels(source)
    if array.dtype.kind not in "biuf":
        raise ImageError(
            f"{source.name} holds values that are no real numbers ({array.dtype}): convert it first."
        )
    if array.ndim != 3:
        raise ImageError(
            f"{source.name} has {array.ndim} dimensions where a volume has 3, so its voxels may be colours or points "
            "in time: convert it to a scalar volume first."
        )
    if 0 in array.shape:
        raise ImageError(f"{source.name} has no voxels: load the volume again.")
    geometry = upright(_geometry(source, array.shape), Path(source.name))
    check_values(array, Path(source.name))
    return Image(_usual_type(array)[None], geometry, (Path(source.name),))


def map_labels(source: VolumeSource) -> LabelMap:
    """A label map from its .npy file; its values may be all the same, as in an empty one.

    Returns:
        ``(D, H, W)``, unsigned integers.

    Raises:
        ImageError: the file is not there or not whole, or what it holds are no labels.
    """
    array = _voxels(source)
    if array.ndim != 3 or 0 in array.shape or array.dtype.kind not in "biu":
        raise ImageError(
            f"{source.name} is no label map (an array of {array.dtype}, {array.shape}): give a volume of whole "
            "numbers."
        )
    if array.min() < 0:
        raise ImageError(
            f"{source.name} holds the value {array.min()}, which cannot be a label: number labels from 0 "
            "(background) upwards."
        )
    geometry = upright(_geometry(source, array.shape), Path(source.name))
    return LabelMap(smallest_unsigned(array), geometry)


def _voxels(source: VolumeSource) -> np.ndarray:
    try:
        # Not numpy.load: that takes pickles too, and reading one executes what it says.
        return np.asarray(np.lib.format.open_memmap(source.array, mode="r"))
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError(
            f"The voxels of {source.name} cannot be read from {source.array} ({reason}): check the free space of that "
            "disk and classify again."
        ) from error


def _geometry(source: VolumeSource, shape: tuple[int, ...]) -> Geometry:
    numbers = (*source.spacing, *source.origin, *source.direction)
    if not all(math.isfinite(x) for x in numbers) or min(source.spacing) <= 0:
        raise ImageError(
            f"{source.name} has a spacing or position that makes no sense (spacing {source.spacing}, origin "
            f"{source.origin}): correct it, in 3D Slicer in the module Volumes."
        )
    return Geometry(tuple(reversed(shape)), source.spacing, source.origin, source.direction)


def _usual_type(array: np.ndarray) -> np.ndarray:
    """A type that all of the library takes; most arrays are returned as they are."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind == "f" and array.dtype.itemsize != 4:
        return array.astype(np.float32)
    return array
