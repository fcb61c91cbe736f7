"""Cases that a recipe can choose from, before any image is taken into the training set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from SegClassifyLib.volumes.image import Image, LabelMap


@dataclass(frozen=True)
class Loaded:
    """One case in memory.

    Args:
        image: all channels, in the source's order.
        labels: on the same grid, in the values of the training set.
    """

    image: Image
    labels: LabelMap


@dataclass(frozen=True)
class Candidate:
    """One case that could take part.

    Args:
        name: unique, fit for a file name.
        label_class: its class.
        group: the patient.
        load: reads or draws it; called only for cases that were chosen.
    """

    name: str
    label_class: str
    group: str
    load: Callable[[], Loaded]


@dataclass(frozen=True)
class Found:
    """What a source holds.

    Args:
        candidates: in an order that does not change from run to run.
        classes: names in order.
        notes: sentences on what was left out and why.
    """

    candidates: tuple[Candidate, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
