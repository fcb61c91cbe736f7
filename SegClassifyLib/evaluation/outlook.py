"""What more cases would bring: a power law through a measured learning curve, with a band, or words why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.evaluation.intervals import Interval, percentile_interval

EXPONENTS = (0.25, 0.5, 0.75, 1.0, 1.5)
"""Speeds at which the error may fall with the number of cases; a standard error falls with 0.5."""

_FARTHEST = 2.0
"""Further cases, as a multiple of those there are, beyond which nothing is foretold."""

_WIDEST = 0.06
"""Half a band of this many points of accuracy (1 is 100 points) is no answer any more."""

_NOTHING = 0.005
"""A gain that is no point of accuracy when rounded."""

_HIDDEN = 0.15
"""A curve whose rise may be nothing and may be more than this is hidden by noise."""

_FEWEST_POINTS = 4
_LEAST_RATIO = 2.5
"""Of the most to the fewest training cases of a curve that can be carried on."""


@dataclass(frozen=True)
class Outlook:
    """What a number of further cases would bring.

    Args:
        further: cases on top of those there are.
        gain: in balanced accuracy, with its 95 % band; NaN where it cannot be said.
        reached: balanced accuracy then, with its band; NaN where it cannot be said.
        sentence: this in words, or why it cannot be said.
    """

    further: int
    gain: Interval
    reached: Interval
    sentence: str


def foresee(
    cases: np.ndarray,
    measured: np.ndarray,
    curves: np.ndarray,
    now: int,
    further: Sequence[int],
    guessing: float,
) -> tuple[str, tuple[Outlook, ...]]:
    """Carry a learning curve on.

    Args:
        cases: training cases of each point ``(S,)``, rising.
        measured: balanced accuracy of each point ``(S,)``.
        curves: the same of B bootstrap draws ``(B, S)``; NaN where a draw lost a class.
        now: training cases that there are.
        further: numbers of cases on top.
        guessing: balanced accuracy of guessing.

    Returns:
        Why nothing can be said (empty where something can), and an outlook for each of ``further``.
    """
    curves = curves[np.isfinite(curves).all(1)]
    refusal = _refusal(cases, curves, guessing)
    if refusal:
        return refusal, ()
    spread = np.maximum(curves.std(0), 1e-3)
    law, laws = fit_power_law(cases, measured[None], spread), fit_power_law(cases, curves, spread)
    return "", tuple(_outlook(law, laws, now, int(n)) for n in further)


@dataclass(frozen=True)
class PowerLaws:
    """``accuracy(n) = 1 - floor - size * n ** -exponent`` for B curves; every array ``(B,)``."""

    floor: np.ndarray
    size: np.ndarray
    exponent: np.ndarray

    def __call__(self, cases: float) -> np.ndarray:
        """Accuracy with so many cases ``(B,)``."""
        return 1 - self.floor - self.size * cases**-self.exponent


def fit_power_law(cases: np.ndarray, accuracy: np.ndarray, spread: np.ndarray) -> PowerLaws:
    """The power law nearest to each curve whose error never falls below 0 nor rises with cases.

    Args:
        cases: ``(S,)``.
        accuracy: ``(B, S)``.
        spread: standard deviation of each point ``(S,)``: surer points weigh more.
    """
    error, weight = 1 - accuracy, 1 / spread**2
    weight = weight / weight.sum()
    best = np.full(len(error), np.inf)
    found = np.zeros((3, len(error)))
    for exponent in EXPONENTS:
        x = cases.astype(np.float64) ** -exponent
        floor, size = _line(x, error, weight)
        misfit = ((error - floor[:, None] - size[:, None] * x) ** 2) @ weight
        better = misfit < best
        best = np.where(better, misfit, best)
        found = np.where(better, np.stack([floor, size, np.full(len(error), exponent)]), found)
    return PowerLaws(*found)


def _line(x: np.ndarray, error: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of ``error (B, S)`` by ``floor + size * x``, neither below 0."""
    mean_x, mean_e = x @ weight, error @ weight
    size = np.maximum(((error - mean_e[:, None]) * (x - mean_x)) @ weight / (weight @ (x - mean_x) ** 2), 0)
    floor = mean_e - size * mean_x
    through_zero = np.maximum((error * x) @ weight / (weight @ x**2), 0)
    size = np.where(floor < 0, through_zero, size)
    return np.maximum(floor, 0), size


def _refusal(cases: np.ndarray, curves: np.ndarray, guessing: float) -> str:
    start = "What more cases would bring cannot be said: "
    if len(np.unique(cases)) < _FEWEST_POINTS or cases[-1] < _LEAST_RATIO * cases[0]:
        return f"{start}there are too few cases for a curve ({cases[0]} to {cases[-1]} to train on); add some first."
    low = float(np.percentile(curves[:, -1], 2.5)) if len(curves) else 0.0
    rise = np.percentile(curves[:, -1] - curves[:, 0], [2.5, 97.5]) if len(curves) else np.zeros(2)
    if low <= guessing:
        return (
            f"{start}with all cases the classifier may be no better than guessing ({guessing:.2f}), and nothing "
            "can be carried on; add cases of each class, or look for features that tell the classes apart."
        )
    if rise[0] <= 0 and rise[1] > _HIDDEN:
        return (
            f"{start}from {cases[0]} to {cases[-1]} training cases the balanced accuracy changed by anything from "
            f"{100 * rise[0]:+.0f} to {100 * rise[1]:+.0f} points, too unsure to be carried on; add cases, best of "
            "other patients."
        )
    return ""


def _outlook(law: PowerLaws, laws: PowerLaws, now: int, further: int) -> Outlook:
    unknown = Interval(float("nan"), float("nan"), float("nan"))
    if further > _FARTHEST * now:
        most = int(_FARTHEST * now)
        sentence = (
            f"{further} more cases: too far from the {now} there are to be said; ask for {most} or fewer."
        )
        return Outlook(further, unknown, unknown, sentence)
    gain = percentile_interval(float((law(now + further) - law(now))[0]), laws(now + further) - laws(now))
    reached = percentile_interval(float(law(now + further)[0]), laws(now + further))
    half = max(gain.high - gain.value, gain.value - gain.low)
    if half > _WIDEST:
        span = f"from {100 * gain.low:+.0f} to {100 * gain.high:+.0f} points of balanced accuracy"
        return Outlook(further, unknown, unknown, f"{further} more cases: cannot be said, anything {span}.")
    points = f"about {100 * gain.value:+.0f} points of balanced accuracy, ±{np.ceil(100 * half):.0f}"
    maybe = "; it may be nothing" if gain.low < _NOTHING else ""
    return Outlook(further, gain, reached, f"{further} more cases: {points}{maybe}.")
