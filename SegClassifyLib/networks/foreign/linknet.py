"""The 3D LinkNet of deepbet (brain extraction from T1-weighted MR).

Fisch L. et al., *deepbet: Fast brain extraction of T1-weighted MRI using Convolutional Neural Networks*, Computers in
Biology and Medicine 179:108845 (2024); LinkNet: Chaurasia A., Culurciello E., arXiv 1707.03718.
"""

from __future__ import annotations

import torch
from torch import nn

_DOWN = ((16, 16), (16, 32), (32, 64), (64, 128))
"""Channels into and out of the four residual stages; all but the first halve the resolution."""

_UP = ((128, 64), (64, 32), (32, 16), (16, 16))
"""Channels into and out of the four decoder stages; all but the last double the resolution."""


def _unit(convolution: nn.Conv3d | nn.ConvTranspose3d) -> list[nn.Module]:
    """Convolution, instance norm without learned scale, ReLU: the building block of the whole network."""
    return [convolution, nn.InstanceNorm3d(convolution.out_channels), nn.ReLU(inplace=True)]


class _Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.double_conv = nn.Sequential(
            *_unit(nn.Conv3d(inputs, outputs, 3, stride, padding=1, bias=False)),
            *_unit(nn.Conv3d(outputs, outputs, 3, padding=1, bias=False))[:2],
        )
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            self.downsample = nn.Sequential(
                *_unit(nn.Conv3d(inputs, outputs, 1, stride, bias=False))[:2],
            )
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.double_conv(x).add_(self.downsample(x)))


class _Down(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.block1 = _Residual(inputs, outputs, 1 if inputs == outputs else 2)
        self.block2 = _Residual(outputs, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block2(self.block1(x))


class _Up(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        inner, stride = inputs // 4, 1 if inputs == outputs else 2
        self.conv1 = nn.Sequential(*_unit(nn.Conv3d(inputs, inner, 1, bias=False)))
        self.tp_conv = nn.Sequential(
            *_unit(
                nn.ConvTranspose3d(inner, inner, 3, stride, padding=1, output_padding=stride - 1, bias=False),
            )
        )
        self.conv2 = nn.Sequential(*_unit(nn.Conv3d(inner, outputs, 1, bias=False)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv2(self.tp_conv(self.conv1(x)))


class DeepbetLinkNet(nn.Module):
    """Residual encoder, thin decoder, skips that are added; keys as in deepbet's published weights.

    Gives logits where deepbet's own ends in a softmax.

    Args:
        in_channels: 1 for the published weights.
        out_channels: 2 for the published weights (background, brain).
    """

    def __init__(self, in_channels: int = 1, out_channels: int = 2) -> None:
        super().__init__()
        stem = nn.Conv3d(in_channels, 16, 7, stride=2, padding=3, bias=False)
        self.init = nn.Sequential(*_unit(stem), nn.MaxPool3d(3, stride=2, padding=1))
        self.down0, self.down1, self.down2, self.down3 = (_Down(*channels) for channels in _DOWN)
        self.up0, self.up1, self.up2, self.up3 = (_Up(*channels) for channels in _UP)
        finer = nn.ConvTranspose3d(16, 8, 3, stride=2, padding=1, output_padding=1)
        self.tp_conv1 = nn.Sequential(*_unit(finer))
        self.conv = nn.Sequential(*_unit(nn.Conv3d(8, 8, 3, padding=1)))
        self.tp_conv2 = nn.ConvTranspose3d(8, out_channels, 2, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, 1, D, H, W)``, axes multiples of 32, to logits ``(B, L, D, H, W)``."""
        stem = self.init(x)
        first = self.down0(stem)
        second = self.down1(first)
        third = self.down2(second)
        x = self.up0(self.down3(third)) + third
        x = self.up1(x) + second
        x = self.up2(x) + first
        x = self.up3(x) + stem
        return self.tp_conv2(self.conv(self.tp_conv1(x)))
