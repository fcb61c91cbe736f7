"""Scores of every arm with intervals, and differences between arms: over draws of training cases and test patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.folds import Fold
from SegClassifyLib.evaluation.intervals import (
    Interval,
    group_weights,
    percentile_interval,
    weighted_metric,
)
from SegClassifyLib.evaluation.metrics import METRICS, MetricName
from SegClassifyLib.evaluation.reliability import (
    Reliability,
    calibration_error,
    expected_calibration_error,
    reliability,
)
from SegClassifyLib.experiment.draws import Pool
from SegClassifyLib.experiment.units import UnitResult
from SegClassifyLib.progress import Progress
from SegClassifyLib.trust.answers import prediction_set
from SegClassifyLib.trust.trust import CONFIDENCE

REPLICATES = 1000

_MOST: Mapping[MetricName, float] = {"log_loss": np.inf, "brier": 2.0}
"""The largest values of metrics that can be more than 1."""

_LEAST_FREEDOM = 2.0
"""Of Student's t: with less, simulated intervals of two draws became wider and held the truth no more often."""

Draws = Mapping[int, UnitResult]
"""Results of one arm and size by number of the draw."""


@dataclass(frozen=True)
class SetScore:
    """Prediction sets of one arm at one size, at the confidence that models are made with.

    Args:
        coverage: share of the test cases whose set holds their class, mean over the draws, with its 95 % interval over
            draws and test patients.
        classes: mean number of classes in a set.
        alone: share of the sets that name one class.
    """

    coverage: Interval
    classes: float
    alone: float


@dataclass(frozen=True)
class ArmScore:
    """One arm at one size.

    Args:
        arm: its key.
        size: training cases of each class.
        draws: numbers of the draws that were run.
        scores: mean over the draws of each metric, with its 95 % interval over draws and test patients.
        by_draw: the metric of each draw.
        confusion: ``(K, K)`` counts of all draws; rows the true class.
        reliability: of the calibrated probabilities, all draws together: more cases than one classifier has, for a
            picture; its interval is over patients.
        calibration: expected calibration error of one classifier: mean over the draws with its 95 % interval over draws
            and test patients.
        if_true: what this would be on average were the probabilities true.
        uncalibrated: expected calibration error of the plain softmax, mean over the draws.
        temperature: median over the draws; NaN where none was found.
        seconds: median time of one training.
        test_cases: median number.
        sets: of its prediction sets; ``None`` for arms that make none.
    """

    arm: str
    size: int
    draws: tuple[int, ...]
    scores: Mapping[MetricName, Interval]
    by_draw: Mapping[MetricName, tuple[float, ...]]
    confusion: np.ndarray
    reliability: Reliability
    calibration: Interval
    if_true: float
    uncalibrated: float
    temperature: float
    seconds: float
    test_cases: int
    sets: SetScore | None = None


@dataclass(frozen=True)
class ArmDifference:
    """The score of one arm less that of another, on the draws that both were run on.

    Args:
        arm, other: their keys.
        size: training cases of each class.
        metric: which score.
        draws: how many draws.
        difference: mean over the draws with its 95 % interval; both see the same draws and patients.
    """

    arm: str
    other: str
    size: int
    metric: MetricName
    draws: int
    difference: Interval

    @property
    def is_more_than_noise(self) -> bool:
        """Whether the whole interval lies on one side of 0; never with one draw, which hides the luck of a training."""
        return self.draws > 1 and (self.difference.low > 0 or self.difference.high < 0)


