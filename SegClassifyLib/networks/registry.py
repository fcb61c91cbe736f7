"""Networks by name: built from a :class:`NetworkSpec`, all with one way of being called.

``network(x)`` takes ``(B, C, *spatial)`` and gives logits ``(B, L, *spatial)``; while training it may give a list of
such logits instead, those at full resolution first, for deep supervision.
"""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from SegClassifyLib.errors import NetworkError
from SegClassifyLib.networks.monai_networks import RECIPES
from SegClassifyLib.networks.spec import NetworkSpec

if TYPE_CHECKING:
    from torch import nn
_OURS = {"ndim", "spatial_dims", "in_channels", "out_channels"}
"""Arguments that the specification has fields for."""


def network_names() -> tuple[str, ...]:
    """All names that :func:`build_network` knows, in alphabetical order."""
    return tuple(sorted((*_BUILDERS, *RECIPES), key=str.lower))


def build_network(spec: NetworkSpec) -> nn.Module:
    """Make the network, with fresh weights.

    Raises:
        NetworkError: unknown name; wrong number of dimensions for it; arguments its constructor refuses.
    """
    build = _builder(spec.name)
    misplaced = sorted(_OURS & set(spec.arguments))
    if misplaced:
        raise NetworkError(
            f"{misplaced[0]} of {spec.name} is set by the specification itself: take it out of the arguments."
        )
    if spec.arguments.get("pretrained"):
        raise NetworkError(
            f"{spec.name} would download weights with 'pretrained': leave it out and load them from a file."
        )
    try:
        return build(spec.ndim, spec.in_channels, spec.out_channels, spec.arguments)
    except NetworkError:
        raise
    # Constructors refuse arguments with any exception there is; the sentence passes on what they say.
    except Exception as error:
        complaint = " ".join(str(error).split()) or type(error).__name__
        raise NetworkError(
            f"{spec.name} cannot be built in {spec.ndim}D with the arguments {spec.arguments}: {complaint}"
        ) from error


def divisor(spec: NetworkSpec) -> int:
    """What every input axis must be a multiple of; where axes differ (:func:`axis_divisors`), what suits all.

    Raises:
        NetworkError: the network cannot be built, or takes no input.
    """
    return math.lcm(*axis_divisors(spec))


def axis_divisors(spec: NetworkSpec) -> tuple[int, ...]:
    """What each input axis, array order (D, H, W) or (H, W), must be a multiple of; 1 where any size does.

    Raises:
        NetworkError: the network cannot be built, or takes no input.
    """
    return _axis_divisors(spec.model_dump_json())


@functools.lru_cache(maxsize=64)
def _axis_divisors(spec_json: str) -> tuple[int, ...]:
    from SegClassifyLib.networks.probe import probe

    spec = NetworkSpec.model_validate_json(spec_json)
    return probe(build_aside(spec), spec.ndim, spec.in_channels).divisors


def build_aside(spec: NetworkSpec) -> nn.Module:
    """:func:`build_network` for a look at its structure: the caller's random numbers go on as if nothing was built.

    Raises:
        NetworkError: as there.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        return build_network(spec)


_Build = Callable[[int, int, int, Mapping[str, Any]], "nn.Module"]


def _builder(name: str) -> _Build:
    if name in _BUILDERS:
        return _BUILDERS[name]
    if name in RECIPES:
        return RECIPES[name].build
    near = difflib.get_close_matches(name.lower(), [known.lower() for known in network_names()], 1)
    hint = next(
        (f"Did you mean {known}? " for known in network_names() if near and known.lower() == near[0]), ""
    )
    raise NetworkError(f"There is no network called {name!r}. {hint}Known are {', '.join(network_names())}.")


def _vnetds(ndim: int, in_channels: int, out_channels: int, arguments: Mapping[str, Any]) -> nn.Module:
    from SegClassifyLib.networks.vnetds import VNetDS

    return VNetDS(ndim, in_channels, out_channels, **arguments)  # type: ignore[arg-type]


def _linknet(ndim: int, in_channels: int, out_channels: int, arguments: Mapping[str, Any]) -> nn.Module:
    from SegClassifyLib.networks.foreign.linknet import DeepbetLinkNet

    _only("DeepbetLinkNet", ndim, 3)
    return DeepbetLinkNet(in_channels, out_channels, **arguments)


def _meshnet(ndim: int, in_channels: int, out_channels: int, arguments: Mapping[str, Any]) -> nn.Module:
    from SegClassifyLib.networks.foreign.meshnet import MeshNet

    return MeshNet(in_channels, out_channels, ndim, **arguments)  # type: ignore[arg-type]


def _lwnet(ndim: int, in_channels: int, out_channels: int, arguments: Mapping[str, Any]) -> nn.Module:
    from SegClassifyLib.networks.foreign.lwnet import LWNet

    _only("LWNet", ndim, 2)
    return LWNet(in_channels, out_channels, **arguments)


def _only(name: str, ndim: int, able: int) -> None:
    if ndim != able:
        raise NetworkError(f"{name} exists in {able}D only: choose another network for {ndim}D images.")


_BUILDERS: dict[str, _Build] = {
    "DeepbetLinkNet": _linknet,
    "LWNet": _lwnet,
    "MeshNet": _meshnet,
    "VNetDS": _vnetds,
}
