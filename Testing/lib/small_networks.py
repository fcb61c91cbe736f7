"""Every network that the library knows by name, in a size fit for tests."""

from __future__ import annotations

from typing import Any

from SegClassifyLib.networks.spec import NetworkSpec

SMALL: dict[str, tuple[int, dict[str, Any]]] = {
    "AttentionUnet": (4, {"channels": [4, 8, 16], "strides": [2, 2]}),
    "BasicUNet": (16, {"features": [4, 4, 8, 8, 16, 4]}),
    "BasicUNetPlusPlus": (16, {"features": [4, 4, 8, 8, 16, 4]}),
    "DeepbetLinkNet": (32, {}),
    "DynUNet": (4, {"strides": [1, 2, 2], "filters": [4, 8, 16]}),
    "FlexibleUNet": (32, {"decoder_channels": [16, 8, 8, 4, 4]}),
    "HighResNet": (1, {}),
    "LWNet": (4, {}),
    "MedNeXt": (4, {"init_filters": 4, "kernel_size": 3, "blocks_down": [1, 1], "blocks_up": [1, 1]}),
    "MeshNet": (1, {"dilations": [1, 2, 1]}),
    "SegResNet": (4, {"init_filters": 8, "blocks_down": [1, 1, 1], "blocks_up": [1, 1]}),
    "SegResNetDS": (4, {"init_filters": 4, "blocks_down": [1, 1, 1]}),
    "SwinUNETR": (32, {"feature_size": 12, "num_heads": [1] * 4, "depths": [1] * 4, "window_size": 2}),
    "UNet": (4, {"channels": [4, 8, 16], "strides": [2, 2]}),
    "VNet": (16, {}),
    "VNetDS": (4, {"base_filters": 4, "num_blocks": [1, 1, 1]}),
}
"""Of each network its divisor and arguments that make it small."""

ABLE = {"DeepbetLinkNet": (3,), "LWNet": (2,)}
CASES = [(name, ndim) for name in SMALL for ndim in ABLE.get(name, (2, 3))]


def spec_of(name: str, ndim: int, labels: int = 3, **arguments: Any) -> NetworkSpec:
    return NetworkSpec.model_validate(
        {
            "name": name,
            "ndim": ndim,
            "in_channels": 2,
            "out_channels": 2 if name == "LWNet" else labels,
            "arguments": {**SMALL[name][1], **arguments},
        }
    )
