"""Contributions on a tap's own coarse grid, and brought to the model grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Layer:
    """What one source contributes.

    Args:
        source: a tap, "image" or "probability".
        cells: contribution of each cell, ``(*cells)`` float32; they cover ``box`` evenly.
        box: the part of the model grid.
    """

    source: str
    cells: np.ndarray
    box: tuple[slice, ...]


def add_exactly(layers: Sequence[Layer], shape: Sequence[int]) -> np.ndarray:
    """``(*shape)`` float32: each cell spread evenly over its voxels, so that sums stay what they are."""
    result = np.zeros(shape, np.float32)
    for layer in layers:
        inner = layer.cells
        for axis, place in enumerate(layer.box):
            inner = spread_axis(inner, axis, place.stop - place.start)
        result[layer.box] += inner
    return result


def spread_axis(cells: np.ndarray, axis: int, voxels: int) -> np.ndarray:
    """The cells along one axis spread over ``voxels``; a cell may share voxels with its neighbour, as in pooling."""
    count = cells.shape[axis]
    if count == voxels:
        return cells
    if voxels % count == 0:
        step = voxels // count
        return np.repeat(cells, step, axis) * np.float32(1 / step)
    shares = np.zeros((voxels, count), np.float32)
    for cell in range(count):
        # The borders of torch's adaptive pooling, by which such cells were averaged.
        start, stop = cell * voxels // count, -(-(cell + 1) * voxels // count)
        shares[start:stop, cell] = 1 / (stop - start)
    return np.moveaxis(np.tensordot(shares, cells, (1, axis)), 0, axis)


class Canvas:
    """Puts the cells of a source's windows together.

    Args:
        source: whose.
        grid: shape of the model grid, array order.
        block: voxels in a cell along each axis; where the grid is no multiple of it, voxels are kept instead.
    """

    def __init__(self, source: str, grid: Sequence[int], block: Sequence[int]) -> None:
        self.source = source
        self._grid = tuple(grid)
        self._block = tuple(b if n % b == 0 else 1 for n, b in zip(grid, block, strict=True))
        self._cells = np.zeros([n // b for n, b in zip(self._grid, self._block, strict=True)], np.float32)

    def add(self, cells: np.ndarray, whole: tuple[slice, ...]) -> None:
        """Add one window's cells ``(*cells)``, which cover the voxels ``whole`` evenly."""
        target = []
        for axis, (place, block) in enumerate(zip(whole, self._block, strict=True)):
            voxels = place.stop - place.start
            if cells.shape[axis] != voxels // block:
                cells = spread_axis(cells, axis, voxels)
                if block > 1:
                    cells = np.add.reduceat(cells, np.arange(0, voxels, block), axis)
            target.append(slice(place.start // block, place.start // block + cells.shape[axis]))
        self._cells[tuple(target)] += cells

    def layer(self) -> Layer:
        """Everything added so far."""
        return Layer(self.source, self._cells, tuple(slice(0, n) for n in self._grid))
