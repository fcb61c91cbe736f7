"""What is remembered of each epoch of a training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class EpochRecord:
    """One epoch, as the Dice plot shows it.

    Args:
        epoch: 1 for the first.
        step: optimiser steps so far.
        loss: mean training loss of the epoch.
        dice: validation Dice by label name; labels in no validation case are missing.
        learning_rate: at the end of the epoch.
        seconds: of training so far, those before an interruption included.
    """

    epoch: int
    step: int
    loss: float
    dice: dict[str, float]
    learning_rate: float
    seconds: float

    @property
    def mean_dice(self) -> float | None:
        """Mean over labels, the number that chooses the best epoch; ``None`` without validation cases."""
        return sum(self.dice.values()) / len(self.dice) if self.dice else None

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def best_epoch(history: tuple[EpochRecord, ...]) -> EpochRecord | None:
    """The epoch whose weights are kept: the first of highest mean Dice, or the last where Dice is unknown."""
    if not history:
        return None
    if all(record.mean_dice is None for record in history):
        return history[-1]
    return max(history, key=lambda record: -1.0 if record.mean_dice is None else record.mean_dice)
