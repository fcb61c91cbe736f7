"""L2-regularised logistic regression on few cases with many features, for a whole path of strengths at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.heads.newton import Objective, minimise

_VARIANCE_KEPT = 0.99


@dataclass(frozen=True)
class LinearMap:
    """``logits = z @ weights.T + bias``.

    Args:
        weights: ``(K, F)`` float64.
        bias: ``(K,)`` float64.
    """

    weights: np.ndarray
    bias: np.ndarray

    def __call__(self, Z: np.ndarray) -> np.ndarray:
        """Logits ``(N, K)`` of rows ``(N, F)``."""
        return Z @ self.weights.T + self.bias


def logistic_path(Z: np.ndarray, y: np.ndarray, strengths: Sequence[float] | np.ndarray) -> list[LinearMap]:
    """One class-balanced multinomial logistic regression for each inverse regularisation strength C.

    The cases are first turned onto their own principal components, at most N - 1 that hold 99 % of the variance:
    the L2 penalty does not notice the turn, and thousands of features cost no more than the number of cases.

    Args:
        Z: scaled features ``(N, F)`` float64.
        y: classes ``(N,)`` int, every one of ``0 … K-1`` present.
        strengths: values of C.

    Returns:
        A map for each strength. Rows of a map add up to nothing; two classes have two opposite rows, and the
        strength of the regression that has one row for both.
    """
    components = _Components.of(Z)
    maps = []
    for coefficients in _path(components.own, y, strengths):
        weights = components.back(coefficients[:-1].T)
        maps.append(LinearMap(weights, coefficients[-1] - weights @ components.centre))
    return maps


def held_out_path(
    Z: np.ndarray, y: np.ndarray, strengths: Sequence[float] | np.ndarray, held_out: np.ndarray
) -> np.ndarray:
    """Logits ``(strengths, n, K)`` of rows ``held_out`` ``(n, F)`` by each map of :func:`logistic_path`.

    The maps themselves, long as a case has features, are never made.
    """
    components = _Components.of(Z)
    scores = components.scores(held_out)
    return np.stack([scores @ c[:-1] + c[-1] for c in _path(components.own, y, strengths)])


def _path(scores: np.ndarray, y: np.ndarray, strengths: Sequence[float] | np.ndarray) -> np.ndarray:
    """Coefficients ``(strengths, r + 1, K)``, the bias last."""
    objective = Objective.of(scores, y)
    # With two opposite rows the penalty is half that of their difference.
    share = 0.5 if objective.classes == 2 else 1.0
    return minimise(objective, 1 / (share * np.asarray(strengths, np.float64))).transpose(1, 0, 2)


@dataclass(frozen=True)
class _Components:
    """Principal components that hold 99 % of the variance, by what gives them fastest.

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
    def of(cls, Z: np.ndarray) -> _Components:
        """Of cases ``(N, F)``, through the smaller of the two Gram matrices."""
        centre = Z.mean(0)
        centred = Z - centre
        cases, features = Z.shape
        wide = features > cases
        values, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
        values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
        total = values.sum()
        if total <= 0:
            return cls(centre, np.zeros((1, features)), np.zeros((1, 1)), np.zeros((cases, 1)))
        kept = int(np.searchsorted(np.cumsum(values) / total, _VARIANCE_KEPT)) + 1
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
