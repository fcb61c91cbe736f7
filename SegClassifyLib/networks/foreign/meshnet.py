"""MeshNet: a row of dilated convolutions at full resolution, a few thousand weights.

Fedorov A. et al., IJCNN 2017; weights from brainchop, Masoud M. et al., Journal of Open Source Software 8(83):5098
(2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

_ACTIVATION: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "elu": nn.ELU}


class MeshNet(nn.Module):
    """3×3(×3) convolutions of growing and shrinking dilation, then a 1×1 convolution; keys as brainchop's weights.

    Args:
        in_channels: input images.
        out_channels: labels, background included.
        ndim: 2 or 3 (the published weights are 3D).
        channels: of every layer.
        dilations: one for each layer.
        activation: ``relu`` or ``elu``.

    Raises:
        ValueError: no layers, or an unknown activation.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 3,
        ndim: Literal[2, 3] = 3,
        channels: int = 5,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 8, 4, 2, 1),
        activation: Literal["relu", "elu"] = "relu",
    ) -> None:
        super().__init__()
        if not dilations or min(dilations) < 1:
            raise ValueError("dilations must be positive numbers, one for each layer")
        if activation not in _ACTIVATION:
            raise ValueError(f"activation is one of {', '.join(_ACTIVATION)}, not {activation!r}")
        convolution = nn.Conv3d if ndim == 3 else nn.Conv2d
        layers: list[nn.Module] = []
        for dilation in dilations:
            source = channels if layers else in_channels
            layers.append(convolution(source, channels, 3, padding=dilation, dilation=dilation))
            layers.append(_ACTIVATION[activation](inplace=True))
        layers.append(convolution(channels, out_channels, 1))
        self.model = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, *spatial)`` of any size to logits ``(B, L, *spatial)``."""
        return self.model(x)
