"""Where features are read in a segmentation network, and reading them: one mechanism for all networks.

Forward hooks see what every module gives, so a tap is nothing but a module's name; nothing in a network has to know.
"""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch import nn

from SegClassifyLib.errors import NetworkError
from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.networks.probe import ModuleOutput, Probe, Trace, probe, tensors_of, trace
from SegClassifyLib.networks.registry import build_aside
from SegClassifyLib.networks.spec import NetworkSpec

_CONVOLUTION = nn.modules.conv._ConvNd

_LAYERS_WANTED = 5
"""About how many taps a network without scales gets."""


def find_taps(network: nn.Module, spec: NetworkSpec) -> tuple[TapSpec, ...]:
    """Choose where to read features: the bottleneck and the last section of every decoder scale after it.

    Left out are the logits, tensors that a later module overwrites, and those that are only a concatenation or an
    interpolation of others. Names count scales: "decoder0" is at full resolution. A network that keeps one
    resolution throughout gives every k-th layer instead ("layer2" being the second convolution).

    Args:
        network: any module that takes (B, C, *spatial); it is left as it is.
        spec: says how many dimensions, channels and labels it has.

    Raises:
        NetworkError: it takes no input, or no module's output can be read.
    """
    candidates, probed = _candidates(network, spec)
    logits = _label_modules(candidates, spec, probed)
    candidates = [c for c in candidates if c.output.name not in logits]
    if not candidates:
        raise NetworkError(
            f"{spec.name} has no module whose output could be read as features: name one yourself."
        )
    scales = sorted({(1,) * spec.ndim, *(c.reduction for c in candidates)}, key=_volume)
    if len(scales) == 1:
        return _layers(candidates, probed.trace)

    deepest = _choose([c for c in candidates if c.reduction == scales[-1]])
    chosen = {"bottleneck": deepest}
    for level in range(len(scales) - 2, -1, -1):
        later = [c for c in candidates if c.reduction == scales[level] and c.order > deepest.order]
        if later:
            chosen[f"decoder{level}"] = _choose(later)
    return tuple(_tap(name, candidate) for name, candidate in chosen.items())


def taps_from_names(
    network: nn.Module, spec: NetworkSpec, module_names: Sequence[str]
) -> tuple[TapSpec, ...]:
    """Taps at modules of your own choice, named as the modules are.

    Raises:
        NetworkError: a name that the network does not have (near ones are listed), or a module whose output
            cannot be read: not a map of the whole image, or overwritten by a later module.
    """
    known = [name for name, _ in network.named_modules() if name]
    candidates, probed = _candidates(network, spec, strict=False)
    by_name = {candidate.output.name: candidate for candidate in candidates}
    given = {output.name: output for output in probed.trace.outputs}
    taps = []
    for name in module_names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 5, 0.5) or known[:5]
            raise NetworkError(f"{spec.name} has no module {name!r}; near to it are {', '.join(near)}.")
        if name in by_name:
            taps.append(_tap(name, by_name[name]))
        elif name in given and given[name].modified_later:
            raise NetworkError(
                f"What the module {name!r} of {spec.name} gives is overwritten by the module after it: name that one."
            )
        else:
            raise NetworkError(
                f"The module {name!r} of {spec.name} gives no feature map of the image: name another module."
            )
    return tuple(taps)


