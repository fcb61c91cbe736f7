"""How sure a score is: bootstrap over patients, paired differences, and the Wilson interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.metrics import MetricName, case_brier, case_log_loss, checked

_CHUNK = 2_000_000
"""Replicates × cases worked on at a time, to bound memory."""


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "–"
        value, low, high = (round(x, 2) + 0.0 for x in (self.value, self.low, self.high))  # -0.0 + 0.0 is 0.0
        if math.isnan(low) or math.isnan(high):
            return f"{value:.2f}"
        return f"{value:.2f} ({low:.2f}–{high:.2f})"


def bootstrap_groups(
    y: np.ndarray, proba: np.ndarray, groups: np.ndarray, metric: MetricName, n: int = 2000, seed: int = 0
) -> Interval:
    """A metric with its 95 % percentile interval over ``n`` draws of the groups with replacement.

    Draws in which a class does not occur at all are left out, for they would measure something else.

    Args:
        y: true classes ``(N,)`` int.
        proba: ``(N, K)`` probabilities.
        groups: patients ``(N,)``; all cases of a group are drawn together.
        metric: one of :data:`~SegClassifyLib.evaluation.metrics.METRICS`.
        n: draws.
        seed: the same seed gives the same interval.
    """
    y, proba = checked(y, proba)
    measure = weighted_metric(metric, y, proba)
    draws = [measure(w) for w in group_weights(groups, n, seed)]
    return percentile_interval(measure(np.ones((1, len(y))))[0], np.concatenate(draws))


def class_auc_intervals(
    y: np.ndarray, proba: np.ndarray, groups: np.ndarray, seed: int = 0
) -> tuple[Interval, ...]:
    """The AUC of each class against the rest with its 95 % interval, arguments as in :func:`bootstrap_groups`."""
    return tuple(
        bootstrap_groups(
            (y == k).astype(np.int64),
            np.stack([1 - proba[:, k], proba[:, k]], axis=1),
            groups,
            "macro_auc",
            seed=seed,
        )
        for k in range(proba.shape[1])
    )


def paired_difference(
    y: np.ndarray,
    proba: np.ndarray,
    other: np.ndarray,
    groups: np.ndarray,
    metric: MetricName,
    n: int = 2000,
    seed: int = 0,
) -> Interval:
    """``metric(proba) - metric(other)`` on the same cases, with its 95 % interval over draws of the groups.

    Arguments as in :func:`bootstrap_groups`; both sets of probabilities see the same draws.
    """
    y, proba = checked(y, proba)
    y, other = checked(y, other)
    first, second = weighted_metric(metric, y, proba), weighted_metric(metric, y, other)
    draws = [first(w) - second(w) for w in group_weights(groups, n, seed)]
    ones = np.ones((1, len(y)))
    return percentile_interval((first(ones) - second(ones))[0], np.concatenate(draws))


def wilson(successes: int, cases: int) -> Interval:
    """A proportion with its 95 % Wilson score interval (Wilson, J Am Stat Assoc 1927).

    Raises:
        ValueError: no cases, or more successes than cases.
    """
    from scipy.stats import binomtest

    result = binomtest(successes, cases)
    bounds = result.proportion_ci(0.95, method="wilson")
    return Interval(float(result.statistic), float(bounds.low), float(bounds.high))


def group_weights(groups: np.ndarray, n: int, seed: int) -> Iterator[np.ndarray]:
    """How often each case is in each of ``n`` bootstrap draws of the groups.

    Yields:
        ``(B, N)`` float64 parts, ``n`` rows in all.
    """
    codes = np.unique(np.asarray(groups), return_inverse=True)[1].reshape(-1)
    count = int(codes.max()) + 1
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // len(codes))
    for start in range(0, n, rows):
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(rows, n - start))
        yield drawn[:, codes].astype(np.float64)


def weighted_metric(
    metric: MetricName, y: np.ndarray, proba: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """A function from case weights ``(B, N)`` to the metric under each row of weights ``(B,)``.

    A class that occurs in ``y`` but has no weight makes that row NaN.
    """
    truth = np.eye(proba.shape[1], dtype=bool)[y]
    occurring = np.flatnonzero(truth.any(0))
    right = (proba.argmax(1) == y).astype(np.float64)
    by_case = {"accuracy": right, "log_loss": case_log_loss(y, proba), "brier": case_brier(y, proba)}
    scored = [k for k in occurring if not truth[:, k].all()]
    orders = {k: _TieOrder.of(proba[:, k], truth[:, k]) for k in scored} if metric == "macro_auc" else {}

    def measure(weights: np.ndarray) -> np.ndarray:
        class_weight = weights @ truth[:, occurring]
        with np.errstate(invalid="ignore", divide="ignore"):
            if metric == "balanced_accuracy":
                value = ((weights * right) @ truth[:, occurring] / class_weight).mean(1)
            elif metric == "macro_auc":
                aucs = [order.auc(weights) for order in orders.values()]
                value = np.mean(aucs, axis=0) if aucs else np.full(len(weights), np.nan)
            else:
                value = weights @ by_case[metric] / weights.sum(1)
        return np.where((class_weight > 0).all(1), value, np.nan)

    return measure


@dataclass(frozen=True)
class _TieOrder:
    """Cases in rising order of one class's probability, ready for weighted areas under the ROC curve."""

    order: np.ndarray
    starts: np.ndarray
    positive: np.ndarray

    @classmethod
    def of(cls, value: np.ndarray, positive: np.ndarray) -> _TieOrder:
        order = np.argsort(value, kind="stable")
        ranked = value[order]
        starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        return cls(order, starts, positive[order])

    def auc(self, weights: np.ndarray) -> np.ndarray:
        """Weighted Mann-Whitney statistic ``(B,)``; ties count half."""
        ranked = weights[:, self.order]
        yes = np.add.reduceat(ranked * self.positive, self.starts, axis=1)
        no = np.add.reduceat(ranked * ~self.positive, self.starts, axis=1)
        below = np.cumsum(no, axis=1) - no
        return (yes * (below + no / 2)).sum(1) / (yes.sum(1) * no.sum(1))


def percentile_interval(value: float, draws: np.ndarray) -> Interval:
    """``value`` between the 2.5 % and 97.5 % percentiles of the defined ones of ``draws`` ``(B,)``."""
    kept = draws[np.isfinite(draws)]
    low, high = np.percentile(kept, [2.5, 97.5]) if len(kept) else (np.nan, np.nan)
    return Interval(float(value), float(low), float(high))
