"""What to do with voxels of several values where one is expected."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import numpy as np

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.formats import Kind

Colour = Literal["refuse", "grey", "channels"]
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def to_channels(array: np.ndarray, kind: Kind, colour: Colour, path: Path) -> np.ndarray:
    """Components of a voxel as channels.

    Args:
        array: ``(*spatial, K)``: colours, or other values of each voxel.
        kind: of the file; only pictures have an alpha component.
        colour: "refuse" takes grey stored as colour and refuses the rest, "grey" averages true colours to
            brightness, "channels" gives every component as a channel.
        path: for the sentence.

    Returns:
        ``(C, *spatial)``, the same dtype.

    Raises:
        ImageError: transparency, or colours that ``colour`` does not allow.
    """
    if colour not in get_args(Colour):
        raise ValueError(f"colour must be one of {', '.join(get_args(Colour))}, not {colour!r}")
    if kind == "picture" and array.shape[-1] in (2, 4):
        array = _without_alpha(array, path)
    count = array.shape[-1]
    if colour == "channels":
        return np.ascontiguousarray(np.moveaxis(array, -1, 0))
    first = array[..., 0]
    if all(np.array_equal(first, array[..., i]) for i in range(1, count)):
        return np.ascontiguousarray(first)[None]
    if count != 3:
        raise ImageError(
            f"{path} holds {count} values a voxel where one is expected: save each as an image of its own, "
            'or read them as channels (colour="channels").'
        )
    if colour == "refuse":
        raise ImageError(
            f"{path} is a colour image where grey is expected: save it as grey, or read its brightness "
            '(colour="grey") or red, green and blue as three channels (colour="channels").'
        )
    grey = array.astype(np.float32) @ _LUMA
    return (np.rint(grey) if array.dtype.kind in "iu" else grey).astype(array.dtype)[None]


def _without_alpha(array: np.ndarray, path: Path) -> np.ndarray:
    alpha = array[..., -1]
    if alpha.min() != alpha.max():
        raise ImageError(f"{path} has transparent parts: save it without transparency.")
    return array[..., :-1]
