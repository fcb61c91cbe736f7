"""Evidence of the conv head: integrated gradients over its feature maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from SegClassifyLib.evidence.layers import Layer
from SegClassifyLib.evidence.spec import Part
from SegClassifyLib.features.maps import LABEL_MAP
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.base import Head
from SegClassifyLib.heads.conv import ConvHead
from SegClassifyLib.segmenter import Segmenter

LEFT_OVER = "left over"
"""Source of the part that the steps of integration leave unexplained."""


def evidence_from_maps(
    head: Head,
    table: FeatureTable,
    segmenter: Segmenter,
    inside: tuple[slice, ...],
    rows: Sequence[np.ndarray],
    label: str | None,
) -> Iterator[tuple[float, tuple[Layer, ...], tuple[Part, ...]]]:
    """For each row of weights of the classes' logits: base, layers and parts.

    Args:
        head: a conv head.
        table: of one case, with maps.
        segmenter: whose labels the regions are; a cell belongs to each as far as it is probable there.
        inside: the part of the model grid that the maps cover.
        rows: ``(K,)`` each.
        label: map only what lies in this label.
    """
    if not isinstance(head, ConvHead):
        raise TypeError(f"{type(head).__name__} has no feature maps")
    contributions, start = head.contributions(table)
    logits = head.logits(table)[0]
    probable = table.maps[LABEL_MAP][0].astype(np.float64)
    probable /= probable.sum(0)
    names = [x.name for x in segmenter.labels]
    for row in rows:
        layers, parts = [], []
        for source, every in contributions.items():
            cells = np.tensordot(row, every, 1)
            for name, share in zip(names, probable, strict=True):
                placed = label is None or name == label
                parts.append(Part(source, name, "map", -1, float((cells * share).sum()), placed))
            if label is not None:
                cells = cells * probable[names.index(label)]
            layers.append(Layer(source, cells.astype(np.float32), inside))
        base, logit = float(row @ start), float(row @ logits)
        left = logit - base - sum(part.value for part in parts)
        parts.append(Part(LEFT_OVER, "all", "integration", -1, left, False))
        yield base, tuple(layers), tuple(sorted(parts, key=lambda part: -abs(part.value)))
