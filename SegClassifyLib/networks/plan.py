"""A segmentation network that suits the size of the images."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal

from SegClassifyLib.networks.spec import NetworkSpec

_BLOCKS = (1, 2, 3, 3, 3)
_LARGE = {2: 192 * 192, 3: 96 * 96 * 96}
"""Model grids from this many voxels on are first halved by the network's learned input convolution."""

_LEAST = 6
"""Voxels that the coarsest feature map should still have along the axis; below, context is only padding."""


def plan_network(
    ndim: Literal[2, 3], in_channels: int, out_channels: int, shape: Sequence[int], base_filters: int = 16
) -> NetworkSpec:
    """The authors-style network, as deep as the images allow.

    Args:
        ndim: 2 or 3.
        in_channels: images of a case.
        out_channels: labels with background.
        shape: typical model grid, array order; short axes are halved fewer times than long ones.
        base_filters: width of the first section.
    """
    entry = 2 if prod(shape) >= _LARGE[ndim] else 1
    halvings = [_halvings(n / entry) for n in shape]
    depth = max(halvings)
    strides = [[2 if level < h else 1 for h in halvings] for level in range(depth)]
    return NetworkSpec(
        name="VNetDS",
        ndim=ndim,
        in_channels=in_channels,
        out_channels=out_channels,
        arguments={
            "base_filters": base_filters,
            "num_blocks": list(_BLOCKS[: depth + 1]),
            "strides": strides,
        },
    )


def _halvings(voxels: float) -> int:
    count = 0
    while count < len(_BLOCKS) - 1 and voxels / 2 >= _LEAST:
        voxels /= 2
        count += 1
    return max(1, count) if voxels > 2 else count
