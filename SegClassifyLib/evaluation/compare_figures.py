"""Pictures that compare several ways to classify: differences with their intervals, and reliability diagrams."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from SegClassifyLib.evaluation.canvas import (
    COLOURS,
    GRID,
    GUESSING,
    MARKERS,
    dress,
    new_canvas,
    plain_axes,
    to_png,
)
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.reliability import Reliability
from SegClassifyLib.evaluation.report_html import Figure

_COLUMNS = 3


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
    canvas, axes = plain_axes(8.4, 1.2 + 0.22 * sum(len(points) + 1 for points in rows.values()))
    height, ticks, words = 0.0, [], []
    for other, points in rows.items():
        start = height
        for name, interval in points.items():
            number = series.index(name)
            colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
            axes.plot(
                [interval.low, interval.high], [height, height], color=colour, lw=2, solid_capstyle="butt"
            )
            axes.plot(interval.value, height, marker, color=colour, ms=5)
            height -= 1
        ticks.append((start + height + 1) / 2)
        words.append(f"{other}: " + ", ".join(f"{i.value:+.2f} with {n}" for n, i in points.items()))
        height -= 1
    axes.axvline(0, **GUESSING)
    axes.set_yticks(ticks, list(rows))
    axes.set_ylim(height + 1, 1)
    axes.set_xlabel(f"better by, in {score} (line: 95 % interval; dashed: 0)")
    axes.grid(axis="x", color=GRID)
    for number, name in enumerate(series):
        axes.plot([], [], MARKERS[number % len(MARKERS)], color=COLOURS[number % len(COLOURS)], label=name)
    if rows:
        axes.legend(title="cases per class", frameon=False, fontsize=9, loc="best")
    caption = f"{score[:1].upper()}{score[1:]} of “{ours}” less that of each other way, on the same draws and patients."
    return Figure(to_png(canvas), caption, f"{caption} {'; '.join(words)}.", wide=True)


def reliability_diagrams(arms: Mapping[str, Reliability]) -> Figure:
    """How sure the answers are against how often they are right, a small picture for each way to classify.

    Args:
        arms: by name.
    """
    columns = min(_COLUMNS, max(len(arms), 1))
    lines = math.ceil(max(len(arms), 1) / columns)
    canvas = new_canvas(2.8 * columns, 3.5 * lines)
    grid = np.atleast_1d(canvas.subplots(lines, columns, squeeze=False)).ravel()
    for axes in grid[len(arms) :]:
        axes.set_visible(False)
    for axes, (name, found) in zip(grid, arms.items(), strict=False):
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
        axes.set_title(f"{_folded(name)}\nerror {found.error.value:.2f}", fontsize=9)
        axes.tick_params(labelsize=8)
    caption = (
        "Reliability: how sure the answers are (across) against the share that is right (up), with 95 % intervals; "
        "dashed: probabilities that mean what they say. Above each the expected calibration error."
    )
    words = "; ".join(f"{name} {found.error}" for name, found in arms.items())
    return Figure(to_png(canvas), caption, f"{caption} {words}.", wide=True)


def _folded(name: str, width: int = 32) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(name, width))
