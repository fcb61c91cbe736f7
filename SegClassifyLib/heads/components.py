"""Principal components of few cases with many features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

VARIANCE_KEPT = 0.99


@dataclass(frozen=True)
class Components:
    """Principal components that hold most of the variance, by what gives them fastest.

    Args:
        centre: ``(F,)`` mean of the cases.
        basis: ``(M, F)`` rows; the centred cases themselves where they are fewer than the features.
        turn: ``(M, r)``; ``basis.T @ turn`` are the orthonormal components, largest first.
        own: ``(N, r)`` coordinates of the cases themselves.
    """

    centre: np.ndarray
    basis: np.ndarray
    turn: np.ndarray
    own: np.ndarray

    @classmethod
    def of(cls, Z: np.ndarray, kept_variance: float | None = None) -> Components:
        """Of cases ``(N, F)``, through the smaller of the two Gram matrices.

        Args:
            Z: at least one row.
            kept_variance: part of the variance to hold, 0 to 1; :data:`VARIANCE_KEPT` where not given.
        """
        wanted = VARIANCE_KEPT if kept_variance is None else kept_variance
        centre = Z.mean(0)
        centred = Z - centre
        cases, features = Z.shape
        wide = features > cases
        values, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
        values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
        total = values.sum()
        if total <= 0:
            return cls(centre, np.zeros((1, features)), np.zeros((1, 1)), np.zeros((cases, 1)))
        kept = int(np.searchsorted(np.cumsum(values) / total, wanted)) + 1
        kept = max(1, min(kept, cases - 1, int((values > 1e-10 * values[0]).sum())))
        vectors, lengths = vectors[:, :kept], np.sqrt(values[:kept])
        if wide:
            return cls(centre, centred, vectors / lengths, vectors * lengths)
        return cls(centre, np.eye(features), vectors, centred @ vectors)

    def scores(self, Z: np.ndarray) -> np.ndarray:
        """Other rows ``(n, F)`` as ``(n, r)`` coordinates."""
        return (Z - self.centre) @ self.basis.T @ self.turn

    def back(self, weights: np.ndarray) -> np.ndarray:
        """``(K, r)`` weights of the coordinates as ``(K, F)`` weights of the features."""
        return weights @ self.turn.T @ self.basis

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of the cases along each component ``(r,)``, falling."""
        return np.sqrt((self.own**2).mean(0))
