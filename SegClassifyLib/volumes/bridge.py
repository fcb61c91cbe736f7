"""Between SimpleITK's images and ours: arrays with a geometry beside them."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from SegClassifyLib.volumes.geometry import Geometry

# What goes wrong is said in our own sentences; ITK's C++ warnings on stderr would only confuse.
sitk.ProcessObject.SetGlobalWarningDisplay(False)


def geometry_of(image: sitk.Image) -> Geometry:
    """The grid of a SimpleITK image."""
    # + 0.0 turns -0.0 into 0.0, so that equal grids also hash alike
    origin, direction = (
        tuple(v + 0.0 for v in values) for values in (image.GetOrigin(), image.GetDirection())
    )
    return Geometry(image.GetSize(), image.GetSpacing(), origin, direction)


def to_sitk(array: np.ndarray, geometry: Geometry) -> sitk.Image:
    """A SimpleITK image.

    Args:
        array: ``(D, H, W)`` or ``(H, W)``, any real dtype; a vector image has a trailing axis of components.
        geometry: its grid.
    """
    if array.dtype == np.bool_:
        array = array.view(np.uint8)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    elif not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    image = sitk.GetImageFromArray(array, isVector=array.ndim > geometry.ndim)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    return image


def smallest_unsigned(array: np.ndarray) -> np.ndarray:
    """The same non-negative whole numbers in the narrowest of uint8, uint16, uint32 that holds them."""
    top = int(array.max()) if array.size else 0
    dtype = next(t for t in (np.uint8, np.uint16, np.uint32, np.uint64) if top <= np.iinfo(t).max)
    return array if array.dtype == dtype else array.astype(dtype)
