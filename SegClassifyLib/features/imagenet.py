"""Features of an ImageNet network: one vector a picture, pooled over the slices of a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from SegClassifyLib.features.pictures import PictureLayout
from SegClassifyLib.features.spec import FeatureName

if TYPE_CHECKING:
    from torch import Tensor

    from SegClassifyLib.networks.imagenet import Backbone

_BATCH = 16


def to_colour(stack: Tensor, layout: PictureLayout) -> Tensor:
    """Pictures ``(B, C, S, E, E)`` as the network wants them, ``(B * P, 3, E, E)``: grey ones three times the same."""
    if layout.colour:
        return stack[:, :, 0]
    edges = stack.shape[-2:]
    return stack.reshape(-1, 1, *edges).expand(-1, 3, *edges)


def imagenet_features(
    backbone: Backbone, stack: np.ndarray, layout: PictureLayout, device: str = "cpu"
) -> np.ndarray:
    """Features ``(F,)`` float32 of one case's pictures ``(C, S, E, E)``, named by :func:`imagenet_names`."""
    import torch

    coloured = to_colour(torch.from_numpy(np.ascontiguousarray(stack, np.float32))[None], layout)
    with torch.inference_mode():
        parts = [backbone(part.to(device)).cpu() for part in coloured.split(_BATCH)]
    vectors = torch.cat(parts).double().numpy().reshape(-1, layout.slices, backbone.features)
    pooled = [vectors.mean(1)] + ([vectors.std(1)] if layout.slices > 1 else [])
    return np.stack(pooled, axis=1).reshape(-1).astype(np.float32)


def imagenet_names(backbone: Backbone, layout: PictureLayout) -> tuple[FeatureName, ...]:
    """A name for each number: mean and, of volumes, spread over the slices, channel by channel."""
    sources = ("picture",) if layout.colour else layout.channels
    statistics = ("mean", "spread") if layout.slices > 1 else ("mean",)
    return tuple(
        FeatureName(f"{backbone.name}:{source}", "all", statistic, number)
        for source in sources
        for statistic in statistics
        for number in range(backbone.features)
    )
