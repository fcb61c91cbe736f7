"""Features of cases the segmenter was trained on, from segmenters that did not see them.

A segmenter knows its own training cases too well: features of theirs look cleaner than those of new cases, and
cross-validation on them flatters. So such a case's features come from a *fold segmenter* trained without it. Two
networks trained apart do not number their channels alike, though; a fold segmenter's features are therefore
translated into the space of the full segmenter by a ridge regression for each tap, learned from cases that both were
trained on. Pooling is linear in the feature map, so one matrix serves the means over the image, inside every label
and in every margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from SegClassifyLib.features.spec import CaseFeatures, FeatureName

_ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True)
class _TapMap:
    """``target ≈ source @ matrix + offset`` for the columns of one tap and statistic."""

    columns: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """``(..., C)`` to ``(..., C)``."""
        return vectors @ self.matrix + self.offset


@dataclass(frozen=True)
class Translation:
    """From one segmenter's features to another's.

    Args:
        names: of the features, the same in both.
        means: one map a tap, for everything that is a mean; columns are ``(regions, C)``.
        spreads: one map a tap, for the spread.
        explained: share of variance of the target's tap means that the translation gets right on the cases it was
            learned from; 1 is perfect.
    """

    names: tuple[FeatureName, ...]
    means: dict[str, _TapMap]
    spreads: dict[str, _TapMap]
    explained: float

    def apply(self, features: CaseFeatures) -> CaseFeatures:
        """The same case as the target segmenter would have described it."""
        if features.names != self.names:
            raise ValueError("these features have other names than the translation was learned on")
        vector = features.vector.copy()
        for tap in (*self.means.values(), *self.spreads.values()):
            vector[tap.columns] = tap.apply(features.vector[tap.columns])
        maps = dict(features.maps)
        for name, tap in self.means.items():
            if name in maps:
                channels_last = np.moveaxis(maps[name].astype(np.float32), 0, -1)
                maps[name] = np.moveaxis(tap.apply(channels_last), -1, 0).astype(np.float16)
        return replace(features, vector=vector, maps=maps)


def learn_translation(source: Sequence[CaseFeatures], target: Sequence[CaseFeatures]) -> Translation:
    """Learn how one segmenter's features say what another's do.

    Args:
        source, target: features of the same cases, in the same order, by either segmenter; both were trained on
            these cases.
    """
    names = source[0].names
    taps = dict.fromkeys(n.source for n in names if _is_translated(n))
    means: dict[str, _TapMap] = {}
    spreads: dict[str, _TapMap] = {}
    explained = []
    for tap in taps:
        for statistic, maps in (("mean", means), ("spread", spreads)):
            columns = _columns(names, tap, statistic)
            rows = [np.concatenate([c.vector[columns] for c in cases]) for cases in (source, target)]
            maps[tap], share = _ridge(columns, *rows)
            if statistic == "mean":
                explained.append(share)
    return Translation(names, means, spreads, float(np.mean(explained)) if explained else 1.0)


def _is_translated(name: FeatureName) -> bool:
    from SegClassifyLib.features.pooling import IMAGE_TAP

    return not name.is_descriptor and name.source not in (IMAGE_TAP, "probability")


def _columns(names: Sequence[FeatureName], tap: str, statistic: str) -> np.ndarray:
    """``(regions, C)`` positions of one tap's statistic in the feature vector."""
    regions: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        if name.source == tap and name.statistic == statistic:
            regions.setdefault(name.region, []).append(position)
    return np.asarray(list(regions.values()))


def _ridge(columns: np.ndarray, source: np.ndarray, target: np.ndarray) -> tuple[_TapMap, float]:
    from sklearn.linear_model import RidgeCV

    scale = np.maximum(source.std(0), 1e-6)
    model = RidgeCV(alphas=_ALPHAS).fit(source / scale, target)
    residual = float(((model.predict(source / scale) - target) ** 2).sum())
    total = float(((target - target.mean(0)) ** 2).sum())
    matrix = (np.atleast_2d(model.coef_) / scale).T.astype(np.float32)
    offset = np.atleast_1d(model.intercept_).astype(np.float32)
    return _TapMap(columns, matrix, offset), 1.0 - residual / max(total, 1e-12)
