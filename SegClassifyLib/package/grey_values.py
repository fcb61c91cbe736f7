"""Grey values of another kind than in training, in words: other units, CT without Hounsfield offset, wrong channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from SegClassifyLib.package.reference import ChannelReference

_AIR = -500.0
"""CT in Hounsfield units has darker voxels than this: air, at about -1000."""
_OFFSET = 1024.0
_NEAR = 200.0


def describe_grey_values(quantiles: Sequence[float], reference: ChannelReference, usual: str) -> str:
    """A sentence on a channel whose grey values are far from those of training.

    Args:
        quantiles: of the image.
        reference: of the channel in training.
        usual: the training images' range in words.
    """
    name = reference.name
    runs = (
        f"The grey values of {name} run from {quantiles[0]:.4g} to {quantiles[-1]:.4g}; in training {usual}."
    )
    if not is_hounsfield(reference):
        return runs
    if shifted_hounsfield(quantiles, reference):
        return (
            f"{runs} This looks like CT without the offset of Hounsfield units: subtract {_OFFSET:.0f}, or read the "
            "DICOM series again."
        )
    return f"{runs} Training images are CT in Hounsfield units, and this image does not look so."


def is_hounsfield(reference: ChannelReference) -> bool:
    """Whether all training images look like CT in Hounsfield units: air in the darkest hundredth."""
    darkest, brightest = reference.quantiles[0], reference.quantiles[-1]
    return darkest.low >= -1100 and darkest.high <= _AIR and brightest.low > -_AIR / 10


def shifted_hounsfield(quantiles: Sequence[float], reference: ChannelReference) -> bool:
    """Whether an image would look like those of training if 1024 were taken off, and does not as it is."""
    fits = (
        known.low - _NEAR <= value - _OFFSET <= known.high + _NEAR
        for value, known in zip(quantiles, reference.quantiles, strict=True)
    )
    return quantiles[0] > -_NEAR and is_hounsfield(reference) and all(fits)
