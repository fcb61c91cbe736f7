"""A multi-channel file, as the Decathlon stores them (4D NIfTI), taken apart into one file a channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from SegClassifyLib.errors import ImageError


def is_4d(path: Path) -> bool:
    """Whether a file has a fourth dimension; false for folders and for what cannot be read."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return False
    return reader.GetDimension() == 4


def split_channels(path: Path, channels: Sequence[str], folder: Path) -> tuple[Path, ...]:
    """Write each channel of ``path`` to a file of its own in ``folder``, pixels and grid unchanged.

    Args:
        path: a 4D image (x, y, z, channel).
        channels: their names, as many as ``path`` should hold.
        folder: where to.

    Raises:
        ImageError: unreadable, or another number of channels.
    """
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise ImageError(f"{path} cannot be read as an image; check that the file is whole.") from error
    size = image.GetSize()
    collapse = sitk.ExtractImageFilter.DIRECTIONCOLLAPSETOSUBMATRIX
    parts = [sitk.Extract(image, (*size[:3], 0), (0, 0, 0, n), collapse) for n in range(size[3])]
    if len(parts) != len(channels):
        raise ImageError(
            f"{path} holds {len(parts)} channel(s), but {len(channels)} are wanted ({', '.join(channels)}); "
            "give one file a channel, or a file that holds them all."
        )
    targets = tuple(folder / f"{n:04d}.nii.gz" for n in range(len(parts)))
    for part, target in zip(parts, targets, strict=True):
        sitk.WriteImage(part, str(target), useCompression=True)
    return targets
