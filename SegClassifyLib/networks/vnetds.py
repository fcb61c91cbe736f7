"""VNetDS: a residual encoder-decoder whose every decoder scale has a say in the labels, in 2D and 3D."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

_CONV: dict[int, type[nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
_TRANSPOSED: dict[int, type[nn.Module]] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_DROPOUT: dict[int, type[nn.Module]] = {2: nn.Dropout2d, 3: nn.Dropout3d}
_ACTIVATION: dict[str, type[nn.Module]] = {"elu": nn.ELU, "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU}

PerAxis = int | Sequence[int]


class VNetDS(nn.Module):
    """Segmentation network after the description of the one its authors published as ``VNetDS``.

    Every section is a row of convolutions with a 1×1 shortcut round it; a strided convolution leads down to the next,
    twice as wide; on the way up a transposed convolution, the encoder's section of the same scale beside it, and a
    section again. Logits are the sum of what a 1×1 convolution makes of each decoder scale, passed up from coarse
    to fine: that is the description's "upsample every scale, concatenate, reduce to the labels" with the reduction
    done before the upsampling, which for one step is the same function and costs a fraction of the memory. So every
    decoder scale is supervised by the one loss at full resolution.

    Args:
        ndim: 2 or 3.
        in_channels: input images.
        out_channels: labels, background included.
        base_filters: channels of the finest section; doubled at each level.
        num_blocks: convolutions of the section at each level, finest first; the last is the bottleneck.
        strides: step from each level to the next, one fewer than levels: numbers, or one tuple (D, H, W) / (H, W)
            each. A volume of 8 slices wants ``(1, 2, 2)`` for all but the last few.
        kernel_size: of the sections' convolutions: a number, or one entry (number or tuple) for each level.
        input_stride: above 1 the network works on a grid that much coarser, reached by a learned strided
            convolution.
        output: how a coarser working grid comes back to the input's: ``learned`` by a transposed convolution of
            the finest decoder section (coarser scales are interpolated), ``interpolated`` all of it.
        activation: ``elu``, ``relu`` or ``leaky_relu``.
        dropout: share of bottleneck channels dropped while training.
        auxiliary: while training also return the coarser sums, finest first, for losses of their own.

    Raises:
        ValueError: lists of the wrong length, or numbers that make no network.

    Example:
        >>> VNetDS(2, 1, 3)(torch.zeros(1, 1, 32, 48)).shape
        torch.Size([1, 3, 32, 48])
    """

    def __init__(
        self,
        ndim: Literal[2, 3],
        in_channels: int,
        out_channels: int,
        *,
        base_filters: int = 16,
        num_blocks: Sequence[int] = (1, 2, 3, 3, 3),
        strides: Sequence[PerAxis] | None = None,
        kernel_size: int | Sequence[PerAxis] = 3,
        input_stride: PerAxis = 1,
        output: Literal["learned", "interpolated"] = "learned",
        activation: Literal["elu", "relu", "leaky_relu"] = "elu",
        dropout: float = 0.0,
        auxiliary: bool = False,
    ) -> None:
        super().__init__()
        steps, kernels = _check(ndim, base_filters, num_blocks, strides, kernel_size, output, activation)
        entry = _per_axis(input_stride, ndim, "input_stride")
        widths = [base_filters * 2**level for level in range(len(num_blocks))]
        self.auxiliary = auxiliary
        self._linear = "trilinear" if ndim == 3 else "bilinear"

        def section(inputs: int, level: int) -> Section:
            return Section(ndim, inputs, widths[level], num_blocks[level], kernels[level], activation)

        coarser = max(entry) > 1
        first = base_filters if coarser else in_channels
        self.entry = _CONV[ndim](in_channels, base_filters, entry, entry) if coarser else nn.Identity()
        self.encoder = nn.ModuleList(section(w if i else first, i) for i, w in enumerate(widths))
        pairs = list(zip(widths[:-1], widths[1:], steps, strict=True))
        self.down = nn.ModuleList(_CONV[ndim](fine, coarse, step, step) for fine, coarse, step in pairs)
        self.dropout = _DROPOUT[ndim](dropout)
        self.up = nn.ModuleList(_TRANSPOSED[ndim](coarse, fine, step, step) for fine, coarse, step in pairs)
        self.decoder = nn.ModuleList(section(2 * w, i) for i, w in enumerate(widths[:-1]))
        self.right_leg = nn.ModuleList(_CONV[ndim](w, out_channels, 1) for w in widths[:-1])
        if coarser and output == "learned":
            self.right_leg[0] = _TRANSPOSED[ndim](base_filters, out_channels, entry, entry)

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Logits ``(B, L, *spatial)`` of an input ``(B, C, *spatial)``; see ``auxiliary`` for training."""
        shape = x.shape[2:]
        x = self.entry(x)
        skips = []
        for section, down in zip(self.encoder, self.down, strict=False):
            x = section(x)
            skips.append(x)
            x = down(x)
        x = self.dropout(self.encoder[-1](x))

        sums: list[torch.Tensor] = []
        for level in reversed(range(len(self.decoder))):
            # Popped, so that a skip's memory is given back as soon as it is used.
            x = self.decoder[level](torch.cat([skips.pop(), self.up[level](x)], dim=1))
            logits = self.right_leg[level](x)
            if sums:
                logits = logits + self._enlarge(sums[-1], logits.shape[2:])
            sums.append(logits)
        full = self._enlarge(sums[-1], shape)
        if self.training and self.auxiliary:
            return [full, *sums[-2::-1]]
        return full

    def _enlarge(self, logits: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
        if tuple(logits.shape[2:]) == tuple(shape):
            return logits
        return F.interpolate(logits, size=tuple(shape), mode=self._linear, align_corners=False)


class Section(nn.Module):
    """A row of convolution, group norm and activation, with a 1×1 convolution round it.

    Args:
        ndim: 2 or 3.
        inputs, outputs: channels.
        convolutions: length of the row.
        kernel: odd numbers, one for each axis.
        activation: see :class:`VNetDS`.
    """

    def __init__(
        self, ndim: int, inputs: int, outputs: int, convolutions: int, kernel: Sequence[int], activation: str
    ) -> None:
        super().__init__()
        padding = tuple(k // 2 for k in kernel)
        row: list[nn.Module] = []
        for number in range(convolutions):
            source = outputs if number else inputs
            row.append(_CONV[ndim](source, outputs, tuple(kernel), padding=padding, bias=False))
            row.append(nn.GroupNorm(math.gcd(8, outputs), outputs))
            if number < convolutions - 1:
                row.append(_ACTIVATION[activation](inplace=True))
        self.row = nn.Sequential(*row)
        self.shortcut = _CONV[ndim](inputs, outputs, 1)
        self.activation = _ACTIVATION[activation](inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, inputs, *spatial)`` to ``(B, outputs, *spatial)``."""
        # In place: neither norm nor 1×1 convolution needs its own output again for the gradient.
        return self.activation(self.row(x).add_(self.shortcut(x)))


def _check(
    ndim: int,
    base_filters: int,
    num_blocks: Sequence[int],
    strides: Sequence[PerAxis] | None,
    kernel_size: int | Sequence[PerAxis],
    output: str,
    activation: str,
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """The steps between levels and the kernels of the levels, one number for each axis."""
    levels = len(num_blocks)
    if ndim not in _CONV:
        raise ValueError(f"ndim is 2 or 3, not {ndim}")
    if levels < 2 or min(num_blocks) < 1:
        raise ValueError("num_blocks needs at least two levels of at least one convolution each")
    if base_filters < 1:
        raise ValueError("base_filters must be positive")
    if output not in ("learned", "interpolated"):
        raise ValueError(f"output is 'learned' or 'interpolated', not {output!r}")
    if activation not in _ACTIVATION:
        raise ValueError(f"activation is one of {', '.join(_ACTIVATION)}, not {activation!r}")
    strides = [2] * (levels - 1) if strides is None else list(strides)
    if len(strides) != levels - 1:
        raise ValueError(f"strides needs {levels - 1} entries for {levels} levels, has {len(strides)}")
    kernels = [kernel_size] * levels if isinstance(kernel_size, int) else list(kernel_size)
    if len(kernels) != levels:
        raise ValueError(f"kernel_size needs a number or {levels} entries, has {len(kernels)}")
    per_level = [_per_axis(kernel, ndim, "kernel_size") for kernel in kernels]
    if any(k % 2 == 0 for kernel in per_level for k in kernel):
        raise ValueError("kernel_size must be odd")
    return [_per_axis(stride, ndim, "strides") for stride in strides], per_level


def _per_axis(value: PerAxis, ndim: int, name: str) -> tuple[int, ...]:
    numbers = (value,) * ndim if isinstance(value, int) else tuple(value)
    if len(numbers) != ndim or min(numbers) < 1:
        raise ValueError(f"{name} needs positive numbers, one for each of {ndim} axes, has {value}")
    return numbers
