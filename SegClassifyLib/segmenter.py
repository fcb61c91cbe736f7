"""The segmenter as data: network, weights, preprocessing, labels, taps, and how it is run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.preprocessing.spec import PREPROCESSING_VERSION, PreprocessingSpec
from SegClassifyLib.volumes.image import Label

if TYPE_CHECKING:
    import torch


class InferenceSpec(BaseModel):
    """How the network is run over the model grid.

    Args:
        mode: ``whole`` in one pass; ``window`` in tiles.
        window: tile size in voxels, array order (D, H, W) or (H, W); used by ``window``, and as the first size
            tried when a whole pass does not fit into memory.
        halo: voxels of context on every side of a tile that are computed and thrown away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["whole", "window"] = "whole"
    window: tuple[int, ...] | None = None
    halo: int = Field(default=16, ge=0)


@dataclass(frozen=True)
class Segmenter:
    """A trained segmentation network with all that is needed to run it on any image.

    Args:
        network: how to build it.
        preprocessing: how an image becomes its input.
        labels: what its output channels mean, background first, values 0 … L-1.
        taps: where features are read.
        state: weights by name, on the CPU.
        inference: whole volume or windows.
    """

    network: NetworkSpec
    preprocessing: PreprocessingSpec
    labels: tuple[Label, ...]
    taps: tuple[TapSpec, ...]
    state: dict[str, torch.Tensor]
    inference: InferenceSpec = InferenceSpec()

    def __post_init__(self) -> None:
        if len(self.labels) != self.network.out_channels:
            raise ValueError(f"{len(self.labels)} labels for {self.network.out_channels} output channels")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides its labels and features: the model's part of every cache key."""
        digest = hashlib.sha256(f"preprocessing {PREPROCESSING_VERSION}".encode())
        for part in (self.network, self.preprocessing, self.inference, *self.taps):
            digest.update(part.model_dump_json().encode())
        digest.update(repr([(x.value, x.name) for x in self.labels]).encode())
        for name in sorted(self.state):
            tensor = self.state[name].detach().cpu().contiguous()
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()

    def with_taps(self, taps: tuple[TapSpec, ...]) -> Segmenter:
        """The same segmenter read at other places."""
        return replace(self, taps=taps)
