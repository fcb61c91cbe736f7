"""Images as pictures: what classifiers made for photographs can look at, volumes as a few axial slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.preprocessing.apply import preprocess
from SegClassifyLib.preprocessing.spec import ChannelSpec, IntensitySpec, PreprocessingSpec
from SegClassifyLib.volumes.image import Image

_EIGHT_BIT = IntensitySpec(clip="window", lower=0, upper=255, scale="none", gain=1 / 255)
_ROBUST = IntensitySpec(clip="percentile", lower=0.5, upper=99.5, scale="unit")


@dataclass(frozen=True)
class PictureLayout:
    """How the pictures of one case are laid out.

    Args:
        channels: names of the image's channels.
        ndim: of the images, 2 or 3.
        edge: pixels a side.
        slices: axial slices of a volume, equally spaced from end to end; 1 in 2D.
    """

    channels: tuple[str, ...]
    ndim: int
    edge: int
    slices: int

    @classmethod
    def of(cls, channels: Sequence[str], ndim: int, edge: int, slices: int) -> PictureLayout:
        """The layout of a training set's images; a 2D image has one slice whatever is asked."""
        return cls(tuple(channels), ndim, edge, slices if ndim == 3 else 1)

    @property
    def colour(self) -> bool:
        """Whether the channels are red, green and blue of one picture: three channels of a 2D image are taken so."""
        return self.ndim == 2 and len(self.channels) == 3


def pictures(image: Image, layout: PictureLayout) -> np.ndarray:
    """The pictures of one image, ``(C, S, E, E)`` float32 from 0 to 1; black where its shape is no square.

    Grey values are cut off at their 0.5 and 99.5 percentiles, but for 2D images within 0 to 255, which are taken for
    8-bit pictures as they are.

    Raises:
        ImageError: another number of channels or dimensions than the layout's.
    """
    eight_bit = layout.ndim == 2 and image.array.min() >= 0 and 1.5 < image.array.max() <= 255
    intensity = _EIGHT_BIT if eight_bit else _ROBUST
    spec = PreprocessingSpec.model_validate(
        {
            "ndim": layout.ndim,
            "channels": tuple(ChannelSpec(name=name, intensity=intensity) for name in layout.channels),
        }
    )
    array = preprocess(image, spec).array
    stack = array if layout.ndim == 3 else array[:, None]
    chosen = np.linspace(0, stack.shape[1] - 1, layout.slices).round().astype(int)
    return _squared(stack[:, chosen], layout.edge)


def _squared(stack: np.ndarray, edge: int) -> np.ndarray:
    """``(C, S, H, W)`` scaled with its proportions kept to fit ``(C, S, E, E)``, in the middle of it."""
    import torch
    from torch.nn import functional as F

    height, width = stack.shape[2:]
    factor = edge / max(height, width)
    size = (max(1, round(height * factor)), max(1, round(width * factor)))
    tensor = torch.from_numpy(np.ascontiguousarray(stack))
    scaled = F.interpolate(tensor, size=size, mode="bilinear", antialias=True).clamp_(0, 1).numpy()
    square = np.zeros((*stack.shape[:2], edge, edge), np.float32)
    top, left = (edge - size[0]) // 2, (edge - size[1]) // 2
    square[:, :, top : top + size[0], left : left + size[1]] = scaled
    return square
