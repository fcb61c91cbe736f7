"""What every module of a network gives in one forward pass, learned without computing anything.

The pass runs on PyTorch's *meta* device, where tensors have a shape but no values: large inputs cost nothing, and
the network's own weights stay where they are.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from SegClassifyLib.errors import NetworkError

_FACTORS = (5, 7, 11)
"""Axis lengths in units of the divisor: no two axes alike, so that axes which changed places are noticed."""

_MULTIPLES = (2304, 1, 2, 4, 8, 16, 32, 64)
"""Divisors that are tried. The first suits nearly every network (256 * 9: strides are twos, rarely threes) and shows
its scales; the others are for those that want something else."""


@dataclass(frozen=True)
class ModuleOutput:
    """The tensor that a module gave when it was last called.

    Args:
        name: dotted path of the module; "" is the network itself.
        module: the module.
        tensor: its output; on the meta device it has no values.
        version: of the tensor when the module gave it; an in-place operation afterwards raises it.
    """

    name: str
    module: nn.Module
    tensor: torch.Tensor
    version: int

    @property
    def modified_later(self) -> bool:
        """True when a later module wrote into this tensor: who reads it at the end reads something else."""
        return self.tensor._version != self.version


@dataclass
class Trace:
    """One forward pass, module by module.

    Args:
        outputs: of every module that gave exactly one tensor, in the order in which they finished; of a module
            that was called more than once only the last call.
        results: what the network gave.
        joined: tensors that only put others side by side or resize them (concatenation, interpolation).
    """

    outputs: list[ModuleOutput] = field(default_factory=list)
    results: list[torch.Tensor] = field(default_factory=list)
    joined: list[torch.Tensor] = field(default_factory=list)


class _JoinWatch(TorchFunctionMode):
    """Remembers which tensors come straight from a concatenation or an interpolation."""

    _joins = (torch.cat, torch.concat, torch.concatenate, F.interpolate)

    def __init__(self) -> None:
        super().__init__()
        self.tensors: list[torch.Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in self._joins:
            self.tensors.append(result)
        return result


def tensors_of(output: object) -> list[torch.Tensor]:
    """All tensors in what a module returned: a tensor, or lists, tuples and dictionaries of them."""
    if isinstance(output, torch.Tensor):
        return [output]
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, list | tuple):
        return [tensor for part in output for tensor in tensors_of(part)]
    return []


def trace(network: nn.Module, shape: Sequence[int], meta: bool = True) -> Trace:
    """Run ``network`` in evaluation mode on an input of ``shape`` (B, C, *spatial) and note every module's output.

    Args:
        network: stays as it is: weights, device and training mode.
        shape: of the input.
        meta: on the meta device; otherwise real zeros on the network's own device.
    """
    result = Trace()
    last: dict[str, ModuleOutput] = {}

    def note(name: str) -> Any:
        def hook(module: nn.Module, args: Any, output: object) -> None:
            last.pop(name, None)  # the last call counts, also for the order
            tensors = tensors_of(output)
            if len(tensors) == 1:
                last[name] = ModuleOutput(name, module, tensors[0], tensors[0]._version)

        return hook

    handles = [module.register_forward_hook(note(name)) for name, module in network.named_modules()]
    watch = _JoinWatch()
    try:
        with _evaluation(network), torch.inference_mode(False), torch.no_grad(), watch:
            result.results = tensors_of(_forward(network, shape, meta))
    finally:
        for handle in handles:
            handle.remove()
    result.outputs = list(last.values())
    result.joined = watch.tensors
    return result


def _forward(network: nn.Module, shape: Sequence[int], meta: bool) -> object:
    if not meta:
        device = next((p.device for p in network.parameters()), torch.device("cpu"))
        return network(torch.zeros(*shape, device=device))
    # Every slot of every module once: a module registered under two names (DynUNet's are) would be exchanged twice,
    # and what is put back in the end is then the exchanged tensor.
    state = {
        f"{prefix}.{name}" if prefix else name: tensor.to("meta")
        for prefix, module in network.named_modules()
        for name, tensor in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
    }
    x = torch.empty(*shape, device="meta")
    return torch.func.functional_call(network, state, (x,), tie_weights=False)


@contextlib.contextmanager
def _evaluation(network: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@dataclass(frozen=True)
class Probe:
    """What was learned of a network by running it.

    Args:
        divisors: what each input axis (array order) must be a multiple of, so that the network takes it and every
            scale of it is a whole fraction of the input.
        shape: spatial shape of the traced input: multiples of the divisors by numbers that share no factor.
        trace: one forward pass on it.
        meta: whether that was on the meta device.
    """

    divisors: tuple[int, ...]
    shape: tuple[int, ...]
    trace: Trace
    meta: bool


def probe(network: nn.Module, ndim: int, in_channels: int) -> Probe:
    """Find out what sizes ``network`` takes, and trace it on one of them.

    Raises:
        NetworkError: no size that was tried goes through.
    """
    complaint = "no reason given"
    for meta, multiples in ((True, _MULTIPLES), (False, _MULTIPLES[1:])):
        for multiple in multiples:
            found, message = _try(network, in_channels, (multiple,) * ndim, meta)
            if found is None:
                complaint = message or complaint
                continue
            scales = _reductions(found, ndim, _shape((multiple,) * ndim))
            whole = tuple(math.lcm(multiple, scale) for scale in scales)
            for divisors in (scales, whole) if multiple != _MULTIPLES[0] else (scales,):
                traced, _ = _try(network, in_channels, divisors, meta)
                if traced is not None:
                    return Probe(divisors, _shape(divisors), traced, meta)
    raise NetworkError(
        f"{type(network).__name__} takes no {ndim}D input of {in_channels} channels, of whatever size: {complaint}"
    )


def _shape(divisors: Sequence[int]) -> tuple[int, ...]:
    """Spatial shape with multiples of ``divisors``, by factors that share none with each other."""
    return tuple(divisor * factor for divisor, factor in zip(divisors, _FACTORS, strict=False))


def _try(
    network: nn.Module, in_channels: int, divisors: Sequence[int], meta: bool
) -> tuple[Trace | None, str]:
    """Whether multiples of ``divisors`` go through and come back in the same size; otherwise the complaint."""
    shape = _shape(divisors)
    try:
        found = trace(network, (1, in_channels, *shape), meta)
    # Networks complain of a wrong size in any way they like; all that counts here is that they do.
    except Exception as error:
        return None, (str(error).splitlines() or [type(error).__name__])[0]
    if any(tuple(result.shape[2:]) == shape for result in found.results):
        return found, ""
    return None, f"the output has another size than the input {shape}"


def _reductions(found: Trace, ndim: int, shape: Sequence[int]) -> tuple[int, ...]:
    """Largest reduction of each axis among convolutions and poolings; those over everything do not count."""
    largest = [1] * ndim
    layers = (nn.modules.conv._ConvNd, nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd)
    for output in found.outputs:
        spatial = output.tensor.shape[2:]
        if isinstance(output.module, layers) and len(spatial) == ndim and min(spatial) > 1:
            largest = [max(old, round(n / m)) for old, n, m in zip(largest, shape, spatial, strict=True)]
    return tuple(largest)
