"""The optima of class-balanced multinomial logistic regression for many penalties at once.

Newton's method with conjugate gradients: Nocedal J., Wright S. J., "Numerical Optimization", 2006, algorithm 7.1.
A few dozen products of small matrices; scikit-learn finds the same optima one after another, and with a hundred cases
spends most of the time looking at its arguments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.metrics import balanced_weights

_STEPS = 100

_NEAR = 1e-5
"""Newton's decrement, in summed log loss, from which one more step gives logits to 0.0001."""

_NOTHING = 1e-14
"""A decrement that is rounding only."""


@dataclass(frozen=True)
class Objective:
    """Summed log loss of N cases in which all classes weigh alike, for S regressions side by side.

    Args:
        design: ``(N, r + 1)`` coordinates and a last column of ones, float64.
        truth: ``(N, 1, K)`` a case's weight in the column of its class.
        weight: ``(N, 1, 1)``.
    """

    design: np.ndarray
    truth: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, y: np.ndarray) -> Objective:
        """From coordinates ``(N, r)`` and classes ``(N,)`` int, every one of ``0 … K-1`` present."""
        weight = balanced_weights(y)[:, None, None]
        truth = np.eye(int(y.max()) + 1)[y][:, None] * weight
        return cls(np.concatenate([scores, np.ones((len(y), 1))], 1), truth, weight)

    @property
    def classes(self) -> int:
        """K."""
        return self.truth.shape[2]

    def logits(self, coefficients: np.ndarray) -> np.ndarray:
        """``(r + 1, S, K)`` coefficients to ``(N, S, K)``."""
        return (self.design @ coefficients.reshape(len(coefficients), -1)).reshape(
            -1, *coefficients.shape[1:]
        )

    def gathered(self, rest: np.ndarray) -> np.ndarray:
        """``(N, S, K)`` derivatives by logits to ``(r + 1, S, K)`` by coefficients."""
        return (self.design.T @ rest.reshape(len(rest), -1)).reshape(-1, *rest.shape[1:])

    def loss(self, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Summed log loss ``(S,)`` of logits ``(N, S, K)``, and their probabilities."""
        top = logits.max(2, keepdims=True)
        raised = np.exp(logits - top)
        total = raised.sum(2, keepdims=True)
        value = (self.weight * (np.log(total) + top)).sum((0, 2)) - (self.truth * logits).sum((0, 2))
        return value, raised / total


def minimise(objective: Objective, penalties: np.ndarray) -> np.ndarray:
    """Coefficients with the least loss plus half the penalty times their squares.

    Args:
        objective: the loss.
        penalties: ``(S,)`` 1 / C; the bias is free of it.

    Returns:
        ``(r + 1, S, K)``, the bias in the last row; they add up to nothing along K.
    """
    ridge = np.repeat(penalties[None, :, None], objective.design.shape[1], axis=0)
    ridge[-1] = 0
    found = np.zeros((*ridge.shape[:2], objective.classes))
    logits = objective.logits(found)
    value, proba = objective.loss(logits)
    for _ in range(_STEPS):
        gradient = objective.gathered(objective.weight * proba - objective.truth) + ridge * found
        step = _newton_step(objective, proba, ridge, gradient)
        # What all classes have in common changes nothing, and rounding would let it grow.
        step -= step.mean(2, keepdims=True)
        slope = _dot(gradient, step)
        if np.all(-slope <= _NEAR):
            return found + step
        move = objective.logits(step)
        length = np.ones(len(penalties))
        while True:
            tried = found + length[:, None] * step
            loss, proba = objective.loss(logits + length[:, None] * move)
            reached = loss + 0.5 * _dot(ridge * tried, tried)
            # Where the optimum is reached already, rounding may look like a rise.
            rises = reached > value + 1e-4 * length * slope + 1e-12 * np.abs(value)
            if not rises.any() or length.min() < 1e-6:
                break
            length = np.where(rises, length / 2, length)
        found, logits, value = tried, logits + length[:, None] * move, reached
    return found


def _newton_step(
    objective: Objective, proba: np.ndarray, ridge: np.ndarray, gradient: np.ndarray
) -> np.ndarray:
    """Downhill to where the quadratic model is least, nearly: the nearer, the smaller the gradient already is."""
    spread = objective.weight * proba
    squares = objective.design * objective.design
    diagonal = (squares.T @ (spread * (1 - proba)).reshape(len(proba), -1)).reshape(gradient.shape) + ridge
    diagonal += 1e-12 * diagonal.max()
    step, rest = np.zeros_like(gradient), -gradient
    search = rest / diagonal
    size = _dot(rest, search)
    goal = np.maximum(size * np.minimum(0.01, np.sqrt(size)), _NOTHING)
    for _ in range(gradient[:, 0].size):
        # Who has arrived waits for the others: going on would follow rounding errors.
        size = np.where(size > goal, size, 0.0)
        if not size.any():
            break
        move = objective.logits(search)
        curved = spread * (move - np.einsum("nsk,nsk->ns", proba, move)[:, :, None])
        curved = objective.gathered(curved) + ridge * search
        length = _share(size, _dot(search, curved))[:, None]
        step += length * search
        rest -= length * curved
        scaled = rest / diagonal
        size, before = _dot(rest, scaled), size
        search = scaled + _share(size, before)[:, None] * search
    return step


def _dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """``(S,)`` inner products of ``(r + 1, S, K)``."""
    return np.einsum("isk,isk->s", one, other)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, and 0 where nothing is left to divide."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
