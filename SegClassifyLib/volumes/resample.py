"""An image or label map on another grid."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from SegClassifyLib.volumes.bridge import to_sitk
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, LabelMap


def resample_image(image: Image, geometry: Geometry, background: float | None = None) -> Image:
    """All channels on another grid, by linear interpolation.

    Args:
        image: ``(C, D, H, W)`` or ``(C, H, W)``.
        geometry: the wanted grid, of as many dimensions.
        background: grey value outside the image; ``None`` takes the least value of each channel (air in CT).

    Returns:
        float32, whatever the image was: interpolated values are no whole numbers.
    """
    array = np.empty((len(image.array), *geometry.shape), np.float32)
    for channel, result in zip(image.array, array, strict=True):
        outside = float(channel.min()) if background is None else background
        result[:] = _resample(channel, image.geometry, geometry, sitk.sitkLinear, outside, sitk.sitkFloat32)
    return Image(array, geometry, image.sources)


def resample_labels(label_map: LabelMap, geometry: Geometry) -> LabelMap:
    """A label map on another grid, each voxel taking the label of the nearest old one; 0 outside.

    Args:
        label_map: ``(D, H, W)`` or ``(H, W)``, unsigned integers; the dtype stays.
        geometry: the wanted grid, of as many dimensions.
    """
    array = _resample(label_map.array, label_map.geometry, geometry, sitk.sitkNearestNeighbor, 0.0)
    return LabelMap(array.astype(label_map.array.dtype, copy=False), geometry, label_map.labels)


def _resample(
    array: np.ndarray,
    old: Geometry,
    new: Geometry,
    interpolator: int,
    outside: float,
    pixel: int = sitk.sitkUnknown,
) -> np.ndarray:
    if old.ndim != new.ndim:
        raise ValueError(f"a {old.ndim}D image cannot be resampled to a {new.ndim}D grid")
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(new.size)
    resampler.SetOutputSpacing(new.spacing)
    resampler.SetOutputOrigin(new.origin)
    resampler.SetOutputDirection(new.direction)
    resampler.SetInterpolator(interpolator)
    resampler.SetDefaultPixelValue(outside)
    resampler.SetOutputPixelType(pixel)
    return sitk.GetArrayFromImage(resampler.Execute(to_sitk(array, old)))
