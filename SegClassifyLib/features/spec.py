"""Names of things read from a segmenter: taps, and the numbers pooled from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

from SegClassifyLib.volumes.observation import Observation

MARGIN = "margin of "
"""Begins the region's name of what was read round a label."""

FEATURE_VERSION = 3
"""Raised whenever pooling, descriptors or what is observed of an image would give other numbers: part of every key of
the feature cache.
"""


class TapSpec(BaseModel):
    """A place in the segmenter whose feature map is read.

    Args:
        name: for people: "bottleneck", "decoder2", "layer4".
        module: dotted path of the ``nn.Module`` whose output is read.
        channels: channels of that output.
        reduction: input voxels per tap voxel along each axis, array order (D, H, W) or (H, W).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    module: str
    channels: int
    reduction: tuple[int, ...]


@dataclass(frozen=True)
class FeatureName:
    """Where one number of a feature vector comes from.

    Args:
        source: a tap's name, or "shape" / "intensity" for descriptors of the predicted labels; features of another
            network than the segmenter are named "network:tap".
        region: "all", a label's name, or "margin of <label>".
        statistic: "mean", "spread", "volume_mm3", …
        channel: tap channel or image channel; -1 where it has none.
    """

    source: str
    region: str
    statistic: str
    channel: int = -1

    def __str__(self) -> str:
        tail = f"[{self.channel}]" if self.channel >= 0 else ""
        return f"{self.source}/{self.region}/{self.statistic}{tail}"

    @property
    def label(self) -> str:
        """The label in or round which it was read; "all" for the whole image."""
        return self.region.removeprefix(MARGIN)

    @property
    def network(self) -> str:
        """The network whose tap it is; empty for the segmenter."""
        network, colon, _ = self.source.partition(":")
        return network if colon else ""

    @property
    def is_descriptor(self) -> bool:
        """True for shape and intensity of the predicted labels, false for what a tap gave."""
        return self.source in ("shape", "intensity")


@dataclass(frozen=True)
class CaseFeatures:
    """All that a classifier sees of one case.

    Args:
        names: one for each number of ``vector``.
        vector: ``(F,)`` float32, finite.
        maps: feature map of each tap for the *conv* head, ``(C, m, m, m)`` or ``(C, m, m)`` float16, by tap name,
            pooled to one small fixed size; label probabilities under the key "labels".
        observation: what the image itself was like, for comparison with the training images.
    """

    names: tuple[FeatureName, ...]
    vector: np.ndarray
    maps: dict[str, np.ndarray]
    observation: Observation


@dataclass(frozen=True)
class FeatureTable:
    """Features of many cases.

    Args:
        names: one for each column of ``X``.
        X: ``(N, F)`` float32.
        maps: stacked maps, ``(N, C, m, …)`` float16 by tap name; empty when no head needs them.
        cases: ``(N,)`` row numbers in the table that these rows were taken from; ``None`` for a whole table.
    """

    names: tuple[FeatureName, ...]
    X: np.ndarray
    maps: dict[str, np.ndarray]
    cases: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.X)

    def rows(self, index: np.ndarray) -> FeatureTable:
        """The cases ``index`` only."""
        cases = np.arange(len(self)) if self.cases is None else self.cases
        maps = {k: v[index] for k, v in self.maps.items()}
        return FeatureTable(self.names, self.X[index], maps, cases[index])

    def columns(self, keep: np.ndarray) -> FeatureTable:
        """The features where the boolean mask ``keep`` is true; maps stay."""
        names = tuple(n for n, k in zip(self.names, keep, strict=True) if k)
        return FeatureTable(names, self.X[:, keep], self.maps, self.cases)

    def select(self, names: Sequence[FeatureName]) -> FeatureTable:
        """The columns of these names, in their order.

        Raises:
            KeyError: there is no such feature.
        """
        if tuple(names) == self.names:
            return self
        place = {name: column for column, name in enumerate(self.names)}
        columns = np.asarray([place[name] for name in names], dtype=np.intp)
        return FeatureTable(tuple(names), self.X[:, columns], self.maps, self.cases)

    def about(self, labels: Sequence[str]) -> FeatureTable:
        """Features read inside ``labels`` or in their margins only; all where none are named."""
        if not labels:
            return self
        return self.columns(np.asarray([name.label in labels for name in self.names]))

    @classmethod
    def stack(cls, cases: list[CaseFeatures]) -> FeatureTable:
        """One row a case; all must have the same names."""
        names = cases[0].names
        if any(c.names != names for c in cases):
            raise ValueError("cases have different features")
        maps = {k: np.stack([c.maps[k] for c in cases]) for k in cases[0].maps}
        return cls(names, np.stack([c.vector for c in cases]), maps)
