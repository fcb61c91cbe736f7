"""A picture of a segmentation over its image: the most telling slices, with letters for the body's sides."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from SegClassifyLib.volumes.atomic import written_whole
from SegClassifyLib.volumes.image import Image, Label, LabelMap
from SegClassifyLib.volumes.labels import distinct_colour
from SegClassifyLib.volumes.slices import Panel, telling_panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 120
_WIDTH = 9.0  # inches
_TALLEST = 7.0
_GAP = 0.06
_MARGIN = 0.12
_TEXT_LINE = 0.22
_LEGEND_LIMIT = 24
_FILL = 0.30
_GREY = "#c8c8c8"


def save_overlay(
    image: Image, label_map: LabelMap, path: str | os.PathLike[str], title: str = "", slices: int = 3
) -> Path:
    """Save a PNG of the slices that show most of a segmentation, outlined and tinted over the image.

    Args:
        image: ``(C, D, H, W)`` or ``(C, H, W)``; the first channel is shown, and three channels of a picture as
            its colours.
        label_map: on the same grid.
        path: of the PNG.
        title: printed above; may be empty.
        slices: how many of a volume. Three show one of each plane; planes in which a thin volume would be a
            narrow strip give way to more slices of the others.

    Returns:
        ``path``.

    Raises:
        ImageError: the file cannot be written.
        ValueError: image and label map lie on different grids.
    """
    path = Path(path)
    if label_map.array.shape != image.geometry.shape:
        raise ValueError(
            f"label map {label_map.array.shape} is not on the image's grid {image.geometry.shape}"
        )
    panels = telling_panels(image, label_map, slices)
    figure = _draw(panels, _shown_labels(label_map, panels), _limits(image, panels), title)
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, facecolor=figure.get_facecolor(), format="png")
    return path


def _limits(image: Image, panels: list[Panel]) -> tuple[float, float]:
    """Grey values shown as black and white, from the slices shown and without the rare extremes."""
    if image.array.dtype == np.uint8 and image.geometry.ndim == 2:
        return 0.0, 255.0
    values = np.concatenate([p.grey.ravel() for p in panels]).astype(np.float32)
    low, high = np.percentile(values, [1.0, 99.5])
    inside = values[values > low + 0.05 * (high - low)]
    # A large dark surround (air) would take most of the grey scale for itself.
    if 0 < len(inside) < 0.9 * len(values):
        low, high = np.percentile(inside, [5.0, 99.5])
    return (float(low), float(high)) if high > low else (float(values.min()), float(values.max()) + 1e-6)


def _shown_labels(label_map: LabelMap, panels: list[Panel]) -> list[tuple[Label, int]]:
    """Labels in the panels, the largest first, with their pixels there."""
    values, counts = np.unique(np.concatenate([p.labels.ravel() for p in panels]), return_counts=True)
    known = {label.value: label for label in label_map.labels}
    found = [
        (known.get(int(v), Label(int(v), f"label {v}", distinct_colour(int(v) - 1))), int(n))
        for v, n in zip(values, counts, strict=True)
        if v != 0
    ]
    return sorted(found, key=lambda item: -item[1])


def _rows(panels: list[Panel]) -> tuple[float, list[tuple[float, float, float, float]]]:
    """Height of the picture area and each panel's (left, top, width, height), inches, filling the width.

    Either all in a row of equal height, or the first one large and the others stacked beside it, whichever
    comes nearer to a handy shape.
    """
    aspects = [p.aspect for p in panels]
    inner = _WIDTH - 2 * _MARGIN
    height = min(_TALLEST, (inner - _GAP * (len(panels) - 1)) / sum(aspects))
    width = height * sum(aspects) + _GAP * (len(panels) - 1)
    left = (_WIDTH - width) / 2
    row = []
    for aspect in aspects:
        row.append((left, 0.0, height * aspect, height))
        left += height * aspect + _GAP
    if len(panels) != 3 or len({p.sides for p in panels}) < 3:
        return height, row
    # Two stacked panels of width w have the height of the first: a0 * H + gap + w = inner, w (1/a1 + 1/a2) + gap = H.
    steep = 1 / aspects[1] + 1 / aspects[2]
    side = (inner - _GAP - aspects[0] * _GAP) / (1 + aspects[0] * steep)
    tall = side * steep + _GAP
    if tall > _TALLEST or abs(np.log(tall / 5.0)) > abs(np.log(height / 5.0)):
        return height, row
    first = aspects[0] * tall
    second = side / aspects[1]
    right = _MARGIN + first + _GAP
    return tall, [
        (_MARGIN, 0.0, first, tall),
        (right, 0.0, side, second),
        (right, second + _GAP, side, side / aspects[2]),
    ]


def _draw(
    panels: list[Panel], labels: list[tuple[Label, int]], limits: tuple[float, float], title: str
) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    area, boxes = _rows(panels)
    heading = textwrap.wrap(title, 95)[:3]
    names, columns = _legend_texts(labels)
    top = _MARGIN + _TEXT_LINE * 1.15 * len(heading)
    bottom = _MARGIN + _TEXT_LINE * -(-len(names) // columns) + 0.08
    height = top + area + bottom
    figure = Figure(figsize=(_WIDTH, height), facecolor="black")
    FigureCanvasAgg(figure)
    for i, line in enumerate(heading):
        y = 1 - (_MARGIN / 2 + _TEXT_LINE * 1.15 * (i + 0.5)) / height
        figure.text(_MARGIN / _WIDTH, y, line, color="white", fontsize=11, va="center", parse_math=False)
    for panel, (left, down, w, h) in zip(panels, boxes, strict=True):
        axes = figure.add_axes((left / _WIDTH, 1 - (top + down + h) / height, w / _WIDTH, h / height))
        _draw_panel(axes, panel, {label.value: label.colour for label, _ in labels}, limits)
    for i, (text, colour) in enumerate(names):
        x = (_MARGIN + (i % columns) * (_WIDTH - 2 * _MARGIN) / columns) / _WIDTH
        y = (bottom - 0.1 - _TEXT_LINE * (i // columns + 0.5)) / height
        if colour is not None:
            figure.text(x, y, "■", color=colour, fontsize=12, va="center")
        figure.text(
            x + 0.16 / _WIDTH * (colour is not None),
            y,
            text,
            color=_GREY,
            fontsize=9,
            va="center",
            parse_math=False,
        )
    return figure


def _draw_panel(
    axes: Axes, panel: Panel, colours: dict[int, tuple[float, float, float]], limits: tuple[float, float]
) -> None:
    from matplotlib import patheffects

    width, height = panel.extent
    extent = (0.0, width, 0.0, height) if panel.upward else (0.0, width, height, 0.0)
    origin: Literal["lower", "upper"] = "lower" if panel.upward else "upper"
    axes.imshow(
        panel.grey, cmap="gray", vmin=limits[0], vmax=limits[1], extent=extent, origin=origin,
        interpolation="bilinear", aspect="auto",
    )  # fmt: skip
    tint = np.zeros((*panel.labels.shape, 4), np.float32)
    rows, columns = panel.labels.shape
    x = (np.arange(columns) + 0.5) * width / columns
    y = (np.arange(rows) + 0.5) * height / rows
    for value in np.unique(panel.labels):
        if value == 0:
            continue
        mask = panel.labels == value
        tint[mask] = (*colours[int(value)], _FILL)
        # A frame of background closes outlines that touch the edge.
        closed = np.pad(mask.astype(np.float32), 1)
        axes.contour(
            np.r_[x[0] - width / columns, x, x[-1] + width / columns],
            np.r_[y[0] - height / rows, y, y[-1] + height / rows],
            closed, levels=[0.5], colors=[colours[int(value)]], linewidths=1.1,
        )  # fmt: skip
    axes.imshow(tint, extent=extent, origin=origin, interpolation="nearest", aspect="auto")
    axes.set_xlim(0, width)
    axes.set_ylim(extent[2], extent[3])
    axes.set_axis_off()
    outline = [patheffects.withStroke(linewidth=2.0, foreground="black")]
    if panel.sides is not None:
        places = ((0.015, 0.5, "left", "center"), (0.985, 0.5, "right", "center"),
                  (0.5, 0.985, "center", "top"), (0.5, 0.015, "center", "bottom"))  # fmt: skip
        for letter, (px, py, ha, va) in zip(panel.sides, places, strict=True):
            axes.text(px, py, letter, transform=axes.transAxes, color="#ffd75e", fontsize=10, ha=ha, va=va,
                      path_effects=outline)  # fmt: skip
    axes.text(0.015, 0.985, panel.title, transform=axes.transAxes, color="white", fontsize=8, ha="left", va="top",
              path_effects=outline)  # fmt: skip


def _legend_texts(
    labels: list[tuple[Label, int]],
) -> tuple[list[tuple[str, tuple[float, float, float] | None]], int]:
    """Names with colours, and in how many columns they fit."""
    if not labels:
        return [("nothing is labelled in the slices shown", None)], 1
    shown = labels if len(labels) <= _LEGEND_LIMIT else labels[: _LEGEND_LIMIT - 1]
    texts: list[tuple[str, tuple[float, float, float] | None]] = [
        (textwrap.shorten(label.name, 34, placeholder=" …"), label.colour) for label, _ in shown
    ]
    if len(shown) < len(labels):
        texts.append((f"and {len(labels) - len(shown)} smaller ones", None))
    longest = max(len(text) for text, _ in texts)
    return texts, max(1, min(len(texts), int((_WIDTH - 2 * _MARGIN) / (0.4 + 0.078 * longest))))
