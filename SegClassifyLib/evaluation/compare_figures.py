"""Pictures that compare several ways to classify: learning curves, differences, reliability diagrams."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from SegClassifyLib.evaluation.canvas import (
    COLOURS,
    GRID,
    GUESSING,
    LINE,
    NOT_DEFINED,
    capital,
    dress,
    folded,
    guessing,
    legend_below,
    line_count,
    line_style,
    new_canvas,
    plain_axes,
    to_png,
    told,
)
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.reliability import Reliability
from SegClassifyLib.evaluation.report_html import Figure

_COLUMNS = 3
_STEP = 0.22
"""Inches between the lines of one way to classify."""
_NEAR = 0.12
"""Sizes nearer than this part of the axis would have names that touch."""


def learning_curve(
    arms: Mapping[str, Mapping[int, Interval]],
    score: str = "balanced accuracy",
    chance: float | None = None,
    names: Mapping[int, str] | None = None,
) -> Figure:
    """A score against the number of training cases per class, each with its 95 % interval.

    Args:
        arms: by name, the interval by cases per class.
        score: what is measured.
        chance: what guessing gets; drawn as a dashed line.
        names: what to call a number of cases, where the number alone does not do.
    """
    canvas, axes = plain_axes(8.4, 3.9)
    counts = sorted({n for points in arms.values() for n in points})
    beside = _beside(counts, len(arms))
    words = []
    for number, (name, points) in enumerate(arms.items()):
        at = sorted(points)
        value, low, high = (
            np.array([getattr(points[n], part) for n in at]) for part in ("value", "low", "high")
        )
        # points of one size stand side by side: intervals that lie on each other cannot be told apart
        x = np.array(at, dtype=float) * beside ** (number - (len(arms) - 1) / 2)
        colour, marker = line_style(number)
        axes.vlines(x, low, high, color=colour, lw=1.3, alpha=0.6)
        label = name if np.isfinite(value).any() else f"{name} ({NOT_DEFINED})"
        axes.plot(x, value, color=colour, marker=marker, ms=5, lw=1.6, label=label)
        called = ", ".join(f"{told(points[n])} with {(names or {}).get(n, n)}" for n in at)
        words.append(f"{name}: {called}")
    if counts:
        axes.set_xscale("log")
        axes.set_xticks(counts, _ticks(counts, names or {}))
        axes.minorticks_off()
    axes.set_xlabel("training cases per class")
    axes.set_ylabel(score)
    axes.grid(axis="y", color=GRID)
    if chance:
        axes.axhline(chance, **GUESSING)
    if arms:
        legend_below(canvas, axes)
    caption = (
        f"{capital(score)} against the number of training cases per class (upright lines: 95 % interval"
        f"{guessing(chance)})."
    )
    return Figure(to_png(canvas), caption, f"{caption} {'; '.join(words)}.", wide=True)


def _beside(counts: Sequence[int], arms: int) -> float:
    """By what factor an arm stands to the right of the one before it: all of a size within half the way to the next."""
    nearest = min((math.log(b / a) for a, b in pairwise(counts)), default=1.0)
    span = math.log(counts[-1] / counts[0]) if len(counts) > 1 else 1.0
    return math.exp(min(0.012 * span, 0.5 * nearest / max(arms, 1)))


def _ticks(counts: Sequence[int], names: Mapping[int, str]) -> list[str]:
    """Names of the sizes; one that would touch another goes a line down."""
    span = math.log(counts[-1] / counts[0])
    last: list[float] = []  # where the last name of each line stands
    ticks = []
    for count in counts:
        place = math.log(count)
        line = next((i for i, x in enumerate(last) if place - x >= _NEAR * span), len(last))
        last[line : line + 1] = [place]
        ticks.append("\n" * line + names.get(count, str(count)))
    return ticks


def differences(
    rows: Mapping[str, Mapping[str, Interval]], ours: str, score: str = "balanced accuracy"
) -> Figure:
    """How much better one way to classify is than others, with 95 % intervals.

    Args:
        rows: by name of the other way, and then of the series (a number of training cases), the difference.
        ours: name of the one.
        score: what is compared.
    """
    series = list(dict.fromkeys(name for points in rows.values() for name in points))
    names = [folded(other) for other in rows]
    room = max(len(series) + 1, line_count(names) * LINE / _STEP + 0.5)
    canvas, axes = plain_axes(8.4, 0.9 + _STEP * room * len(rows))
    words = []
    for line, (other, points) in enumerate(rows.items()):
        for name, interval in points.items():
            number = series.index(name)
            height = (len(series) - 1) / 2 - number - line * room
            colour, marker = line_style(number)
            axes.plot(
                [interval.low, interval.high], [height, height], color=colour, lw=2, solid_capstyle="butt"
            )
            axes.plot(interval.value, height, marker, color=colour, ms=5)
            if math.isnan(interval.value):
                place = axes.get_yaxis_transform()
                axes.text(0.01, height, NOT_DEFINED, color=colour, va="center", fontsize=9, transform=place)
        words.append(f"{other}: " + ", ".join(f"{told(i, sign=True)} with {n}" for n, i in points.items()))
    axes.axvline(0, **GUESSING)
    axes.set_yticks([-line * room for line in range(len(rows))], names)
    axes.set_ylim((0.5 - len(rows)) * room, room / 2)
    axes.locator_params(axis="x", nbins=7)
    axes.set_xlabel(f"difference in {score}")
    axes.grid(axis="x", color=GRID)
    if len(series) > 1:
        for number, name in enumerate(series):
            colour, marker = line_style(number)
            axes.plot([], [], marker, color=colour, label=name)
        legend_below(canvas, axes, "training cases per class")
    of = f" (training cases per class: {series[0]})" if len(series) == 1 else ""
    caption = (
        f"{capital(score)} of “{ours}” less that of each other way{of}, on the same draws and patients; lines: 95 % "
        f"interval. To the right of the dashed 0, “{ours}” is better."
    )
    return Figure(to_png(canvas), caption, f"{caption} {'; '.join(words)}.", wide=True)


def reliability_diagrams(arms: Mapping[str, Reliability]) -> Figure:
    """How sure the answers are against how often they are right, a small picture for each way to classify.

    Args:
        arms: by name.
    """
    columns = min(_COLUMNS, max(len(arms), 1))
    lines = math.ceil(max(len(arms), 1) / columns)
    side = 4.2 if columns < _COLUMNS else 2.8
    titles = [f"{folded(name, 30)}\nerror {told(found.error)}" for name, found in arms.items()]
    canvas = new_canvas(side * columns, 0.2 + (side + 0.15 * line_count(titles)) * lines)
    grid = np.atleast_1d(canvas.subplots(lines, columns, squeeze=False)).ravel()
    for axes in grid[len(arms) :]:
        axes.remove()
    for number, (axes, title, found) in enumerate(zip(grid, titles, arms.values(), strict=False)):
        dress(axes)
        axes.plot([0, 1], [0, 1], **GUESSING)
        low, high, value = (
            np.array([getattr(r, part) for r in found.right]) for part in ("low", "high", "value")
        )
        spread = np.nan_to_num(np.abs(np.stack([value - low, high - value])))
        axes.errorbar(found.sure, value, spread, fmt="o-", color=COLOURS[0], ms=4, lw=1.4, elinewidth=1)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        axes.set_box_aspect(1)
        axes.grid(color=GRID)
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=8)
        if number % columns == 0:
            axes.set_ylabel("share that is right", fontsize=9)
        if number + columns >= len(arms):
            axes.set_xlabel("how sure the answers are", fontsize=9)
    caption = (
        "Reliability: how sure the answers are (across) against the share that is right (up), with 95 % intervals; "
        "dashed: probabilities that mean what they say. Above each the expected calibration "
        "error; of several draws it is that of one classifier, and the points are of all together."
    )
    words = "; ".join(f"{name} {found.error}" for name, found in arms.items())
    return Figure(to_png(canvas), caption, f"{caption} {words}.", wide=columns > 1)
