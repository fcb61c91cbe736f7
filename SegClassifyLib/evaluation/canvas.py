"""What all pictures of reports share: colours, an empty canvas, PNG bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

# Okabe and Ito's colours, told apart by colour-blind readers too
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5F5F5F", "#B8A800")
MARKERS = "osD^vPX*"
GUESSING: dict[str, Any] = {"color": "#9a3b3b", "ls": "--", "lw": 1.2, "zorder": 0}
GRID = "#e3e7ec"


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


def to_png(canvas: Canvas) -> bytes:
    """The picture as a PNG, the same bytes for the same picture."""
    buffer = io.BytesIO()
    # the software and the time would make two equal pictures differ
    canvas.savefig(buffer, format="png", dpi=150, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()
