"""Where an image's pixels lie in the patient: size, spacing, origin and direction, in LPS millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Geometry:
    """The grid of a 2D or 3D image, in SimpleITK's convention.

    Args:
        size: voxels along x, y (, z). Arrays run the other way: ``shape`` is (D, H, W) = size reversed.
        spacing: millimetres along x, y (, z).
        origin: LPS position of the first voxel's centre, mm.
        direction: unit vectors of the axes as columns, row-major, ``ndim * ndim`` numbers.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]

    @classmethod
    def plain(cls, size: tuple[int, ...], spacing: tuple[float, ...] | None = None) -> Geometry:
        """A grid at the origin along the LPS axes, 1 mm unless ``spacing`` is given."""
        n = len(size)
        return cls(tuple(size), spacing or (1.0,) * n, (0.0,) * n, tuple(np.eye(n).ravel().tolist()))

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return len(self.size)

    @property
    def shape(self) -> tuple[int, ...]:
        """Array order: (D, H, W) or (H, W)."""
        return tuple(reversed(self.size))

    @property
    def matrix(self) -> np.ndarray:
        """Direction as an ``(ndim, ndim)`` matrix whose columns are the axes' unit vectors."""
        return np.asarray(self.direction, dtype=float).reshape(self.ndim, self.ndim)

    def world(self, index: tuple[float, ...]) -> np.ndarray:
        """LPS position (mm) of the continuous index (x, y, z)."""
        return np.asarray(self.origin) + self.matrix @ (
            np.asarray(index, dtype=float) * np.asarray(self.spacing)
        )

    def is_close(self, other: Geometry, tolerance: float = 1e-3) -> bool:
        """Same size, and no corner farther from its twin than ``tolerance`` voxels."""
        if self.size != other.size:
            return False
        reach = tolerance * min(self.spacing)
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.size])).reshape(self.ndim, -1).T
        return all(np.linalg.norm(self.world(tuple(c)) - other.world(tuple(c))) <= reach for c in corners)
