"""An image on another grid."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from SegClassifyLib.volumes.bridge import to_sitk
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image


def resample_image(image: Image, geometry: Geometry, background: float | None = None) -> Image:
    """All channels on another grid, by linear interpolation.

    Args:
        image: ``(C, D, H, W)`` or ``(C, H, W)``.
        geometry: the wanted grid, of as many dimensions.
        background: grey value outside the image; ``None`` takes the least value of each channel (air in CT).

    Returns:
        float32, whatever the image was: interpolated values are no whole numbers.

    Raises:
        ValueError: the grid has another number of dimensions.
    """
    if image.geometry.ndim != geometry.ndim:
        raise ValueError(f"a {image.geometry.ndim}D image cannot be resampled to a {geometry.ndim}D grid")
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(geometry.size)
    resampler.SetOutputSpacing(geometry.spacing)
    resampler.SetOutputOrigin(geometry.origin)
    resampler.SetOutputDirection(geometry.direction)
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetOutputPixelType(sitk.sitkFloat32)
    array = np.empty((len(image.array), *geometry.shape), np.float32)
    for channel, result in zip(image.array, array, strict=True):
        resampler.SetDefaultPixelValue(float(channel.min()) if background is None else background)
        result[:] = sitk.GetArrayFromImage(resampler.Execute(to_sitk(channel, image.geometry)))
    return Image(array, geometry, image.sources)
