"""An image made ready for the network, with the way back to its own grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.errors import ImageError
from SegClassifyLib.preprocessing.grid import GridPath, plan_grid
from SegClassifyLib.preprocessing.intensity import scale_intensity
from SegClassifyLib.preprocessing.spec import PreprocessingSpec
from SegClassifyLib.volumes.dimensions import flatten, lift
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label, LabelMap


@dataclass(frozen=True)
class Prepared:
    """A network's input and where it came from.

    Args:
        array: ``(C, D, H, W)`` or ``(C, H, W)`` float32 on the model grid, padding included.
        path: from the image's grid to the model grid and back.
        original: grid of the image as it was given; 3D for a single slice that goes to a 2D network.
    """

    array: np.ndarray
    path: GridPath
    original: Geometry

    @property
    def spacing(self) -> tuple[float, ...]:
        """Of the model grid, x, y (, z), mm."""
        return self.path.spacing

    def to_model(self, label_map: LabelMap) -> np.ndarray:
        """A label map of the original image on the model grid, ``(*model grid)``."""
        array = label_map.array
        if label_map.geometry.ndim != self.path.native.ndim:
            array = array.reshape(self.path.native.shape)
        return self.path.forward_labels(array)

    def to_original(self, labels: np.ndarray, names: tuple[Label, ...] = ()) -> LabelMap:
        """Labels on the model grid as a label map on the original image's grid."""
        native = LabelMap(self.path.back(labels), self.path.native, names)
        return lift(native, self.original) if self.original.ndim != native.geometry.ndim else native


def preprocess(image: Image, spec: PreprocessingSpec) -> Prepared:
    """Turn, scale, normalise, crop and pad an image as ``spec`` says.

    Args:
        image: as many channels as ``spec`` names, 2D or 3D; a 3D image of one slice also fits a 2D network.
        spec: from the model package.

    Raises:
        ImageError: wrong number of channels or dimensions.
    """
    if image.array.shape[0] != len(spec.channels):
        wanted = ", ".join(c.name for c in spec.channels)
        raise ImageError(
            f"{image.name} has {image.array.shape[0]} channel(s) and the model needs {len(spec.channels)} "
            f"({wanted}): give one image for each."
        )
    flat = _to_dimensions(image, spec.ndim)
    path = plan_grid(flat.geometry, spec.grid, image.name)
    inner = path.forward(flat.array)
    array = np.empty((len(inner), *path.shape), np.float32)
    inside = path.inside
    margins = [(s.start, n - s.stop) for s, n in zip(inside, path.shape, strict=True)]
    for c, channel in enumerate(spec.channels):
        scaled = scale_intensity(inner[c], channel.intensity)
        if any(a or b for a, b in margins) and spec.grid.pad == "edge":
            array[c] = np.pad(scaled, margins, mode="edge")
        else:
            array[c] = scaled.min()
            array[c][inside] = scaled
    return Prepared(array, path, image.geometry)


def _to_dimensions(image: Image, ndim: int) -> Image:
    if image.geometry.ndim == ndim:
        return image
    if ndim == 2 and 1 in image.geometry.size:
        return flatten(image)
    if ndim == 2:
        size = " x ".join(map(str, image.geometry.size))
        raise ImageError(
            f"{image.name} is a volume of {size} voxels and the model works on single 2D images: "
            "extract the slice to classify."
        )
    raise ImageError(f"{image.name} is a 2D image and the model works on 3D volumes.")
