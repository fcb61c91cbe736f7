"""MONAI's segmentation networks by name: what each constructor calls its arguments, and what it needs to be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

_WIDTHS = (16, 32, 64, 128, 256)
"""Channels of networks whose constructors have no default, finest scale first."""


@dataclass(frozen=True)
class Recipe:
    """How one MONAI network is built and made to keep the forward contract.

    Args:
        constructor: its name in ``monai.networks.nets``.
        defaults: from the number of dimensions and the user's arguments, values for arguments that have no default
            there, or an unsuitable one.
        outputs: from what the network returned, whether it is training and its number of dimensions, one tensor or
            a list with the logits at full resolution first; ``None`` where the network returns such already.
        finish: a last touch to the network just built.
    """

    constructor: str
    defaults: Callable[[int, Mapping[str, Any]], dict[str, Any]] = lambda ndim, given: {}
    outputs: Callable[[Any, bool, int], torch.Tensor | list[torch.Tensor]] | None = None
    finish: Callable[[nn.Module, int], None] | None = None

    def build(
        self, ndim: int, in_channels: int, out_channels: int, arguments: Mapping[str, Any]
    ) -> nn.Module:
        """Make the network; whatever its constructor complains of is raised as it is."""
        import monai.networks.nets

        constructor = getattr(monai.networks.nets, self.constructor)
        network: nn.Module = constructor(
            spatial_dims=ndim,
            in_channels=in_channels,
            out_channels=out_channels,
            **{**self.defaults(ndim, arguments), **arguments},
        )
        if self.finish is not None:
            self.finish(network, ndim)
        if self.outputs is not None:
            # A hook and not a wrapping module: weights keep the names that others know them by.
            outputs = self.outputs
            network.register_forward_hook(lambda module, args, output: outputs(output, module.training, ndim))
        return network


def _unet(ndim: int, given: Mapping[str, Any]) -> dict[str, Any]:
    channels = given.get("channels", _WIDTHS)
    return {"channels": channels, "strides": (2,) * (len(channels) - 1)}


def _dynunet(ndim: int, given: Mapping[str, Any]) -> dict[str, Any]:
    strides = given.get("strides", (1, 2, 2, 2, 2))
    return {
        "strides": strides,
        "kernel_size": (3,) * len(strides),
        "upsample_kernel_size": strides[1:],
        "filters": [min(32 * 2**level, 320 if ndim == 3 else 512) for level in range(len(strides))],
    }


def _flexible_unet(ndim: int, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"backbone": "efficientnet-b0", "pretrained": False}


def _highresnet(ndim: int, given: Mapping[str, Any]) -> dict[str, Any]:
    # Its default is batch norm, which small batches of volumes do not suit.
    return {"norm_type": ("instance", {"affine": True})}


def _best_last(output: Any, training: bool, ndim: int) -> Any:
    """A list that grows better towards its end."""
    return list(reversed(output)) if training and len(output) > 1 else output[-1]


def _unstack(output: Any, training: bool, ndim: int) -> Any:
    """Deep supervision stacked as (B, heads, L, *spatial): one axis more than logits have."""
    return list(output.unbind(1)) if output.ndim == ndim + 3 else output


def _as_list(output: Any, training: bool, ndim: int) -> Any:
    return list(output) if isinstance(output, tuple) else output


def _flat_dropout(network: nn.Module, ndim: int) -> None:
    """VNet drops whole 3D channels also in 2D, where that means whole cases of a batch."""
    from torch import nn

    if ndim == 3:
        return
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout3d):
                setattr(module, name, nn.Dropout2d(child.p))


RECIPES: dict[str, Recipe] = {
    "AttentionUnet": Recipe("AttentionUnet", _unet),
    "BasicUNet": Recipe("BasicUNet"),
    "BasicUNetPlusPlus": Recipe("BasicUNetPlusPlus", outputs=_best_last),
    "DynUNet": Recipe("DynUNet", _dynunet, outputs=_unstack),
    "FlexibleUNet": Recipe("FlexibleUNet", _flexible_unet),
    "HighResNet": Recipe("HighResNet", _highresnet),
    "MedNeXt": Recipe("MedNeXt", outputs=_as_list),
    "SegResNet": Recipe("SegResNet"),
    "SegResNetDS": Recipe("SegResNetDS"),
    "SwinUNETR": Recipe("SwinUNETR"),
    "UNet": Recipe("UNet", _unet),
    "VNet": Recipe("VNet", finish=_flat_dropout),
}
"""UNETR and SegResNetVAE are not here: they take images of one fixed size only."""
