"""What all pictures of reports share: colours, an empty canvas, names and legends that fit, PNG bytes."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from SegClassifyLib.evaluation.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

# Okabe and Ito's colours, told apart by colour-blind readers too
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5F5F5F", "#B8A800")
MARKERS = "osD^vPX*"
GUESSING: dict[str, Any] = {"color": "#9a3b3b", "ls": "--", "lw": 1.2, "zorder": 0}
GRID = "#e3e7ec"
LINE = 0.19
"""Inches from one line of a row's name to the next."""
NOT_DEFINED = "not defined"


def new_canvas(width: float, height: float) -> Canvas:
    """An empty picture of so many inches, drawn without a window system and without global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(canvas)
    return canvas


def plain_axes(width: float, height: float) -> tuple[Canvas, Axes]:
    """An empty picture with one pair of axes."""
    canvas = new_canvas(width, height)
    axes = canvas.add_subplot()
    dress(axes)
    return canvas, axes


def dress(axes: Axes) -> None:
    """No frame above and to the right; lines of a grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)


def line_style(number: int) -> tuple[str, str]:
    """Colour and marker of one of several lines; they begin again after the last."""
    return COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]


def folded(name: str, width: int = 38, lines: int = 4) -> str:
    """A name in at most so many lines of so many letters; what is left of a very long one is dots."""
    return "\n".join(textwrap.wrap(name, width, max_lines=lines, placeholder=" …"))


def line_count(names: Sequence[str]) -> int:
    """Lines of the folded name that has most."""
    return max((name.count("\n") + 1 for name in names), default=1)


def legend_below(canvas: Canvas, axes: Axes, title: str | None = None) -> None:
    """A legend under the axes, in as many columns as fit; the canvas grows by its height, so no curve is covered."""
    handles, labels = axes.get_legend_handles_labels()
    width = canvas.get_window_extent().width
    for columns in (6, 4, 3, 2, 1):
        legend = canvas.legend(
            handles,
            [folded(label, 50 if columns > 1 else 90) for label in labels],
            loc="outside lower left",
            ncols=columns,
            title=title,
            alignment="left",
            frameon=False,
            fontsize=9,
            title_fontsize=9,
        )
        box = legend.get_window_extent()
        if box.width < width or columns == 1:
            break
        legend.remove()
    canvas.set_figheight(canvas.get_figheight() + box.height / canvas.dpi)


def told(interval: Interval, sign: bool = False) -> str:
    """The value in words for those who cannot see the picture."""
    if math.isnan(interval.value):
        return NOT_DEFINED
    return f"{interval.value:{'+' if sign else ''}.2f}".replace("-", "−")


def guessing(chance: float | Mapping[str, float] | None) -> str:
    """What a caption says of the dashed line."""
    if isinstance(chance, Mapping):
        return "; dashed: guessing"
    return f"; dashed: guessing, {chance:.2f}" if chance else ""


def capital(words: str) -> str:
    """Words that begin a sentence; ``AUC`` stays as it is."""
    return words[:1].upper() + words[1:]


def to_png(canvas: Canvas) -> bytes:
    """The picture as a PNG, the same bytes for the same picture."""
    buffer = io.BytesIO()
    # the software and the time would make two equal pictures differ
    canvas.savefig(buffer, format="png", dpi=150, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()
