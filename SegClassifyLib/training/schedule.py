"""How far a training is, in steps or in time, and the learning rate that goes with it."""

from __future__ import annotations

import math
import time

from SegClassifyLib.training.settings import SegmenterSettings

_WARM_UP = 0.05


class Budget:
    """Steps and seconds used and left.

    Args:
        settings: the budget.
        steps_per_epoch: optimiser steps of one epoch.
        seconds: already used before an interruption.
        late: seconds of a budget of minutes that went by before the first step.
    """

    def __init__(
        self, settings: SegmenterSettings, steps_per_epoch: int, seconds: float = 0.0, late: float = 0.0
    ) -> None:
        self._steps = None if settings.epoch_limit is None else settings.epoch_limit * steps_per_epoch
        self._limit = None if settings.minutes is None else settings.minutes * 60 - late
        self._started = time.monotonic() - seconds
        self._reserved = 0.0

    @property
    def seconds(self) -> float:
        """Used so far."""
        return time.monotonic() - self._started

    def reserve(self, seconds: float) -> None:
        """Keep time for one more validation at the end."""
        self._reserved = max(self._reserved, seconds)

    def fraction(self, step: int) -> float:
        """0 at the start to 1 at the end of whichever budget ends first."""
        used = [0.0]
        if self._steps is not None:
            used.append(step / self._steps)
        if self._limit is not None:
            used.append(self.seconds / max(self._limit - self._reserved, 1e-3))
        return min(1.0, max(used))


def learning_rate(highest: float, fraction: float) -> float:
    """A short linear rise, then a cosine to zero.

    Args:
        highest: the rate of the settings.
        fraction: of the budget used, 0 to 1.
    """
    rise = min(1.0, 0.02 + fraction / _WARM_UP)
    return highest * rise * 0.5 * (1 + math.cos(math.pi * fraction))