class SizeScores:
    """Scores of all arms at one size.

    Args:
        size: training cases of each class.
        folds: the draws.
        pool: classes and patients.
        results: by key of the arm; arms without a result are left out.
        seed: of the intervals; the same weights of the patients serve all arms.

    Attributes:
        tables: by arm and metric, for each draw the score and the scores under each weighting of the patients ``(B,)``.
    """

    def __init__(
        self,
        size: int,
        folds: Sequence[Fold],
        pool: Pool,
        results: Mapping[str, Draws],
        seed: int,
        progress: Progress | None = None,
    ) -> None:
        self._size, self._folds, self._pool, self._seed = size, folds, pool, seed
        self._results = {arm: draws for arm, draws in results.items() if draws}
        self._weights = np.concatenate(list(group_weights(pool.groups, REPLICATES, seed)))
        self.tables: dict[tuple[str, MetricName], dict[int, tuple[float, np.ndarray]]] = {}
        for arm, draws in self._results.items():
            for metric in METRICS:
                (progress or Progress()).check()
                self.tables[arm, metric] = {d: self._one(metric, d, r) for d, r in draws.items()}

    def scores(self) -> list[ArmScore]:
        """One for each arm."""
        return [self._score(arm, draws) for arm, draws in self._results.items()]

    def differences(self) -> list[ArmDifference]:
        """Of every pair of arms and every metric."""
        arms = list(self._results)
        return [
            self._difference(one, other, metric)
            for number, one in enumerate(arms)
            for other in arms[number + 1 :]
            for metric in METRICS
            if set(self._results[one]) & set(self._results[other])
        ]

    def _one(self, metric: MetricName, draw: int, result: UnitResult) -> tuple[float, np.ndarray]:
        """The metric of one draw, and under each weighting of the patients ``(B,)``."""
        test = self._folds[draw].test
        measure = weighted_metric(metric, self._pool.y[test], result.proba)
        return float(measure(np.ones((1, len(test))))[0]), measure(self._weights[:, test])

    def _score(self, arm: str, draws: Draws) -> ArmScore:
        tables = {metric: self.tables[arm, metric] for metric in METRICS}
        y = np.concatenate([self._pool.y[self._folds[d].test] for d in draws])
        groups = np.concatenate([self._pool.groups[self._folds[d].test] for d in draws])
        proba = np.concatenate([r.proba for r in draws.values()])
        temperatures = [r.temperature for r in draws.values() if r.temperature is not None]
        classes = proba.shape[1]
        confusion = np.zeros((classes, classes), np.int64)
        np.add.at(confusion, (y, proba.argmax(1)), 1)
        calibration, if_true, uncalibrated = self._calibration(draws)
        return ArmScore(
            arm=arm,
            size=self._size,
            draws=tuple(draws),
            scores={
                m: mean_interval(
                    [v for v, _ in t.values()],
                    np.stack([b for _, b in t.values()], 1),
                    self._seed,
                    0.0,
                    _MOST.get(m, 1.0),
                )
                for m, t in tables.items()
            },
            by_draw={m: tuple(v for v, _ in t.values()) for m, t in tables.items()},
            confusion=confusion,
            reliability=reliability(y, proba, groups, seed=self._seed),
            calibration=calibration,
            if_true=if_true,
            uncalibrated=uncalibrated,
            temperature=float(np.median(temperatures)) if temperatures else float("nan"),
            seconds=float(np.median([r.seconds for r in draws.values()])),
            test_cases=int(np.median([len(self._folds[d].test) for d in draws])),
            sets=self._sets(draws),
        )

    def _calibration(self, draws: Draws) -> tuple[Interval, float, float]:
        """Error of one classifier, what it would be by chance, and before calibration: means over the draws."""
        errors, plain = [], []
        for d, result in draws.items():
            test = self._folds[d].test
            y = self._pool.y[test]
            errors.append(calibration_error(y, result.proba, self._weights[:, test], seed=self._seed))
            plain.append(expected_calibration_error(y, _softmax(result.logits)))
        again = np.stack([e.again for e in errors], 1)
        interval = mean_interval([e.value for e in errors], again, self._seed, 0.0, 1.0)
        return interval, float(np.mean([e.if_true for e in errors])), float(np.mean(plain))

    def _sets(self, draws: Draws) -> SetScore | None:
        """Of the draws that have prediction sets."""
        covered, again, sizes = [], [], []
        for d, result in draws.items():
            if result.p_values is None:
                continue
            test = self._folds[d].test
            named = [
                prediction_set(p, q, CONFIDENCE) for p, q in zip(result.p_values, result.proba, strict=True)
            ]
            holds = np.array([y in s for y, s in zip(self._pool.y[test], named, strict=True)], float)
            weights = self._weights[:, test]
            covered.append(float(holds.mean()))
            again.append((weights @ holds) / np.maximum(weights.sum(1), 1e-9))
            sizes += [len(s) for s in named]
        if not covered:
            return None
        interval = mean_interval(covered, np.stack(again, 1), self._seed, 0.0, 1.0)
        return SetScore(interval, float(np.mean(sizes)), float(np.mean(np.array(sizes) == 1)))

    def _difference(self, one: str, other: str, metric: MetricName) -> ArmDifference:
        first, second = self.tables[one, metric], self.tables[other, metric]
        common = [d for d in first if d in second]
        values = [first[d][0] - second[d][0] for d in common]
        again = np.stack([first[d][1] - second[d][1] for d in common], axis=1)
        most = _MOST.get(metric, 1.0)
        interval = mean_interval(values, again, self._seed, -most, most)
        return ArmDifference(one, other, self._size, metric, len(common), interval)


def mean_interval(
    values: Sequence[float], again: np.ndarray, seed: int, least: float = -np.inf, most: float = np.inf
) -> Interval:
    """Mean over the draws; ``again (B, D)`` holds them under each weighting, and the draws are drawn again too.

    Means of D values drawn again from D spread too little by the root of (D - 1) / D, a third with two draws, and few
    draws tell poorly how much luck moves them: both are made up for, the second by Student's t with the degrees of
    freedom of Satterthwaite (Biometrics Bulletin 1946) for the sum of two variances, over patients and over draws. With
    one draw the interval is over the patients alone. It is cut at ``least`` and ``most``. Draws where the score is not
    defined are left out; NaN where it is in none.
    """
    defined = np.isfinite(values)
    own, again = np.asarray(values)[defined], again[:, defined]
    draws = len(own)
    if draws == 0:
        return Interval(np.nan, np.nan, np.nan)
    middle = again.mean(axis=1)
    if draws == 1:
        return percentile_interval(float(own[0]), middle)
    drawn = np.random.default_rng(seed).integers(0, draws, again.shape)
    away = np.take_along_axis(again, drawn, axis=1).mean(axis=1) - middle
    spread = middle + np.sqrt(draws / (draws - 1)) * away
    centre = np.nanmean(spread)
    wider = centre + _few_draws(own, middle) * (spread - centre)
    return percentile_interval(float(own.mean()), np.clip(wider, least, most))


def _few_draws(values: np.ndarray, middle: np.ndarray) -> float:
    """By how much an interval is wider because the luck of the draws is known from few of them, at least 1."""
    from scipy.stats import norm, t

    of_draws, of_patients = float(np.var(values, ddof=1)) / len(values), float(np.nanvar(middle))
    if not of_draws > 0:
        return 1.0
    freedom = (of_draws + of_patients) ** 2 / of_draws**2 * (len(values) - 1)
    return float(t.ppf(0.975, max(freedom, _LEAST_FREEDOM)) / norm.ppf(0.975))


def _softmax(logits: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    return np.asarray(softmax(logits, axis=-1))
