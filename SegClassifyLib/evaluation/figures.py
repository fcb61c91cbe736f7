"""Standard pictures for reports, each with a sentence that says in words what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    new_canvas,
    plain_axes,
    to_png,
)
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.report_html import Figure

_STYLES = ("-", "--", ":")
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
    names = [folded(f"{classes[i]} (true)" if classes[i] == truth else classes[i], 26) for i in order]
    canvas, axes = plain_axes(5.2, 0.75 + max(0.42, line_count(names) * LINE + 0.05) * len(classes))
    best = int(order[-1])
    colours = [COLOURS[0] if i == best else _PALE for i in order]
    values = [float(probabilities[i]) for i in order]
    axes.barh(range(len(order)), values, color=colours, height=0.66)
    for row, value in enumerate(values):
        axes.text(value + 0.015, row, f"{100 * value:.0f} %", va="center", fontsize=10)
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
    names, below = ([folded(name, 22, lines) for name in classes] for lines in (3, 2))
    longest = max(len(line) for name in names for line in name.split("\n"))
    # beside the squares of 0.62 inches: a name and the title of the axis; below them names aslant
    beside = 0.65 + 0.085 * longest
    canvas, axes = plain_axes(beside + 0.62 * len(names), 0.55 + 0.7 * beside + 0.62 * len(names))
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = _readable_on(image.cmap(image.norm(share[row, column])))
        size = 12 if count < 1e4 else 9
        axes.text(column, row, f"{count:.0f}", ha="center", va="center", color=colour, fontsize=size)
    axes.set_xticks(range(len(names)), below, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("class said")
    axes.set_ylabel("true class")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    right = ", ".join(f"{c} {counts[k, k]:g} of {counts[k].sum():g}" for k, c in enumerate(classes))
    caption = caption or "Confusion matrix: how many cases of each class were called what."
    few, many = len(names) <= 3, len(names) > 9
    return Figure(to_png(canvas), caption, f"{caption} Right: {right}.", wide=many, small=few)


def _readable_on(colour: tuple[float, ...] | np.ndarray) -> str:
    """Black or white, whichever has more contrast on ``colour`` (WCAG 2: relative luminance)."""
    channels = np.asarray(colour[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "black"


def score_comparison(
    scores: Mapping[str, Interval],
    score: str = "balanced accuracy",
    chance: float | Mapping[str, float] | None = None,
    caption: str = "",
) -> Figure:
    """A point and its 95 % interval for each of several ways to classify, the first on top.

    Args:
        scores: interval by name; the first is ours and is coloured.
        score: what is measured.
        chance: what guessing gets, of all or by name; drawn as a dashed line.
        caption: what is compared, where it is not ways to classify.
    """
    names = [folded(name) for name in scores]
    room = max(0.46, line_count(names) * LINE + 0.1)
    canvas, axes = plain_axes(8.4, 0.95 + room * len(scores))
    rows = range(len(scores) - 1, -1, -1)
    for row, (number, interval) in zip(rows, enumerate(scores.values()), strict=True):
        colour = COLOURS[0] if number == 0 else _GREY
        axes.plot([interval.low, interval.high], [row, row], color=colour, lw=2.4, solid_capstyle="butt")
        axes.plot(interval.value, row, "o", color=colour, ms=8)
        if np.isnan(interval.value):
            axes.text(0.01, row, NOT_DEFINED, color=_GREY, va="center", transform=axes.get_yaxis_transform())
            continue
        axes.annotate(
            f"{interval.value:.2f}",
            (interval.value, row),
            (0, 9),
            textcoords="offset points",
            ha="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )
    axes.set_yticks(list(rows), names)
    axes.set_ylim(-0.6, len(scores) - 0.25)
    guesses = chance if isinstance(chance, Mapping) else dict.fromkeys(scores, chance) if chance else {}
    values = np.array([1.0, *(i.low for i in scores.values()), *guesses.values()])
    low = float(values[np.isfinite(values)].min())
    axes.set_xlim(max(0.0, np.floor(10 * low - 0.5) / 10), 1.02)
    axes.set_xlabel(score)
    if isinstance(chance, Mapping):
        for row, name in zip(rows, scores, strict=True):
            axes.plot([guesses.get(name, np.nan)] * 2, [row - 0.4, row + 0.4], **GUESSING)
    elif chance:
        axes.axvline(chance, **GUESSING)
    axes.grid(axis="x", color=GRID)
    words = "; ".join(f"{n} {NOT_DEFINED if np.isnan(i.value) else i}" for n, i in scores.items())
    caption = caption or f"{capital(score)} of each way to classify"
    caption = f"{caption} (line: 95 % interval{guessing(chance)})."
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
        axes.locator_params(axis="x", integer=True)
        axes.grid(color=GRID)
    left.plot(epochs, loss, color=_GREY, lw=1.8)
    left.set_ylabel("training loss")
    last = []
    for number, (name, values) in enumerate(dice.items()):
        series = np.array([np.nan if v is None else v for v in values], dtype=float)
        known = np.isfinite(series)
        colour, style = COLOURS[number % len(COLOURS)], _STYLES[number // len(COLOURS) % len(_STYLES)]
        right.plot(np.asarray(epochs)[known], series[known], style, color=colour, lw=1.8, label=name)
        if known.any():
            last.append(f"{name} {series[known][-1]:.2f}")
    right.set_ylabel("validation Dice")
    right.set_ylim(0, 1.02)
    if dice:
        legend_below(canvas, right)
    caption = "Training of the segmenter: loss, and Dice on the validation cases."
    return Figure(
        to_png(canvas), caption, f"{caption} Dice at the end: {', '.join(last) or 'unknown'}.", wide=True
    )
