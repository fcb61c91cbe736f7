"""L2-regularised logistic regression on few cases with many features, for a whole path of strengths at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.heads.components import Components
from SegClassifyLib.heads.newton import Objective, minimise


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
    components = Components.of(Z)
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
    components = Components.of(Z)
    scores = components.scores(held_out)
    return np.stack([scores @ c[:-1] + c[-1] for c in _path(components.own, y, strengths)])


def _path(scores: np.ndarray, y: np.ndarray, strengths: Sequence[float] | np.ndarray) -> np.ndarray:
    """Coefficients ``(strengths, r + 1, K)``, the bias last."""
    objective = Objective.of(scores, y)
    # With two opposite rows the penalty is half that of their difference.
    share = 0.5 if objective.classes == 2 else 1.0
    return minimise(objective, 1 / (share * np.asarray(strengths, np.float64))).transpose(1, 0, 2)
