"""W-Net: two small residual U-Nets, the second correcting the first (retinal vessels).

Galdran A. et al., *State-of-the-art retinal vessel segmentation with minimalistic models*, Scientific Reports 12:6174
(2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn


def _units(inputs: int, outputs: int, count: int) -> nn.Sequential:
    """``count`` times convolution, ReLU, batch norm (in this order)."""
    layers: list[nn.Module] = []
    for number in range(count):
        source = outputs if number else inputs
        layers += [
            nn.Conv2d(source, outputs, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(outputs),
        ]
    return nn.Sequential(*layers)


class _Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.block = _units(inputs, outputs, 2)
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(x) + self.shortcut(x)


class _Bridge(nn.Module):
    """A skip's own convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = _units(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(x)


class _Enlarge(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 2, stride=2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(x)


class _Up(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up_layer = _Enlarge(inputs, outputs)
        self.conv_bridge_layer = _Bridge(outputs)
        self.conv_layer = _Residual(2 * outputs, outputs)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        return self.conv_layer(torch.cat([self.up_layer(x), self.conv_bridge_layer(skip)], dim=1))


class _UNet(nn.Module):
    def __init__(self, inputs: int, outputs: int, layers: Sequence[int]) -> None:
        super().__init__()
        finer, coarser = layers[:-1], layers[1:]
        self.first = _Residual(inputs, layers[0])
        self.pool = nn.MaxPool2d(2)
        self.down_path = nn.ModuleList(_Residual(a, b) for a, b in zip(finer, coarser, strict=True))
        steps = reversed(list(zip(coarser, finer, strict=True)))
        self.up_path = nn.ModuleList(_Up(a, b) for a, b in steps)
        self.final = nn.Conv2d(layers[0], outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        skips = []
        for section in self.down_path:
            skips.append(x)
            x = section(self.pool(x))
        for step in self.up_path:
            x = step(x, skips.pop())
        return self.final(x)


class LWNet(nn.Module):
    """W-Net with keys as the published weights.

    With two labels the published network has one output, a vessel when its sigmoid exceeds ``threshold``. Here that
    output becomes two logits, ``0`` and ``output - logit(threshold)``, so that their argmax is the same decision and
    everything downstream may use a softmax.

    Args:
        in_channels: 3 (RGB) for the published weights.
        out_channels: 2 for vessels; 4 for the published artery-vein networks (their logits as they are).
        layers: channels at each scale; ``(8, 16, 32, 64)`` for the published large networks.
        threshold: of the two-label network.

    Raises:
        ValueError: a threshold outside 0 to 1.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 2,
        layers: Sequence[int] = (8, 16, 32),
        threshold: float = 0.42,
    ) -> None:
        super().__init__()
        if not 0 < threshold < 1:
            raise ValueError(f"threshold lies between 0 and 1, not at {threshold}")
        outputs = 1 if out_channels == 2 else out_channels
        self.unet1 = _UNet(in_channels, outputs, layers)
        self.unet2 = _UNet(in_channels + outputs, outputs, layers)
        self._shift = math.log(threshold / (1 - threshold))

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """``(B, 3, H, W)`` to logits ``(B, L, H, W)``; while training the first U-Net's logits as well."""
        first = self.unet1(x)
        second = self.unet2(torch.cat([x, first], dim=1))
        if self.training:
            return [self._logits(second), self._logits(first)]
        return self._logits(second)

    def _logits(self, output: torch.Tensor) -> torch.Tensor:
        if output.shape[1] > 1:
            return output
        return torch.cat([torch.zeros_like(output), output - self._shift], dim=1)
