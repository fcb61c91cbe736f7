"""Left and right exchanged: told where training images have a left and a right that differ alike in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.volumes.observation import Observation

FEWEST = 10
"""Patients from which on it is known whether training images are sided."""
_FOLDS = 10
_CLEAR = 1.5
"""Standard deviations that training images are away from having no sides, and twice that from their mirror images."""
_RARE = 3.0
"""Standard deviations below the training images at which an image may be called mirrored."""
_SHRINK = 0.3
"""Variance added in every direction, in parts of the mean variance: there are more numbers than images."""


@dataclass(frozen=True)
class Sides:
    """What sets left apart from right in the training images: Fisher's direction between them and their mirror images.

    Args:
        template: unit vector in the numbers of :func:`~SegClassifyLib.volumes.sides.sides` ``(F,)`` float32.
        below: an image that follows it by less than this, below 0, looks mirrored.
    """

    template: np.ndarray
    below: float

    def mirrored(self, observation: Observation) -> bool:
        """Whether an image looks like a mirrored training image."""
        found = _numbers(observation)
        if found is None or found.shape != self.template.shape:
            return False
        return float(found @ self.template) < self.below


def learn_sides(observations: Sequence[Observation], groups: np.ndarray) -> Sides | None:
    """``None`` where training images have no sides that all of them share, or there are too few to tell.

    Args:
        observations: of N training images.
        groups: patients ``(N,)``.
    """
    rows = [_numbers(o) for o in observations]
    measured = [row for row in rows if row is not None]
    code = np.unique(groups, return_inverse=True)[1].reshape(-1)
    patients = int(code.max()) + 1
    if patients < FEWEST or len(measured) < len(rows) or len({row.shape for row in measured}) > 1:
        return None
    found = np.stack(measured)
    means = np.stack([found[code == k].mean(0) for k in range(patients)])
    part = np.random.default_rng(0).permutation(patients) % _FOLDS
    follows = np.concatenate([means[part == k] @ _template(means[part != k]) for k in range(_FOLDS)])
    usual, spread = float(follows.mean()), float(follows.std(ddof=1))
    if usual <= 0 or usual < _CLEAR * spread:
        return None
    return Sides(_template(means).astype(np.float32), min(-usual / 2, usual - _RARE * spread))


def _template(means: np.ndarray) -> np.ndarray:
    """Fisher's direction from patients' mean numbers ``(G, F)``; those of the mirror images are minus these."""
    covariance = np.cov(means.T)
    covariance += (_SHRINK * np.trace(covariance) / len(covariance) + 1e-12) * np.eye(len(covariance))
    direction = np.linalg.solve(covariance, means.mean(0))
    return np.asarray(direction / max(float(np.linalg.norm(direction)), 1e-12))


def _numbers(observation: Observation) -> np.ndarray | None:
    return np.concatenate(observation.sides) if observation.sides else None
