"""Standard pictures for reports, each with a sentence that says in words what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from SegClassifyLib.evaluation.canvas import COLOURS, GUESSING, MARKERS, dress, new_canvas, plain_axes, to_png
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.report_html import Figure

_DASHED = "; dashed: guessing"
_GREY, _PALE = "#4a5461", "#b9c6d6"


def class_probabilities(
    classes: Sequence[str], probabilities: Sequence[float], case: str = "", truth: str | None = None
) -> Figure:
    """Bars of one case's class probabilities, the most probable on top.

    Args:
        classes: names.
        probabilities: one a class, 0 to 1.
        case: what to call the case in the caption.
        truth: the true class, where it is known.
    """
    order = np.argsort(probabilities)
    canvas, axes = plain_axes(5.2, 0.75 + 0.42 * len(classes))
    best = int(order[-1])
    colours = [COLOURS[0] if i == best else _PALE for i in order]
    values = [float(probabilities[i]) for i in order]
    axes.barh(range(len(order)), values, color=colours, height=0.66)
    for row, value in enumerate(values):
        axes.text(value + 0.015, row, f"{100 * value:.0f} %", va="center", fontsize=10)
    names = [f"{classes[i]} (true)" if classes[i] == truth else classes[i] for i in order]
    axes.set_yticks(range(len(order)), names)
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.set_xlabel("probability")
    words = ", ".join(f"{classes[i]} {100 * probabilities[i]:.0f} %" for i in reversed(order))
    caption = f"Class probabilities of {case}" if case else "Class probabilities"
    if truth is not None:
        caption += f"; the true class is {truth}"
    return Figure(to_png(canvas), f"{caption}.", f"{caption}: {words}.")


def confusion_matrix(confusion: np.ndarray, classes: Sequence[str], caption: str = "") -> Figure:
    """Counts in squares, shaded by their part of the row.

    Args:
        confusion: ``(K, K)`` counts; rows the true class, columns the class said.
        classes: names.
        caption: below the picture.
    """
    counts = np.asarray(confusion)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 1.7 + 0.62 * len(classes)
    canvas, axes = plain_axes(side + 0.5, side)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if share[row, column] > 0.55 else "black"
        axes.text(column, row, f"{count:g}", ha="center", va="center", color=colour, fontsize=12)
    axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("class said")
    axes.set_ylabel("true class")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    right = ", ".join(f"{c} {counts[k, k]:g} of {counts[k].sum():g}" for k, c in enumerate(classes))
    caption = caption or "Confusion matrix: how many cases of each class were called what."
    return Figure(to_png(canvas), caption, f"{caption} Right: {right}.")


def score_comparison(
    scores: Mapping[str, Interval], score: str = "balanced accuracy", chance: float | None = None
) -> Figure:
    """A point and its 95 % interval for each of several ways to classify, the first on top.

    Args:
        scores: interval by name; the first is ours and is coloured.
        score: what is measured.
        chance: what guessing gets; drawn as a dashed line.
    """
    canvas, axes = plain_axes(8.4, 1.05 + 0.46 * len(scores))
    rows = range(len(scores) - 1, -1, -1)
    for row, (number, interval) in zip(rows, enumerate(scores.values()), strict=True):
        colour = COLOURS[0] if number == 0 else _GREY
        axes.plot([interval.low, interval.high], [row, row], color=colour, lw=2.4, solid_capstyle="butt")
        axes.plot(interval.value, row, "o", color=colour, ms=8)
        axes.annotate(
            f"{interval.value:.2f}",
            (interval.value, row),
            (0, 9),
            textcoords="offset points",
            ha="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )
    axes.set_yticks(list(rows), list(scores))
    axes.set_ylim(-0.6, len(scores) - 0.25)
    values = np.array([*(i.low for i in scores.values()), chance or 1.0])
    low = float(values[np.isfinite(values)].min())
    axes.set_xlim(max(0.0, np.floor(10 * low - 0.5) / 10), 1.02)
    axes.set_xlabel(f"{score} (line: 95 % interval{_DASHED if chance else ''})")
    if chance:
        axes.axvline(chance, **GUESSING)
    axes.grid(axis="x", color="#e3e7ec")
    words = "; ".join(f"{name} {interval}" for name, interval in scores.items())
    caption = f"{score.capitalize()} of each way to classify, with its 95 % interval."
    return Figure(to_png(canvas), caption, f"{caption} {words}.", wide=True)


def training_curves(
    epochs: Sequence[int], loss: Sequence[float], dice: Mapping[str, Sequence[float | None]]
) -> Figure:
    """Training loss and validation Dice of every label over the epochs of one training.

    Args:
        epochs: numbers.
        loss: mean training loss of each epoch.
        dice: by label name, one value an epoch; ``None`` or NaN where it was not measured.
    """
    canvas = new_canvas(8.4, 3.1)
    left, right = canvas.subplots(1, 2)
    for axes in (left, right):
        dress(axes)
        axes.set_xlabel("epoch")
        axes.grid(color="#e3e7ec")
    left.plot(epochs, loss, color=_GREY, lw=1.8)
    left.set_ylabel("training loss")
    last = []
    for number, (name, values) in enumerate(dice.items()):
        series = np.array([np.nan if v is None else v for v in values], dtype=float)
        known = np.isfinite(series)
        colour = COLOURS[number % len(COLOURS)]
        right.plot(np.asarray(epochs)[known], series[known], color=colour, lw=1.8, label=name)
        if known.any():
            last.append(f"{name} {series[known][-1]:.2f}")
    right.set_ylabel("validation Dice")
    right.set_ylim(0, 1.02)
    if dice:
        right.legend(frameon=False, fontsize=9, loc="best")
    caption = "Training of the segmenter: loss, and Dice on the validation cases."
    return Figure(
        to_png(canvas), caption, f"{caption} Dice at the end: {', '.join(last) or 'unknown'}.", wide=True
    )


def learning_curve(
    arms: Mapping[str, Mapping[int, Interval]],
    score: str = "balanced accuracy",
    chance: float | None = None,
) -> Figure:
    """A score against the number of training cases per class, with its 95 % interval as a band.

    Args:
        arms: by name, the interval by cases per class.
        score: what is measured.
        chance: what guessing gets; drawn as a dashed line.
    """
    canvas, axes = plain_axes(8.4, 3.7)
    counts = sorted({n for points in arms.values() for n in points})
    words = []
    for number, (name, points) in enumerate(arms.items()):
        at = sorted(points)
        value, low, high = (
            np.array([getattr(points[n], part) for n in at]) for part in ("value", "low", "high")
        )
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(at, value, color=colour, marker=MARKERS[number % len(MARKERS)], ms=5, lw=1.8, label=name)
        axes.fill_between(at, low, high, color=colour, alpha=0.13, lw=0)
        words.append(f"{name}: " + ", ".join(f"{points[n].value:.2f} with {n}" for n in at))
    if counts:
        axes.set_xscale("log")
        axes.set_xticks(counts, [str(n) for n in counts])
        axes.minorticks_off()
    axes.set_xlabel("training cases per class")
    axes.set_ylabel(score)
    axes.grid(color="#e3e7ec")
    if chance:
        axes.axhline(chance, **GUESSING)
    if arms:
        axes.legend(frameon=False, fontsize=9)
    lines = f"band: 95 % interval{_DASHED if chance else ''}"
    caption = f"{score[:1].upper()}{score[1:]} against the number of training cases per class ({lines})."
    return Figure(to_png(canvas), caption, f"{caption} {'; '.join(words)}.", wide=True)
