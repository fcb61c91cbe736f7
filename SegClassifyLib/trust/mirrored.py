"""Left and right exchanged: told where training images have a left and a right that differ alike in nearly all."""

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
        template: unit vector in the differences of :func:`~SegClassifyLib.volumes.sides.sides` ``(F,)`` float32.
        below: an image whose differences follow it by less than this, below 0, looks mirrored.
        pattern: what training images have on both sides, a unit vector in the sums, less their mean ``(F,)`` float32.
        alike: an image whose sums correlate less with it shows something else or has another contrast: it is not asked.
    """

    template: np.ndarray
    below: float
    pattern: np.ndarray
    alike: float

    def mirrored(self, observation: Observation) -> bool:
        """Whether an image looks like a mirrored training image."""
        found = _numbers(observation)
        if found is None or found.shape != (2, len(self.template)):
            return False
        differences, sums = found
        return bool(differences @ self.template < self.below and _centred(sums) @ self.pattern >= self.alike)


def learn_sides(observations: Sequence[Observation], groups: np.ndarray) -> Sides | None:
    """``None`` where training images have no sides that nearly all of them share, or there are too few to tell.

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
    differences, sums = np.stack([found[code == k].mean(0) for k in range(patients)], axis=1)
    sums = _centred(sums)
    part = np.random.default_rng(0).permutation(patients) % _FOLDS
    follows, alike = np.empty(patients), np.empty(patients)
    for fold in range(_FOLDS):
        held = part == fold
        follows[held] = differences[held] @ _template(differences[~held])
        alike[held] = sums[held] @ _unit(sums[~held].mean(0))
    usual, spread = float(follows.mean()), float(follows.std(ddof=1))
    if usual <= 0 or usual < _CLEAR * spread:
        return None
    return Sides(
        _template(differences).astype(np.float32),
        min(-usual / 2, usual - _RARE * spread),
        _unit(sums.mean(0)).astype(np.float32),
        max(float(alike.mean() - _RARE * alike.std(ddof=1)), 0.0),
    )


def _template(means: np.ndarray) -> np.ndarray:
    """Fisher's direction from patients' mean differences ``(G, F)``; those of the mirror images are minus these."""
    covariance = np.cov(means.T)
    covariance += (_SHRINK * np.trace(covariance) / len(covariance) + 1e-12) * np.eye(len(covariance))
    return _unit(np.linalg.solve(covariance, means.mean(0)))


def _numbers(observation: Observation) -> np.ndarray | None:
    """``(2, F)``: differences and sums of all channels."""
    if not observation.sides:
        return None
    return np.concatenate([np.reshape(channel, (2, -1)) for channel in observation.sides], axis=1)


def _centred(rows: np.ndarray) -> np.ndarray:
    return _unit(rows - rows.mean(-1, keepdims=True))


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12))
