"""What *Classify* runs: segmenter, head, calibration and where they come from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from SegClassifyLib.package.provenance import Provenance
from SegClassifyLib.package.reference import TrainingReference
from SegClassifyLib.segmenter import Segmenter

if TYPE_CHECKING:
    from SegClassifyLib.heads.base import HeadState
    from SegClassifyLib.trust.trust import Trust


@dataclass(frozen=True)
class Model:
    """A trained model in memory; on disk it is a model package.

    Args:
        name: short, for lists and menus.
        description: what it does, a few sentences; the first is shown in lists.
        segmenter: network, weights, preprocessing, labels, taps.
        head: the trained classifier as numbers; ``None`` for a model that only segments.
        classes: in the order of the head's probabilities; empty without a head.
        temperature, doubt: calibration, see :class:`~SegClassifyLib.evaluation.calibrate.Calibration`.
        training: what the training images were like.
        trust: what prediction sets and novelty need; ``None`` for models that know neither.
        provenance: data, software, scores.
    """

    name: str
    description: str
    segmenter: Segmenter
    head: HeadState | None = None
    classes: tuple[str, ...] = ()
    temperature: float = 1.0
    doubt: float = 0.0
    training: TrainingReference = field(default_factory=TrainingReference)
    provenance: Provenance = field(default_factory=Provenance)
    trust: Trust | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("a model needs a name")
        if (self.head is None) != (not self.classes):
            raise ValueError("classes go with a head, and a head with classes")
        if self.classes and (len(self.classes) < 2 or len(set(self.classes)) < len(self.classes)):
            raise ValueError("a classifier needs two or more classes, each with its own name")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError("temperature must be a positive number")
        if self.trust is not None and self.head is None:
            raise ValueError("trust goes with a head")
        if not 0 <= self.doubt < 1:
            raise ValueError("doubt must be a share below 1")
