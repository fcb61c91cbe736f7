"""What a model knows of when to believe it."""

from __future__ import annotations

from dataclasses import dataclass

from SegClassifyLib.trust.answers import HeldOutAnswers
from SegClassifyLib.trust.novelty import Novelty

CONFIDENCE = 0.9


@dataclass(frozen=True)
class Trust:
    """Goes with a model, and into its package as plain arrays.

    Args:
        answers: of cross-validation, for prediction sets; ``None`` where there are none.
        novelty: what training cases are like; ``None`` where they were too few.
        confidence: share of cases whose true class is to be in their prediction set.
    """

    answers: HeldOutAnswers | None = None
    novelty: Novelty | None = None
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise ValueError("confidence must lie between 0 and 1")
