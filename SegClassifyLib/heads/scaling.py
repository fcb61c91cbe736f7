"""Columns of a feature table on one footing: constant ones silenced, large blocks kept from drowning small ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.features.spec import FeatureName

CLIP = 8.0
"""Standard deviations from the training mean at which a feature is cut off: no single wild number decides."""

_CONSTANT = 1e-6
"""A column whose spread is less than this part of its size is rounding noise of float32, not information.

Nor is one with less than this spread by itself: the mean of an image that was shifted to mean 0, for one.
"""


@dataclass(frozen=True)
class Scaling:
    """``z = clip((x - shift) / spread, ±8) * weight``.

    Args:
        shift: mean of each column in the training cases ``(F,)`` float64.
        spread: standard deviation ``(F,)`` float64; 1 for constant columns.
        weight: ``(F,)`` float64; 0 for constant columns. Training rows have a mean squared length of 1, so that
            the strength of a regularisation means the same whatever the number of features.
    """

    shift: np.ndarray
    spread: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, names: tuple[FeatureName, ...], balance: float, descriptors: float) -> Scaling:
        """Learn from training cases.

        Args:
            X: ``(N, F)``.
            names: of the columns; those of one source, region and statistic are one block, and so are all intensity
                descriptors of a label.
            balance: 0 gives every column the same variance, 1 every block, whatever its number of columns;
                between them a compromise.
            descriptors: part of the whole variance that shape and intensity descriptors get, 0 to 1, where
                there are taps as well. Each network that taps come from gets as much of the rest as any other: the
                thousand features of one do not drown, nor are drowned by, another's hundred blocks.
        """
        X = np.asarray(X, np.float64)
        shift, spread = X.mean(0), X.std(0)
        varies = spread > _CONSTANT * (np.abs(shift) + 1)
        layout = _Layout.of(names)
        share = np.where(varies, np.maximum(layout.block_sizes(varies), 1) ** -balance, 0.0)
        parts = layout.parts(descriptors)
        varying = [(columns, part) for columns, part in parts if share[columns].sum() > 0]
        whole = sum(part for _, part in varying)
        for columns, part in varying:
            share[columns] *= (part / whole if whole > 0 else 1 / len(varying)) / share[columns].sum()
        return cls(shift, np.where(varies, spread, 1.0), np.sqrt(share))

    def apply(self, X: np.ndarray) -> np.ndarray:
        """``(N, F)`` float64 scaled columns."""
        z = (np.asarray(X, np.float64) - self.shift) / self.spread
        return np.clip(z, -CLIP, CLIP, out=z) * self.weight


@dataclass(frozen=True)
class _Layout:
    """What the names of a table's columns say.

    Args:
        names: themselves.
        blocks: number of each column's block ``(F,)``.
        described: whether it is a descriptor ``(F,)`` bool.
        networks: columns of each network ``(F,)`` bool, descriptors left out.
    """

    names: tuple[FeatureName, ...]
    blocks: np.ndarray
    described: np.ndarray
    networks: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, names: tuple[FeatureName, ...]) -> _Layout:
        """Read thousands of names once, not for every fold of every repeat: all rows of a table share one tuple."""
        global _latest
        layout = _latest
        if layout is None or layout.names is not names:
            block_of: dict[tuple[str, str, str], int] = {}
            blocks = np.array([block_of.setdefault(_block(n), len(block_of)) for n in names], int)
            described = np.array([n.is_descriptor for n in names], bool)
            network = np.array([n.network for n in names], str)
            found = np.unique(network[~described])
            layout = cls(names, blocks, described, tuple(~described & (network == n) for n in found))
            _latest = layout
        return layout

    def block_sizes(self, varies: np.ndarray) -> np.ndarray:
        """For each column the number of varying columns in its block ``(F,)``."""
        return np.bincount(self.blocks, weights=varies)[self.blocks]

    def parts(self, descriptors: float) -> list[tuple[np.ndarray, float]]:
        """The descriptors' columns, those of each network, and the part of the variance of each."""
        rest = [(columns, (1 - descriptors) / len(self.networks)) for columns in self.networks]
        return [(self.described, descriptors), *rest]


_latest: _Layout | None = None


def _block(name: FeatureName) -> tuple[str, str, str]:
    # Mean, median, minimum … of a label's grey values say much the same, channel by channel: one block a label.
    return (name.source, name.region, "" if name.source == "intensity" else name.statistic)
