"""A model's labels as the protocol says them."""

from __future__ import annotations

from collections.abc import Iterable

from SegClassifyLib.volumes.image import Label
from SegClassifyLib.worker.protocol import LabelInfo


def label_infos(labels: Iterable[Label]) -> tuple[LabelInfo, ...]:
    """All but background."""
    return tuple(LabelInfo(x.value, x.name, tuple(x.colour)) for x in labels if x.value != 0)
