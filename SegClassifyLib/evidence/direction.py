"""A class's logit as a sum over named features, each against what would be no evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.features.pooling import pooled_names
from SegClassifyLib.features.spec import CaseFeatures, FeatureName
from SegClassifyLib.heads.base import HeadState, names_from_json
from SegClassifyLib.heads.scaling import CLIP
from SegClassifyLib.segmenter import Segmenter

_STEADY = 0.02
"""A feature whose training spread is a smaller part of the size of the values it was pooled from is not mapped. The
mean grey value of an image is such a one, for normalisation fixes it: little is left of it but rounding."""


@dataclass(frozen=True)
class Direction:
    """``logit = base + Σ weight · (x - reference)`` for the features ``x`` of one case.

    Args:
        names: of the case's F features.
        weight: ``(F,)`` float64; 0 for features that the classifier does not use.
        reference: ``(F,)`` float64.
        base: the logit where every feature is its reference.
        contribution: ``(F,)`` float64, of every feature.
        steady: ``(F,)`` bool: a feature that hardly varied in training beside the size of the values it was pooled
            from. Its cells, enlarged as much as it is, would cancel out in large numbers and drown the rest of a map.
    """

    names: tuple[FeatureName, ...]
    weight: np.ndarray
    reference: np.ndarray
    base: float
    contribution: np.ndarray
    steady: np.ndarray

    def only(self, keep: np.ndarray) -> Direction:
        """The features where the boolean mask ``keep`` is true."""
        zero = np.zeros_like
        weight, contribution = (np.where(keep, v, zero(v)) for v in (self.weight, self.contribution))
        return Direction(self.names, weight, self.reference, self.base, contribution, self.steady)


def direction(head: HeadState, features: CaseFeatures, segmenter: Segmenter, row: np.ndarray) -> Direction:
    """What a head that is linear in the features makes of one case.

    Args:
        head: "linear", taken against the average training case; or "fine-tuned", which keeps no average, taken against
            the same image without differences between its regions.
        features: of the case.
        segmenter: that gave them.
        row: ``(K,)`` weights of the classes' logits: 1 for the class, -1 for the one it is compared with.
    """
    names = names_from_json(head.config["names"])
    place = {name: column for column, name in enumerate(features.names)}
    columns = np.asarray([place[name] for name in names], np.intp)
    x = np.asarray(features.vector, np.float64)[columns]
    if head.kind == "linear":
        own, reference, base = _scaled(head, x, row)
    else:
        own = row @ np.asarray(head.arrays["weight"], np.float64)
        reference = _plain(features, segmenter)[columns]
        base = float(row @ np.asarray(head.arrays["bias"], np.float64) + own @ reference)
    weight, whole, contribution = (np.zeros(len(features.names)) for _ in range(3))
    weight[columns], whole[columns], contribution[columns] = own, reference, own * (x - reference)
    steady = np.zeros(len(features.names), bool)
    if head.kind == "linear":
        steady[columns] = head.arrays["spread"] < _STEADY * _sizes(features)[columns]
    return Direction(features.names, weight, whole, base, contribution, steady)


def _scaled(head: HeadState, x: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Weights in the features' own units; those of a feature that was clipped are so much less."""
    arrays = {name: np.asarray(array, np.float64) for name, array in head.arrays.items()}
    away = np.abs(x - arrays["shift"]) / arrays["spread"]
    kept = CLIP / np.maximum(away, CLIP)
    weight = (row @ arrays["coefficients"]) * arrays["weight"] / arrays["spread"] * kept
    return weight, arrays["shift"], float(row @ arrays["bias"])


def _sizes(features: CaseFeatures) -> np.ndarray:
    """``(F,)`` root mean square of the values that a feature of a tap was pooled from; 0 for other features."""
    square: dict[tuple[str, int], float] = {}
    for name, value in zip(features.names, features.vector, strict=True):
        if name.region == "all" and name.channel >= 0:
            square[name.source, name.channel] = (
                square.get((name.source, name.channel), 0.0) + float(value) ** 2
            )
    return np.sqrt(
        [0.0 if n.is_descriptor else square.get((n.source, n.channel), 0.0) for n in features.names]
    )


def _plain(features: CaseFeatures, segmenter: Segmenter) -> np.ndarray:
    """``(F,)``: this image as if all its regions were alike; no label there, so descriptors are 0."""
    whole = {
        (n.source, n.statistic, n.channel): float(v)
        for n, v in zip(features.names, features.vector, strict=True)
        if n.region == "all"
    }
    channels = len(segmenter.preprocessing.channels)
    pooled = set(pooled_names(segmenter.taps, channels, tuple(x.name for x in segmenter.labels)))
    return np.asarray(
        [whole.get((n.source, n.statistic, n.channel), 0.0) if n in pooled else 0.0 for n in features.names]
    )
