"""Making probabilities mean what they say: one temperature and a little doubt, learned from held-out answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LOG_TEMPERATURES = np.linspace(np.log(0.1), np.log(10.0), 93)
_USUAL, _USUAL_SPREAD = 0.85, 0.3
"""Temperature believed in before seeing cases, and spread of its logarithm: a few lucky cases give no extreme answers.

A little below 1, for heads of few cases are held back by their penalty, and held-out answers come from heads of fewer
cases still. Far away the belief grows with the distance, not with its square: networks that are trained on images need
temperatures of 3 and more.
"""
_DOUBT = 0.5
_FEWEST_CASES = 10
_FEWEST_PER_CLASS = 3


@dataclass(frozen=True)
class Calibration:
    """``p = (1 - doubt) softmax(logits / temperature) + doubt / K``.

    Args:
        temperature: above 1 less certain, below 1 more so.
        doubt: share of the probability that is spread evenly over the classes, 0 to 1.
    """

    temperature: float = 1.0
    doubt: float = 0.0

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities ``(…, K)`` float64 of logits ``(…, K)``."""
        from scipy.special import softmax

        logits = np.asarray(logits, np.float64)
        return (1 - self.doubt) * softmax(logits / self.temperature, axis=-1) + self.doubt / logits.shape[-1]


def fit_calibration(logits: np.ndarray, y: np.ndarray) -> Calibration:
    """The temperature under which held-out logits have the least class-balanced log loss.

    Guo et al., *On calibration of modern neural networks* (ICML 2017), with a pull towards the usual temperature that
    fades as cases come in. Classes weigh the same because the heads are trained so: probabilities are those of a case
    whose classes are equally common. With too few cases the temperature is 1.

    The doubt is ``K / 2 / (N + K)``: N cases cannot show that something happens much less often than once in N
    times, and a single case answered wrongly with certainty costs more than all sharpening wins.

    Args:
        logits: out-of-fold logits ``(N, K)``, or ``(R, N, K)`` from R repeats of cross-validation.
        y: true classes ``(N,)`` int.
    """
    fit = _Fit(logits, y)
    return fit.without(np.zeros(len(y), bool)[None])[0]


def held_out_probabilities(logits: np.ndarray, y: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Probabilities as a calibrated classifier would give them to cases that took no part in calibrating it.

    The temperature for a case is that of all patients but its own.

    Args:
        logits: out-of-fold logits ``(R, N, K)`` or ``(N, K)``.
        y: true classes ``(N,)`` int.
        groups: patients ``(N,)``.

    Returns:
        Of the shape of ``logits``, float64.
    """
    logits = np.asarray(logits, np.float64)
    code = np.unique(groups, return_inverse=True)[1].reshape(-1)
    found = _Fit(logits, y).without(np.arange(code.max() + 1)[:, None] == code)
    temperature = np.array([c.temperature for c in found])[code]
    return Calibration(1.0, found[0].doubt).apply(logits / temperature[:, None])


class _Fit:
    """Log loss of every case at every temperature, from which many fits with parts left out are cheap."""

    def __init__(self, logits: np.ndarray, y: np.ndarray) -> None:
        from scipy.special import softmax

        logits = np.asarray(logits, np.float64)
        logits = logits.reshape(-1, len(y), logits.shape[-1])
        cases, classes = len(y), logits.shape[-1]
        self.truth = np.eye(classes)[y]
        self.doubt = _DOUBT * classes / (cases + classes)
        counts = self.truth.sum(0)
        self.enough = (
            cases >= _FEWEST_CASES
            and np.count_nonzero(counts) >= 2
            and counts[counts > 0].min() >= _FEWEST_PER_CLASS
        )
        if self.enough:
            rows = np.arange(cases)
            self.loss = np.empty((len(_LOG_TEMPERATURES), cases))
            for row, log_temperature in zip(self.loss, _LOG_TEMPERATURES, strict=True):
                true = softmax(logits * np.exp(-log_temperature), axis=-1)[:, rows, y]
                row[:] = -np.log((1 - self.doubt) * true + self.doubt / classes).mean(0)

    def without(self, left_out: np.ndarray) -> list[Calibration]:
        """A calibration for each row of ``left_out (G, N)`` bool, fitted on the other cases."""
        if not self.enough:
            return [Calibration(1.0, self.doubt)] * len(left_out)
        counts = self.truth.sum(0) - left_out @ self.truth  # (G, K)
        there = counts > 0
        sums = (self.loss @ self.truth)[:, None] - np.einsum(
            "tn,gn,nk->tgk", self.loss, left_out.astype(float), self.truth, optimize=True
        )
        means = np.where(there, sums / np.maximum(counts, 1), 0.0).sum(2) / np.maximum(there.sum(1), 1)
        away = (_LOG_TEMPERATURES[:, None] - np.log(_USUAL)) / _USUAL_SPREAD
        cost = means * counts.sum(1) + np.sqrt(1 + away**2) - 1
        return [Calibration(float(np.exp(_lowest(column))), self.doubt) for column in cost.T]


def _lowest(cost: np.ndarray) -> float:
    """Log temperature of the least cost, between grid points by the parabola through three of them."""
    best = int(np.clip(cost.argmin(), 1, len(cost) - 2))
    left, middle, right = cost[best - 1 : best + 2]
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend > 0 else 0.0
    step = _LOG_TEMPERATURES[1] - _LOG_TEMPERATURES[0]
    return float(_LOG_TEMPERATURES[best] + np.clip(shift, -1, 1) * step)
