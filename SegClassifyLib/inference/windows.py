"""Cutting a model grid into tiles that each answer for their own core."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """One tile.

    Args:
        whole: the tile in the model grid, context included.
        core: the voxels this tile answers for, in the model grid; cores cover the grid once.
    """

    whole: tuple[slice, ...]
    core: tuple[slice, ...]

    @property
    def core_inside(self) -> tuple[slice, ...]:
        """The core counted from the tile's first voxel."""
        return tuple(
            slice(c.start - w.start, c.stop - w.start) for c, w in zip(self.core, self.whole, strict=True)
        )


def whole_grid(shape: Sequence[int]) -> list[Window]:
    """The grid as one tile."""
    full = tuple(slice(0, n) for n in shape)
    return [Window(full, full)]


def cut_windows(shape: Sequence[int], window: Sequence[int], halo: int, step: int) -> list[Window]:
    """Tiles of at most ``window`` voxels with ``halo`` voxels of context wherever there is image beyond the core.

    Args:
        shape: model grid, array order; each axis a multiple of ``step``.
        window: largest tile, context included.
        halo: context, rounded up to ``step``.
        step: tile borders lie on multiples of this, so that every tap's cells lie in one core.
    """
    halo = -(-halo // step) * step
    axes = [_cut_axis(n, w, halo, step) for n, w in zip(shape, window, strict=True)]
    return [
        Window(tuple(a[0] for a in combination), tuple(a[1] for a in combination))
        for combination in itertools.product(*axes)
    ]


def _cut_axis(size: int, window: int, halo: int, step: int) -> list[tuple[slice, slice]]:
    if size <= window:
        return [(slice(0, size), slice(0, size))]
    largest = max(step, (window - 2 * halo) // step * step)
    count = -(-size // largest)
    core = -(-size // (count * step)) * step
    pieces = []
    for start in range(0, size, core):
        stop = min(size, start + core)
        pieces.append((slice(max(0, start - halo), min(size, stop + halo)), slice(start, stop)))
    return pieces
