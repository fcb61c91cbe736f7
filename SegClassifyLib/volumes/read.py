"""Reading images, channels and label maps: every mistake a file can hold ends in one sentence."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.bridge import smallest_unsigned
from SegClassifyLib.volumes.colour import Colour, to_channels
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, LabelMap
from SegClassifyLib.volumes.loading import Loaded, load
from SegClassifyLib.volumes.matching import described, overlap, place_on
from SegClassifyLib.volumes.resample import resample_image
from SegClassifyLib.volumes.segments import combine_layers, read_segments

AnyPath = str | os.PathLike[str]


def read_image(path: AnyPath, colour: Colour = "refuse") -> Image:
    """Read one image.

    Args:
        path: a NIfTI, NRRD, MetaImage, DICOM, PNG, JPEG or TIFF file, or the folder of one DICOM series.
        colour: what to do with voxels of several values: "refuse" takes only grey stored as colour, "grey"
            makes colours to brightness, "channels" gives each component as a channel.

    Returns:
        ``(1, D, H, W)``, or ``(1, H, W)`` for pictures and 2D files; more channels only with "channels". The
        file's own dtype, but 64-bit floats as float32. Pictures get a plain grid of 1 mm.

    Raises:
        ImageError: the file is missing, damaged, too large, 4D or in colour, or its values are not finite or
            all the same.
    """
    path = Path(path)
    loaded = load(path)
    if loaded.components > 1:
        array = to_channels(loaded.array, loaded.kind, colour, path)
    else:
        array = loaded.array.reshape(1, *loaded.geometry.shape)
    check_values(array, path)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return Image(array, loaded.geometry, (path,))


def read_channels(paths: Sequence[AnyPath], names: Sequence[str] = ()) -> Image:
    """Read all channels of a case onto the first one's grid.

    Args:
        paths: one file or DICOM folder a channel, in the model's order. A single colour picture may stand for
            several names.
        names: of the channels, for counting and for sentences; may be left out.

    Returns:
        ``(C, D, H, W)`` or ``(C, H, W)``. Channels on another grid are resampled linearly, and then all are
        float32; otherwise the channels' common dtype.

    Raises:
        ImageError: a channel cannot be read, there are too many or too few, they mix 2D and 3D, or one lies
            elsewhere in the patient.
    """
    single = len(paths) == 1 and len(names) > 1
    return join_channels([read_image(p, "channels" if single else "refuse") for p in paths], names)


def join_channels(images: Sequence[Image], names: Sequence[str] = ()) -> Image:
    """The channels of a case, read or made one by one, on the first one's grid.

    Args:
        images: in the model's order, one channel each; or a single one with all channels.
        names, returns, raises: as :func:`read_channels`.
    """
    _check_count(images, names)
    if len(images) == 1:
        return images[0]
    grid = images[0].geometry
    if any(image.geometry.ndim != grid.ndim for image in images):
        kinds = ", ".join(f"{image.name} is {image.geometry.ndim}D" for image in images)
        raise ImageError(f"The channels of a case must be all 2D or all 3D ({kinds}): give matching images.")
    same = [image.geometry.is_close(grid, 0.01) for image in images]
    dtype = np.result_type(*(image.array for image in images))
    if not all(same) or dtype == np.float64:
        dtype = np.dtype(np.float32)
    array = np.empty((len(images), *grid.shape), dtype)
    for i, (image, fits) in enumerate(zip(images, same, strict=True)):
        if not fits and not overlap(image.geometry, grid):
            raise ImageError(
                f"{image.name}{_named(names, i)} shows another part of the body than {images[0].name} "
                f"({described(image.geometry)}; {described(grid)}): give images of the same region."
            )
        array[i] = (image if fits else resample_image(image, grid)).array[0]
    return Image(array, grid, tuple(source for image in images for source in image.sources))


def read_label_map(path: AnyPath, like: Geometry | None = None) -> LabelMap:
    """Read a segmentation.

    Args:
        path: an image file of whole numbers, or a .seg.nrrd file of 3D Slicer. In pictures whose values are 0 and
            255 only, 255 is read as label 1.
        like: the grid of the image that it belongs to. Axes in another order or direction are turned; a
            .seg.nrrd cropped to its segments is put back; a picture, which has no position, need only have
            the size.

    Returns:
        ``(D, H, W)`` or ``(H, W)``, the narrowest unsigned integers that hold the values; labels where the
        file names them.

    Raises:
        ImageError: the file cannot be read, its values are no labels, or it lies on another grid than ``like``.
    """
    path = Path(path)
    loaded = load(path)
    segments = read_segments(loaded.metadata)
    if segments:
        layers = loaded.array.reshape(*loaded.geometry.shape, loaded.components)
        array, labels = combine_layers(_whole_numbers(layers, path), segments, path)
    else:
        array, labels = _whole_numbers(_one_value(loaded, path), path), ()
    if loaded.kind == "picture":
        array = _picture_labels(array, path)
    label_map = LabelMap(smallest_unsigned(array), loaded.geometry, labels)
    if like is None:
        return label_map
    return place_on(label_map, like, path, loaded.kind, is_segmentation=bool(segments))


def check_values(array: np.ndarray, path: Path) -> None:
    """Refuse what no network can see anything in.

    Args:
        array: any real dtype.
        path: what to call it in the sentence.

    Raises:
        ImageError: values are not finite, beyond float32, or all the same.
    """
    low, high = array.min(), array.max()
    # NaN and infinities show in the extremes; counting them is for the sentence.
    if not (np.isfinite(low) and np.isfinite(high)):
        count = array.size - int(np.count_nonzero(np.isfinite(array)))
        share = "all its voxels" if count == array.size else f"{count} of its {array.size} voxels"
        raise ImageError(
            f"{path} has {share} not a number or infinite: replace them, for example by 0 outside the body."
        )
    if array.dtype == np.float64 and max(abs(low), abs(high)) > np.finfo(np.float32).max:
        raise ImageError(f"{path} has values beyond 3.4e38: rescale it.")
    if low == high:
        raise ImageError(
            f"{path} has the same value ({low:g}) in every voxel, so there is nothing to see: export it again."
        )


def _check_count(images: Sequence[Image], names: Sequence[str]) -> None:
    if not images:
        raise ImageError("A case needs at least one image: give its file.")
    count = sum(len(image.array) for image in images)
    if names and count != len(names):
        given = ", ".join(image.name for image in images)
        raise ImageError(
            f"{len(names)} channel(s) are wanted ({', '.join(names)}) and {count} given ({given}): give one image "
            "for each, in this order."
        )


def _named(names: Sequence[str], index: int) -> str:
    return f" (channel {names[index]})" if index < len(names) else ""


def _one_value(loaded: Loaded, path: Path) -> np.ndarray:
    if loaded.components == 1:
        return loaded.array.reshape(loaded.geometry.shape)
    try:
        return to_channels(loaded.array, loaded.kind, "refuse", path)[0]
    except ImageError as error:
        raise ImageError(
            f"{path} is in colour and no label map: save it as a grey image whose values are the labels."
        ) from error


def _whole_numbers(array: np.ndarray, path: Path) -> np.ndarray:
    """The array as non-negative integers of its own width."""
    if array.dtype.kind == "f":
        if not np.isfinite(array.min()) or not np.isfinite(array.max()) or (np.rint(array) != array).any():
            raise ImageError(
                f"{path} holds values that are no whole numbers, so it is no label map (an image or a probability "
                "map?): give the segmentation, or threshold it."
            )
    elif array.dtype.kind not in "iub":
        raise ImageError(f"{path} holds values that are no labels: give a segmentation of whole numbers.")
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > np.iinfo(np.uint32).max:
        raise ImageError(
            f"{path} holds the value {low if low < 0 else high:g}, which cannot be a label: number labels from 0 "
            "(background) upwards."
        )
    return array.astype(np.uint32) if array.dtype.kind == "f" else array


def _picture_labels(array: np.ndarray, path: Path) -> np.ndarray:
    values = np.unique(array)
    if values[-1] == 255 and set(values.tolist()) <= {0, 255}:
        return (array == 255).astype(np.uint8)
    if path.suffix.lower() in (".jpg", ".jpeg") and values[-1] > 0:
        raise ImageError(
            f"{path} is a JPEG picture, whose compression blurs label values: save the label map as PNG."
        )
    return array