class TapReader:
    """Reads taps of a network while it runs. Only references are kept; nothing is copied.

    Args:
        network: the module that will be called.
        taps: what to read; none is allowed.
        reduce: applied to each tap's output at once, in place of which its result is kept: averaging here keeps
            full-resolution maps from piling up in memory.

    Raises:
        NetworkError: the network has no module of a tap's name.

    Example:
        >>> with TapReader(network, taps) as reader:
        ...     logits = network(x)
        ...     maps = reader.read()
    """

    def __init__(
        self,
        network: nn.Module,
        taps: Iterable[TapSpec],
        reduce: Callable[[TapSpec, torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        self._network = network
        self._taps = tuple(taps)
        self._reduce = reduce
        self._read: dict[str, tuple[torch.Tensor, int]] = {}
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        modules = dict(network.named_modules())
        for tap in self._taps:
            if tap.module not in modules:
                raise NetworkError(
                    f"The tap {tap.name!r} names a module that the network lacks: {tap.module}."
                )
        self._modules = [modules[tap.module] for tap in self._taps]

    def __enter__(self) -> TapReader:
        # Whatever an earlier pass left is forgotten when the next begins: a tap never shows another image.
        self._handles = [self._network.register_forward_pre_hook(lambda module, args: self._read.clear())]
        for tap, module in zip(self._taps, self._modules, strict=True):
            self._handles.append(module.register_forward_hook(self._hook(tap)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._read.clear()

    def read(self) -> dict[str, torch.Tensor]:
        """What the taps gave in the network's last pass, ``(B, C, *spatial)`` by tap name, on its device.

        Raises:
            NetworkError: there was no pass yet, a tap's module took no part in it, or its output was overwritten.
        """
        for tap in self._taps:
            if tap.name not in self._read:
                raise NetworkError(
                    f"The tap {tap.name!r} ({tap.module}) gave nothing: its module took no part in a forward pass."
                )
            tensor, version = self._read[tap.name]
            if _version(tensor) != version:
                raise NetworkError(
                    f"The tap {tap.name!r} ({tap.module}) was overwritten by a later module: read another one."
                )
        return {tap.name: self._read[tap.name][0] for tap in self._taps}

    def _hook(self, tap: TapSpec) -> Callable[[nn.Module, Any, object], None]:
        rank = len(tap.reduction) + 2

        def hook(module: nn.Module, args: Any, output: object) -> None:
            tensors = [t for t in tensors_of(output) if t.ndim == rank and t.shape[1] == tap.channels]
            if not tensors:
                raise NetworkError(
                    f"The tap {tap.name!r} ({tap.module}) gave no map of {tap.channels} channels: "
                    "the taps were made for another network."
                )
            tensor = tensors[0] if self._reduce is None else self._reduce(tap, tensors[0])
            self._read[tap.name] = (tensor, _version(tensor))

        return hook


def _version(tensor: torch.Tensor) -> int:
    """How often it was written to; inference tensors keep no count (``find_taps`` has looked before)."""
    return 0 if tensor.is_inference() else tensor._version


@dataclass(frozen=True)
class _Candidate:
    """A module output that is a map of the whole image.

    Args:
        output: as traced.
        order: its place in the order of execution.
        reduction: input voxels per output voxel, each axis.
        projects: it is what 1×1 convolutions made, which only mix channels: logits, or the thinning before a step up.
    """

    output: ModuleOutput
    order: int
    reduction: tuple[int, ...]
    projects: bool

    @property
    def channels(self) -> int:
        return self.output.tensor.shape[1]


def _candidates(network: nn.Module, spec: NetworkSpec, strict: bool = True) -> tuple[list[_Candidate], Probe]:
    """What could be read, in order of execution; one module a tensor, the outermost, when ``strict``."""
    probed = probe(network, spec.ndim, spec.in_channels)
    found = probed.trace
    # A dropout hands on what it got while the network is not training: the module before it has that, too.
    idle = (nn.Identity, nn.modules.dropout._DropoutNd)
    unreadable = {id(tensor) for tensor in (*found.results, *found.joined)} if strict else set()
    candidates: dict[int, _Candidate] = {}
    last_kernel = 0
    for order, output in enumerate(found.outputs):
        kernels = [max(m.kernel_size) for m in output.module.modules() if isinstance(m, _CONVOLUTION)]
        if isinstance(output.module, _CONVOLUTION):
            last_kernel = kernels[0]
        reduction = _reduction(output.tensor, probed.shape, probed.divisors)
        if not output.name or reduction is None or output.modified_later or id(output.tensor) in unreadable:
            continue
        if strict and isinstance(output.module, idle):
            continue
        key = id(output.tensor) if strict else order
        known = candidates.get(key)
        if known is None or output.name.count(".") < known.output.name.count("."):
            projects = max(kernels, default=last_kernel) == 1
            candidates[key] = _Candidate(output, order, reduction, projects)
    return sorted(candidates.values(), key=lambda c: c.order), probed


def _reduction(tensor: torch.Tensor, shape: Sequence[int], divisors: Sequence[int]) -> tuple[int, ...] | None:
    """Input voxels per output voxel on each axis; ``None`` when it is not a map of the whole image.

    The axes of the traced input are multiples of the divisors by numbers that share no factor, so tokens,
    channel-last maps, windows and global averages do not come out as a fraction that divides the divisor.
    """
    if tensor.ndim != len(shape) + 2 or tensor.shape[0] != 1:
        return None
    reduction = []
    for size, axis, divisor in zip(shape, tensor.shape[2:], divisors, strict=True):
        if axis == 0 or size % axis or divisor % (size // axis):
            return None
        reduction.append(size // axis)
    return tuple(reduction)


def _label_modules(candidates: Sequence[_Candidate], spec: NetworkSpec, probed: Probe) -> set[str]:
    """Modules that already speak in labels: their channels follow the number of labels.

    A network that cannot be built with one label more to see which they are (the registry does not know it, or it
    exists for so many labels only) has them where there are as many channels as labels, or one.
    """
    more = spec.model_copy(update={"out_channels": spec.out_channels + 1})
    try:
        other = build_aside(more)
    except NetworkError:
        return {c.output.name for c in candidates if c.channels in (1, spec.out_channels)}
    outputs = trace(other, (1, spec.in_channels, *probed.shape), probed.meta).outputs
    channels = {o.name: o.tensor.shape[1] for o in outputs if o.tensor.ndim == spec.ndim + 2}
    return {c.output.name for c in candidates if channels.get(c.output.name) != c.channels}


def _choose(candidates: Sequence[_Candidate]) -> _Candidate:
    """The last that is more than a new mix of channels."""
    return next((c for c in reversed(candidates) if not c.projects), candidates[-1])


def _layers(candidates: Sequence[_Candidate], found: Trace) -> tuple[TapSpec, ...]:
    """Of a network without scales: what each layer gives just before the next convolution, every k-th."""
    begins = [order for order, output in enumerate(found.outputs) if isinstance(output.module, _CONVOLUTION)]
    layers: list[_Candidate] = []
    for begin, end in itertools.pairwise((*begins, len(found.outputs))):
        within = [c for c in candidates if begin <= c.order < end]
        if within:
            layers.append(within[-1])
    layers = layers or [candidates[-1]]
    step = max(1, round(len(layers) / _LAYERS_WANTED))
    # Counted from the end: what the logits are made of is always among them.
    numbers = range(len(layers), 0, -step)
    return tuple(_tap(f"layer{number}", layers[number - 1]) for number in sorted(numbers))


def _volume(reduction: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    return math.prod(reduction), reduction


def _tap(name: str, candidate: _Candidate) -> TapSpec:
    return TapSpec(
        name=name,
        module=candidate.output.name,
        channels=candidate.channels,
        reduction=candidate.reduction,
    )
