"""Scaled features turned onto principal components, and the large ones of these held down.

What differs most between images (gain, depth, size of the body) need not be what tells classes apart. Dividing every
component by its spread lets small differences speak, and lets noise speak too: so heads try it by degrees. Where most
of the spread lies can be learned from cases without a class as well, and there are more of those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.heads.components import Components
from SegClassifyLib.heads.logistic import LinearMap


@dataclass(frozen=True)
class Whitening:
    """``coordinates = components.scores(Z) * factor``.

    Args:
        components: of all rows that it was learned from.
        factor: ``(r,)``; spread ** -power, times what makes the mean squared length of these rows 1, so that the
            strength of a regularisation means the same whatever the power.
    """

    components: Components
    factor: np.ndarray

    @classmethod
    def of(cls, components: Components, power: float) -> Whitening:
        """Of some degree: 0 leaves all as it is, 1 gives every component the same spread."""
        spread = components.spread
        if not spread[0] > 0:
            return cls(components, np.zeros_like(spread))
        # The small ones that are kept are a thousandth of the large ones, never rounding noise.
        factor = np.maximum(spread, 1e-5 * spread[0]) ** -power
        length = ((components.own * factor) ** 2).sum(1).mean()
        return cls(components, factor / np.sqrt(length))

    def own(self, count: int) -> np.ndarray:
        """Coordinates ``(count, r)`` of the first rows that it was learned from."""
        return self.components.own[:count] * self.factor

    def back(self, found: LinearMap) -> LinearMap:
        """A map of coordinates as a map of the scaled features ``(F,)``."""
        weights = self.components.back(found.weights * self.factor)
        return LinearMap(weights, found.bias - weights @ self.components.centre)
