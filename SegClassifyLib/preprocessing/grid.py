"""The way from an image's own grid to the model grid, remembered so that it can be walked back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.errors import ImageError
from SegClassifyLib.preprocessing.resize import resize_linear, resize_nearest
from SegClassifyLib.preprocessing.spec import GridSpec
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.orient import from_orientation, to_orientation


@dataclass(frozen=True)
class GridPath:
    """Turn, scale, crop and pad, as numbers.

    Args:
        native: the image's own grid (2D for 2D networks).
        oriented: the same voxels with axes turned to the model's orientation.
        scaled: shape after scaling, array order.
        start: first scaled voxel kept on each axis; negative where the model grid begins outside the image.
        shape: shape of the model grid, array order.
    """

    native: Geometry
    oriented: Geometry
    orientation: str
    scaled: tuple[int, ...]
    start: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def spacing(self) -> tuple[float, ...]:
        """Of the model grid's voxels, x, y (, z), mm."""
        return tuple(
            s * n / m
            for s, n, m in zip(self.oriented.spacing, self.oriented.size, reversed(self.scaled), strict=True)
        )

    @property
    def geometry(self) -> Geometry:
        """The model grid in the world."""
        old, new = np.asarray(self.oriented.spacing), np.asarray(self.spacing)
        first = np.asarray(self.start[::-1]) * new + (new - old) / 2
        origin = np.asarray(self.oriented.origin) + self.oriented.matrix @ first
        return Geometry(self.shape[::-1], self.spacing, tuple(origin.tolist()), self.oriented.direction)

    @property
    def inside(self) -> tuple[slice, ...]:
        """The part of the model grid that holds image, not padding."""
        return tuple(
            slice(max(0, -a), min(n, s - a))
            for a, n, s in zip(self.start, self.shape, self.scaled, strict=True)
        )

    def _kept(self) -> tuple[slice, ...]:
        return tuple(
            slice(max(0, a), min(s, a + n))
            for a, n, s in zip(self.start, self.shape, self.scaled, strict=True)
        )

    def forward(self, array: np.ndarray) -> np.ndarray:
        """``(C, *native)`` grey values to float32 on the model grid, without padding: ``(C, *inside)``."""
        turned, _ = to_orientation(array, self.native, self.orientation)
        scaled = resize_linear(np.ascontiguousarray(turned, dtype=np.float32), self.scaled)
        return scaled[(slice(None), *self._kept())]

    def forward_labels(self, array: np.ndarray) -> np.ndarray:
        """``(*native)`` integers to the whole model grid; 0 in the padding."""
        turned, _ = to_orientation(array, self.native, self.orientation)
        result = np.zeros(self.shape, array.dtype)
        result[self.inside] = resize_nearest(turned, self.scaled)[self._kept()]
        return result

    def back(self, array: np.ndarray) -> np.ndarray:
        """``(*model grid)`` labels to the native grid, nearest; 0 where the model grid did not reach."""
        if self._kept() == tuple(slice(0, s) for s in self.scaled):
            scaled = array[self.inside]
        else:
            scaled = np.zeros(self.scaled, array.dtype)
            scaled[self._kept()] = array[self.inside]
        turned = resize_nearest(scaled, self.oriented.shape)
        return np.ascontiguousarray(from_orientation(turned, self.oriented, self.native))


def plan_grid(native: Geometry, spec: GridSpec, name: str = "the image") -> GridPath:
    """Work out the model grid for an image on the grid ``native``.

    Raises:
        ImageError: when the model grid would have an impossible size.
    """
    _, oriented = to_orientation(np.empty(native.shape, np.bool_), native, spec.orientation)
    extent = np.asarray(oriented.size) * np.asarray(oriented.spacing)
    if spec.fit and spec.size is not None:
        voxel = np.full(len(extent), float(np.max(extent / np.asarray(spec.size))))
    elif spec.spacing is not None:
        voxel = np.asarray(spec.spacing)
    else:
        voxel = np.asarray(oriented.spacing)
    scaled = np.maximum(1, np.round(extent / voxel)).astype(int)
    if np.prod(scaled.astype(float)) > 4e9:
        raise ImageError(
            f"{name} would have {' x '.join(map(str, scaled))} voxels at the model's spacing: "
            "check the spacing in its header."
        )
    size = np.asarray(spec.size) if spec.size is not None else scaled
    size = -(-size // spec.multiple_of) * spec.multiple_of
    # A fixed size is centred; otherwise padding goes to the far end, so that voxel 0 stays voxel 0.
    start = (scaled - size) // 2 if spec.size is not None else np.zeros_like(scaled)
    return GridPath(native, oriented, spec.orientation, _shape(scaled), _shape(start), _shape(size))


def _shape(xyz: np.ndarray) -> tuple[int, ...]:
    return tuple(int(n) for n in xyz[::-1])
