"""How far a vector lies from those seen before: Mahalanobis distance with a shrunk covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.features.spec import FeatureName
from SegClassifyLib.heads.scaling import Scaling

_SHRINK = 0.1
"""Variance added in every direction, in parts of the mean variance of the directions that the cases span."""
_MOST_AXES = 64
_BALANCE, _DESCRIPTORS = 1.0, 0.4


@dataclass(frozen=True)
class Distance:
    """``Σ (a_j·z)² / (v_j + λ) + |z - Σ (a_j·z) a_j|² / λ`` with ``z = (x - mean) * scale``.

    Lee et al., *A simple unified framework for detecting out-of-distribution samples* (NeurIPS 2018), for all classes
    together. Directions in which the known cases do not differ weigh most, as in the residual of principal components.

    Args:
        mean, scale: of each column ``(F,)`` float64; the scale of columns that never differ is 0.
        axes: ``a``, orthonormal ``(J, F)`` float32.
        variance: ``v`` ``(J,)`` float64.
        shrink: ``λ``.
    """

    mean: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    variance: np.ndarray
    shrink: float

    @classmethod
    def of(cls, X: np.ndarray, names: tuple[FeatureName, ...], least_spread: float = 0.0) -> Distance:
        """Learn from known cases.

        Args:
            X: ``(N, F)``.
            names: of the columns; blocks of them weigh alike (:class:`~SegClassifyLib.heads.scaling.Scaling`).
            least_spread: columns that differ less count as if they differed by this.
        """
        X = np.asarray(X, np.float64)
        scaling = Scaling.of(X, names, _BALANCE, _DESCRIPTORS)
        scale = scaling.weight / scaling.spread
        if least_spread:
            share = np.sqrt(1 / X.shape[1])
            scale = share / np.maximum(X.std(0), least_spread)
        Z = (X - scaling.shift) * scale
        square, turn = np.linalg.eigh(Z @ Z.T)
        order = np.argsort(-square)[:_MOST_AXES]
        order = order[square[order] > 1e-9 * max(float(square.max()), 1e-30)]
        axes = (turn[:, order] / np.sqrt(square[order])).T @ Z
        spanned = max(int((square > 1e-9 * max(float(square.max()), 1e-30)).sum()), 1)
        shrink = _SHRINK * max(float(square.sum()) / len(X) / spanned, 1e-12)
        return cls(scaling.shift, scale, axes.astype(np.float32), square[order] / len(X), shrink)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Logarithms of the distances of ``(M, F)``, ``(M,)`` float64."""
        z = (np.asarray(X, np.float64) - self.mean) * self.scale
        along = z @ self.axes.T.astype(np.float64)
        rest = np.maximum((z**2).sum(1) - (along**2).sum(1), 0.0)
        whole = (along**2 / (self.variance + self.shrink)).sum(1) + rest / self.shrink
        return np.asarray(0.5 * np.log(whole + 1e-12))


def held_out_distances(
    X: np.ndarray,
    names: tuple[FeatureName, ...],
    groups: np.ndarray,
    seed: int,
    least_spread: float = 0.0,
    more: np.ndarray | None = None,
) -> np.ndarray:
    """Distances of cases from the others ``(N,)``, learned without their patient.

    Args:
        X, names, least_spread: as for :meth:`Distance.of`.
        groups: patients ``(N,)``.
        seed: decides which patients are left out together.
        more: cases of other patients ``(M, F)``, learned from every time and asked about never.
    """
    code = np.unique(groups, return_inverse=True)[1].reshape(-1)
    patients = int(code.max()) + 1
    folds = min(patients, 10 if patients < 60 else 5)
    part = np.random.default_rng(seed).permutation(patients)[code] % folds
    found = np.empty(len(X))
    for fold in range(folds):
        held = part == fold
        others = X[~held] if more is None else np.concatenate([X[~held], more])
        found[held] = Distance.of(others, names, least_spread)(X[held])
    return found
