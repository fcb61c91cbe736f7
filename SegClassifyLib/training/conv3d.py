"""Faster gradients of 3D convolutions on processors with AVX2 but not AVX-512.

There oneDNN has no fast kernel for the weights' gradient of a 3D convolution that pads along depth, and falls back to
a plain matrix product, several times slower. The same sums over an input that was padded beforehand take the fast
kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_conv3d = torch.conv3d


def faster_conv3d(device: torch.device) -> AbstractContextManager[Any]:
    """While active, convolutions of any network are differentiated the faster way, where there is one."""
    slow = device.type == "cpu" and torch.backends.cpu.get_cpu_capability() == "AVX2"
    return _PaddedConv3d() if slow else nullcontext()


class _PaddedConv3d(TorchFunctionMode):
    """Sees every call of a torch function and replaces ``conv3d`` where that pays."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is _conv3d:
            call = _Call.read(*args, **(kwargs or {}))
            if call is not None:
                return _Conv3d.apply(call.input, call.weight, call.bias, call.stride, call.padding)
        return func(*args, **(kwargs or {}))


class _Call:
    """Arguments of a ``conv3d`` that pads along depth and is neither dilated nor grouped."""

    def __init__(
        self,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
    ) -> None:
        self.input, self.weight, self.bias, self.stride, self.padding = input, weight, bias, stride, padding

    @classmethod
    def read(
        cls,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
    ) -> _Call | None:
        """The call, or ``None`` for one that is better left to torch."""
        if isinstance(padding, str) or groups != 1 or set(_three(dilation)) != {1}:
            return None
        if _three(padding)[0] == 0 or input.ndim != 5 or input.dtype != torch.float32:
            return None
        return cls(input, weight, bias, _three(stride), _three(padding))


class _Conv3d(torch.autograd.Function):
    """``conv3d`` whose weights' gradient is taken from an input padded along depth."""

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
    ) -> Tensor:
        ctx.save_for_backward(input, weight)
        ctx.stride, ctx.padding, ctx.bias_size = stride, padding, None if bias is None else list(bias.shape)
        return _conv3d(input, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        input, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        rest = ((1, 1, 1), False, (0, 0, 0), 1)
        of_input = of_weight = of_bias = None
        if wanted[0]:
            of_input, _, _ = torch.ops.aten.convolution_backward(
                gradient, input, weight, None, ctx.stride, ctx.padding, *rest, (True, False, False)
            )
        if wanted[1] or wanted[2]:
            depth, height, width = ctx.padding
            padded = F.pad(input, (0, 0, 0, 0, depth, depth))
            _, of_weight, of_bias = torch.ops.aten.convolution_backward(
                gradient,
                padded,
                weight,
                ctx.bias_size,
                ctx.stride,
                (0, height, width),
                *rest,
                (False, wanted[1], wanted[2]),
            )
        return of_input, of_weight, of_bias, None, None


def _three(value: int | Sequence[int]) -> tuple[int, ...]:
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * 3 if len(values) == 1 else values
