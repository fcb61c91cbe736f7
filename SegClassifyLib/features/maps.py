"""Feature maps of one case at one small fixed size, for heads that look at where things are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from SegClassifyLib.features.spec import TapSpec

if TYPE_CHECKING:
    import torch

MAP_SIZE = {2: 16, 3: 8}
"""Cells along each axis, by number of dimensions."""

LABEL_MAP = "labels"
"""Key of the label probabilities among the maps."""


class MapBuilder:
    """Puts windows' tap outputs together on one coarse canvas a tap.

    Args:
        taps: what is read.
        grid: shape of the model grid, array order.
        step: window borders lie on multiples of this many voxels.
    """

    def __init__(self, taps: Sequence[TapSpec], grid: Sequence[int], step: int) -> None:
        self._size = MAP_SIZE[len(grid)]
        coarse = [min(step, 1 << max(1, (n // self._size).bit_length() - 1)) for n in grid]
        self._blocks = {t.name: [max(r, b) for r, b in zip(t.reduction, coarse, strict=True)] for t in taps}
        self._blocks[LABEL_MAP] = coarse
        self._grid = tuple(grid)
        self._canvas: dict[str, torch.Tensor] = {}

    def add(
        self,
        taps: dict[str, torch.Tensor],
        logits: torch.Tensor,
        whole: tuple[slice, ...],
        core: tuple[slice, ...],
    ) -> None:
        """Take in one window: ``(C, *reduced window)`` tap outputs and ``(L, *window)`` logits."""
        import torch

        for name, block in self._blocks.items():
            values = (
                torch.softmax(_blocks(logits.float(), block, whole), 0) if name == LABEL_MAP else taps[name]
            )
            values = _blocks(values.float(), block, whole)
            if name not in self._canvas:
                shape = [-(-n // b) for n, b in zip(self._grid, block, strict=True)]
                self._canvas[name] = torch.zeros(len(values), *shape)
            target = tuple(slice(c.start // b, -(-c.stop // b)) for c, b in zip(core, block, strict=True))
            source = tuple(
                slice(t.start - w.start // b, t.stop - w.start // b)
                for t, w, b in zip(target, whole, block, strict=True)
            )
            self._canvas[name][(slice(None), *target)] = values[(slice(None), *source)].cpu()

    def maps(self, inside: tuple[slice, ...]) -> dict[str, np.ndarray]:
        """``(C, m, m[, m])`` float16 by tap name, over the part of the grid that holds image."""
        result = {}
        for name, canvas in self._canvas.items():
            cut = tuple(
                slice(s.start // b, max(s.start // b + 1, -(-s.stop // b)))
                for s, b in zip(inside, self._blocks[name], strict=True)
            )
            result[name] = _to_size(canvas[(slice(None), *cut)], self._size).half().numpy()
        return result


def _blocks(values: torch.Tensor, block: Sequence[int], whole: tuple[slice, ...]) -> torch.Tensor:
    from SegClassifyLib.features.pooling import average

    shape = tuple(-(-(w.stop - w.start) // b) for w, b in zip(whole, block, strict=True))
    return average(values, shape)


def _to_size(values: torch.Tensor, size: int) -> torch.Tensor:
    """Any grid to ``size`` cells an axis: averaged where it is finer, interpolated where it is coarser."""
    import torch.nn.functional as F

    from SegClassifyLib.features.pooling import average

    values = average(values, tuple(min(n, size) for n in values.shape[1:]))
    mode = "trilinear" if values.ndim == 4 else "bilinear"
    return F.interpolate(values[None], size=(size,) * (values.ndim - 1), mode=mode, align_corners=False)[0]
