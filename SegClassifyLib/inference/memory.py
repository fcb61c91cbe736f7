"""How much memory a pass will take, told beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from SegClassifyLib.segmenter import Segmenter

if TYPE_CHECKING:
    import torch

_LIVE = 4.0
"""Largest module outputs alive at once: a convolution's input, output and workspace, and a skip."""


def bytes_per_voxel(network: torch.nn.Module, segmenter: Segmenter, step: int) -> float:
    """Main or GPU memory that a float32 pass takes for each voxel of a tile.

    Module outputs are sized by a run on the smallest image that the network takes: torch's *meta* device would
    compute nothing, but its first use imports torch's compiler, which takes longer than the run.
    """
    import torch

    shape = (2 * step if step > 1 else 16,) * segmenter.network.ndim
    sizes: list[int] = []

    def record(_module: Any, _inputs: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor):
            sizes.append(output.numel())

    hooks = [module.register_forward_hook(record) for module in network.modules()]
    try:
        with torch.inference_mode():
            device = next((p.device for p in network.parameters()), torch.device("cpu"))
            network(torch.zeros(1, segmenter.network.in_channels, *shape, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    taps = sum(t.channels / float(np.prod(t.reduction)) for t in segmenter.taps)
    return 4.0 * (_LIVE * max(sizes) / float(np.prod(shape)) + 2 * segmenter.network.out_channels + taps)


def estimate_bytes(per_voxel: float, tile: Sequence[int], grid: Sequence[int]) -> float:
    """Bytes for one tile of ``tile`` voxels of a model grid of ``grid`` voxels (both array order)."""
    voxels = float(np.prod([min(a, b) for a, b in zip(tile, grid, strict=True)]))
    return voxels * per_voxel + 2.0 * float(np.prod(grid))
