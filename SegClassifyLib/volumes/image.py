"""The two things that travel through the library: an image with its channels, and a label map."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from SegClassifyLib.volumes.geometry import Geometry


@dataclass(frozen=True)
class Label:
    """An integer in a segmentation with its name and colour (RGB, 0 to 1). Value 0 is background."""

    value: int
    name: str
    colour: tuple[float, float, float] = (0.9, 0.3, 0.2)


@dataclass(frozen=True)
class Image:
    """All channels of one case on one grid.

    Args:
        array: ``(C, D, H, W)`` or ``(C, H, W)``, any real dtype.
        geometry: the grid; ``geometry.shape == array.shape[1:]``.
        sources: the files it came from, one a channel; empty when made in memory.
    """

    array: np.ndarray
    geometry: Geometry
    sources: tuple[Path, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.array.shape[1:] != self.geometry.shape:
            raise ValueError(
                f"array {self.array.shape} does not lie on a grid of shape {self.geometry.shape}"
            )

    @property
    def name(self) -> str:
        """What to call it in a sentence: its first file, or "the image"."""
        return str(self.sources[0]) if self.sources else "the image"

    def content_hash(self) -> str:
        """SHA-256 of pixels and geometry: the same image under another file name hashes the same."""
        digest = hashlib.sha256()
        digest.update(repr((self.array.shape, self.array.dtype.str)).encode())
        g = self.geometry
        # + 0.0: minus zero is the same place as zero.
        digest.update((np.round([*g.spacing, *g.origin, *g.direction], 6) + 0.0).tobytes())
        digest.update(np.ascontiguousarray(self.array).data)
        return digest.hexdigest()


@dataclass(frozen=True)
class LabelMap:
    """A segmentation: one integer a voxel.

    Args:
        array: ``(D, H, W)`` or ``(H, W)``, unsigned integers.
        geometry: the grid; ``geometry.shape == array.shape``.
        labels: what the integers mean; background (0) need not be listed.
    """

    array: np.ndarray
    geometry: Geometry
    labels: tuple[Label, ...] = field(default=())
