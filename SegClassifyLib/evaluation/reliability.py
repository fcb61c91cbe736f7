"""Whether probabilities mean what they say: how sure the answers are against how often they are right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.intervals import Interval, group_weights, percentile_interval
from SegClassifyLib.evaluation.metrics import balanced_weights, checked

_MOST_BINS = 10
_CASES_PER_BIN = 10


@dataclass(frozen=True)
class Reliability:
    """Answers in steps of sureness.

    Classes weigh the same, as they do in training: shares are those of a world in which classes are equally common.

    Args:
        sure: mean probability of the class said, one value a step, rising.
        right: share of these answers that is right, with its 95 % interval over patients.
        cases: how many cases each step has.
        error: expected calibration error: mean gap between the two over all cases, 0 to 1, with its 95 % interval.
        by_chance: what this error would stay below in 95 of 100 sets of as many cases were the probabilities true.
        too_sure: mean of sureness less share right, with its interval; above 0 the answers claim too much.
    """

    sure: tuple[float, ...]
    right: tuple[Interval, ...]
    cases: tuple[int, ...]
    error: Interval
    by_chance: float
    too_sure: Interval

    @property
    def sentence(self) -> str:
        """What it comes to, in words."""
        points = f"{100 * self.error.value:.0f}"
        if self.error.value <= self.by_chance:
            verdict = "no more than so few cases show by chance when probabilities are true"
        elif self.too_sure.low > 0:
            verdict = "more than chance: the answers are surer than they should be"
        elif self.too_sure.high < 0:
            verdict = "more than chance: the answers are less sure than they could be"
        else:
            verdict = "more than chance: surer than it should be for some cases, less sure for others"
        return (
            f"Probabilities are off by {points} points on average ({100 * self.error.low:.0f} to "
            f"{100 * self.error.high:.0f}), {verdict} (up to {100 * self.by_chance:.0f})."
        )


def reliability(
    y: np.ndarray, proba: np.ndarray, groups: np.ndarray, draws: int = 1000, seed: int = 0
) -> Reliability:
    """Compare sureness and truth of held-out answers.

    The expected calibration error of Naeini et al. (AAAI 2015), in steps of equally many cases, which suit few cases
    better than steps of equal width (Roelofs et al., AISTATS 2022). With few cases it is above 0 also for true
    probabilities: compare it with ``by_chance``.

    Args:
        y: true classes ``(N,)`` int.
        proba: ``(N, K)`` probabilities from classifiers and calibrations that had not seen the case.
        groups: patients ``(N,)``.
        draws: of the bootstrap over patients, and of sets whose probabilities are true.
        seed: decides both.
    """
    y, proba = checked(y, proba)
    weight = balanced_weights(y)
    sure, right = proba.max(1), (proba.argmax(1) == y).astype(float)
    bins = _bins(sure)
    one = np.ones((1, len(y)))
    drawn = np.concatenate(list(group_weights(groups, draws, seed)))
    gaps = _gaps(one * weight, sure, right, bins)
    again = _gaps(drawn * weight, sure, right, bins)
    value = float(np.abs(gaps[0]).sum())
    by_chance = _true_errors(sure, weight, bins, draws, seed)
    shares, shares_again = (_shares(w * weight, right, bins) for w in (one, drawn))
    return Reliability(
        sure=tuple(float(s) for s in _shares(one * weight, sure, bins)[0]),
        right=tuple(
            percentile_interval(share, column)
            for share, column in zip(shares[0], shares_again.T, strict=True)
        ),
        cases=tuple(int(n) for n in bins.sum(0)),
        error=percentile_interval(value, _without_noise(value, np.abs(again).sum(1))),
        by_chance=float(np.quantile(by_chance, 0.95)),
        too_sure=percentile_interval(gaps[0].sum(), again.sum(1)),
    )


@dataclass(frozen=True)
class CalibrationError:
    """The expected calibration error of one classifier on one set of cases.

    Args:
        value: 0 to 1.
        again: under each weighting of the cases ``(B,)``, without what drawing itself adds on average.
        if_true: its mean over sets of as many cases were the probabilities true.
    """

    value: float
    again: np.ndarray
    if_true: float


def calibration_error(
    y: np.ndarray, proba: np.ndarray, weights: np.ndarray, draws: int = 200, seed: int = 0
) -> CalibrationError:
    """The ``error`` of :func:`reliability` under weightings of the cases that the caller has drawn.

    Args:
        y: true classes ``(N,)`` int.
        proba: ``(N, K)`` held-out probabilities.
        weights: how often each case was drawn ``(B, N)``.
        draws: sets whose probabilities are true.
        seed: of these.
    """
    y, proba = checked(y, proba)
    weight = balanced_weights(y)
    sure, right = proba.max(1), (proba.argmax(1) == y).astype(float)
    bins = _bins(sure)
    value = expected_calibration_error(y, proba)
    again = np.abs(_gaps(weights * weight, sure, right, bins)).sum(1)
    return CalibrationError(
        value, _without_noise(value, again), float(_true_errors(sure, weight, bins, draws, seed).mean())
    )


def expected_calibration_error(y: np.ndarray, proba: np.ndarray) -> float:
    """The ``error`` of :func:`reliability` alone."""
    y, proba = checked(y, proba)
    sure, right = proba.max(1), (proba.argmax(1) == y).astype(float)
    return float(np.abs(_gaps(balanced_weights(y)[None], sure, right, _bins(sure))).sum())


def _true_errors(sure: np.ndarray, weight: np.ndarray, bins: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """The error in each of ``draws`` sets in which answers are right as often as they say ``(draws,)``."""
    right = (np.random.default_rng(seed).random((draws, len(sure))) < sure).astype(float)
    return np.asarray(np.abs(((sure - right) * weight) @ bins).sum(1) / weight.sum())


def _without_noise(value: float, again: np.ndarray) -> np.ndarray:
    """Drawing patients adds noise, and noise only adds to a sum of absolute gaps: that much is taken off again."""
    return np.asarray(np.maximum(again - (again.mean() - value), 0.0))


def _bins(sure: np.ndarray) -> np.ndarray:
    """Which step each case is in, ``(N, B)`` float; equal sureness is never parted."""
    count = int(np.clip(len(sure) // _CASES_PER_BIN, 1, _MOST_BINS))
    edges = np.unique(np.quantile(sure, np.linspace(0, 1, count + 1)[1:-1]))
    member = np.searchsorted(edges, sure, side="left")
    return np.eye(len(edges) + 1)[member][:, np.bincount(member, minlength=len(edges) + 1) > 0]


def _gaps(weights: np.ndarray, sure: np.ndarray, right: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Sureness less share right, each step by its part of all cases, ``(D, B)`` for weights ``(D, N)``."""
    return (weights * (sure - right)) @ bins / np.maximum(weights.sum(1, keepdims=True), 1e-12)


def _shares(weights: np.ndarray, value: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Mean of ``value (N,)`` in each step ``(D, B)``; NaN for a step without cases."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights * value) @ bins / (weights @ bins)
