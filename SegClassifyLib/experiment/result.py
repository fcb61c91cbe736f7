"""What a comparison found, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.folds import Fold
from SegClassifyLib.experiment.arms import Arm
from SegClassifyLib.experiment.scores import ArmDifference, ArmScore
from SegClassifyLib.experiment.settings import CompareSettings


@dataclass(frozen=True)
class CompareResult:
    """All that tables and report show.

    Args:
        name: of the training set.
        classes: names.
        cases: names of those that took part.
        y: their classes ``(N,)`` int.
        groups: their patients ``(N,)``.
        arms: in order; differences are told against the first.
        folds: the draws by size, the same for every arm.
        scores: of each arm and size.
        differences: of every pair of arms.
        feature_seconds: for one case, by arm; NaN where not measured, 0 where the arm reads images.
        failures: arm, size, draw and sentence of what could not be trained.
        unfinished: how many trainings are still to be run.
        notes: sentences on how it was done.
        provenance: names and values of what it was made from.
        settings: of the comparison.
    """

    name: str
    classes: tuple[str, ...]
    cases: tuple[str, ...]
    y: np.ndarray
    groups: np.ndarray
    arms: tuple[Arm, ...]
    folds: Mapping[int, tuple[Fold, ...]]
    scores: tuple[ArmScore, ...]
    differences: tuple[ArmDifference, ...]
    feature_seconds: Mapping[str, float]
    failures: tuple[tuple[str, str, int, str], ...]
    unfinished: int
    notes: tuple[str, ...]
    provenance: Sequence[tuple[str, str]]
    settings: CompareSettings

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes with a score, in the order asked for."""
        there = {s.size for s in self.scores}
        return tuple(size for size in self.folds if size in there)

    def score(self, arm: str, size: int) -> ArmScore | None:
        """Of one arm at one size."""
        return next((s for s in self.scores if (s.arm, s.size) == (arm, size)), None)

    def against_first(self, metric: str) -> list[ArmDifference]:
        """Differences of the first arm to every other."""
        return [d for d in self.differences if d.arm == self.arms[0].key and d.metric == metric]
