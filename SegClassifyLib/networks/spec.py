"""What it takes to build a segmentation network again: plain data, never code."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class NetworkSpec(BaseModel):
    """A network by name and arguments.

    Args:
        name: a key of the registry: "VNetDS", a MONAI network ("UNet", "DynUNet", …), or one of the networks with
            foreign weights ("DeepbetLinkNet", "MeshNet", "LWNet").
        ndim: 2 or 3.
        in_channels: images of a case.
        out_channels: labels, background included: the network's output has this many logit channels.
        arguments: whatever else the constructor takes; JSON values only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    ndim: Literal[2, 3]
    in_channels: int = Field(ge=1)
    out_channels: int = Field(ge=2)
    arguments: dict[str, Any] = {}
