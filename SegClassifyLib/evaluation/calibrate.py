"""Whether probabilities mean what they say: temperature scaling on held-out logits, and calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.metrics import balanced_weights, checked

_BOUNDS = (0.1, 10.0)
_PRIOR_SPREAD = np.log(2.0)
"""Spread of log temperature believed in before seeing cases: keeps a few lucky cases from extreme answers."""
_FEWEST_CASES = 10
_FEWEST_PER_CLASS = 3


@dataclass(frozen=True)
class Temperature:
    """Logits are divided by ``value`` before the softmax: above 1 less certain, below 1 more so."""

    value: float = 1.0

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities ``(…, K)`` float64 of logits ``(…, K)``."""
        from scipy.special import softmax

        return softmax(np.asarray(logits, np.float64) / self.value, axis=-1)


def fit_temperature(logits: np.ndarray, y: np.ndarray) -> Temperature:
    """The temperature under which held-out logits have the least class-balanced log loss.

    Guo et al., *On calibration of modern neural networks* (ICML 2017), with a weak pull towards 1 that fades as
    cases come in. Classes weigh the same because the heads are trained so: probabilities are those of a case
    whose classes are equally common. With too few cases the answer is 1.

    Args:
        logits: out-of-fold logits ``(N, K)``, or ``(R, N, K)`` from R repeats of cross-validation.
        y: true classes ``(N,)`` int.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logits = np.asarray(logits, np.float64).reshape(-1, len(y), np.shape(logits)[-1])
    counts = np.bincount(y, minlength=logits.shape[-1])
    if len(y) < _FEWEST_CASES or counts[counts > 0].min() < _FEWEST_PER_CLASS or np.count_nonzero(counts) < 2:
        return Temperature()
    weights = balanced_weights(y)

    def cost(log_temperature: float) -> float:
        logp = log_softmax(logits / np.exp(log_temperature), axis=-1)
        loss = -(weights * logp[:, np.arange(len(y)), y]).mean(0).sum()
        return float(loss + 0.5 * (log_temperature / _PRIOR_SPREAD) ** 2)

    found = minimize_scalar(cost, bounds=tuple(np.log(_BOUNDS)), method="bounded", options={"xatol": 1e-4})
    return Temperature(float(np.exp(found.x)))


def expected_calibration_error(y: np.ndarray, proba: np.ndarray, bins: int = 10) -> float:
    """Mean gap between how sure the answer is and how often it is right, over ``bins`` equal steps of sureness.

    Naeini et al. (AAAI 2015). With few cases it is too large by chance: compare, do not read it alone.

    Args:
        y: true classes ``(N,)`` int.
        proba: ``(N, K)`` probabilities.
        bins: steps between 0 and 1.
    """
    y, proba = checked(y, proba)
    sure, right = proba.max(1), proba.argmax(1) == y
    bin_of = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=sure - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(y))
