"""Contributions brought from the taps' grids to the image's own grid, with nothing lost or added.

Between the centres of its cells a layer's density is interpolated linearly, and a voxel gets the integral of that over
itself. So a voxel smaller than a cell gets its part of it, a voxel larger than a cell all that lies in it, and positive
and negative contributions each keep their sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from SegClassifyLib.evidence.layers import Layer
from SegClassifyLib.preprocessing.grid import GridPath
from SegClassifyLib.volumes.orient import from_orientation

_TOUCHED = 1e-6
"""A cell of which a smaller part lies in the image is given to the voxel next to it as a whole."""


def add_on_native(layers: Sequence[Layer], path: GridPath) -> np.ndarray:
    """The layers' sum on the image's own grid.

    Args:
        layers: on the model grid of ``path``.
        path: from the image's grid to the model grid.

    Returns:
        ``(*native)`` float32, contributions a voxel; they add up to what the layers' cells add up to.
    """
    result = np.zeros(path.oriented.shape, np.float32)
    for layer in _of_one_grid(layers):
        inner = layer.cells
        for axis, box in enumerate(layer.box):
            weights = _weights(layer.cells.shape[axis], box, path, axis)
            inner = np.moveaxis(np.tensordot(weights, inner, (1, axis)), 0, axis)
        result += inner
    return np.ascontiguousarray(from_orientation(result, path.oriented, path.native))


def _of_one_grid(layers: Sequence[Layer]) -> list[Layer]:
    """Layers of the same cells as one."""
    sums: dict[tuple[tuple[int, ...], str], Layer] = {}
    for layer in layers:
        key = (layer.cells.shape, str(layer.box))
        known = sums.get(key)
        sums[key] = layer if known is None else Layer("", known.cells + layer.cells, layer.box)
    return list(sums.values())


def _weights(cells: int, box: slice, path: GridPath, axis: int) -> np.ndarray:
    """``(native voxels, cells)`` float32, columns that add up to 1: how much of each cell each voxel gets.

    Args:
        cells: of the layer along this axis, which cover ``box`` evenly.
        box: voxels of the model grid.
        path: from the image's grid to the model grid.
        axis: in array order.
    """
    voxels, inside = path.oriented.shape[axis], path.inside[axis]
    edges = np.arange(voxels + 1) * (path.scaled[axis] / voxels) - path.start[axis]
    edges = (np.clip(edges, inside.start, inside.stop) - box.start) * (cells / (box.stop - box.start))
    weights = np.diff(_below(edges, cells), axis=0)
    reached = weights.sum(0)
    # Padding has no place in the image: what a cell has there goes to its part inside, or to the nearest voxel.
    touched = np.flatnonzero(np.diff(edges) > 0)
    for cell in np.flatnonzero(reached < _TOUCHED):
        weights[:, cell] = 0.0
        weights[touched[0] if cell + 0.5 < edges[touched[0]] else touched[-1], cell] = 1.0
    return (weights / weights.sum(0)).astype(np.float32)


def _below(x: np.ndarray, cells: int) -> np.ndarray:
    """``(len(x), cells)``: the integral, up to ``x``, of each cell's weight in linear interpolation between centres.

    Outside of the first and the last centre the value of that cell holds.
    """
    away = np.clip(x[:, None] - (np.arange(cells) + 0.5), -1.0, 1.0)
    rising, falling = (1 + away) ** 2 / 2, 0.5 + away - away**2 / 2
    rising[:, 0], falling[:, -1] = (0.5 + np.clip(v, -0.5, 0.5) for v in (away[:, 0], away[:, -1]))
    return np.where(away < 0, rising, falling)


def size_of(voxel: Sequence[float]) -> float:
    """ml of a voxel of three sides in mm, cm² of a pixel of two."""
    return math.prod(voxel) / 10.0 ** len(voxel)
