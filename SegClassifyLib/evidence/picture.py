"""A picture of an evidence map over its image: slices through the labels and their outlines, and a legend."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from SegClassifyLib.evidence.spec import EvidenceMap
from SegClassifyLib.volumes.atomic import written_whole
from SegClassifyLib.volumes.image import Image, LabelMap
from SegClassifyLib.volumes.orient import to_orientation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 110
_SIDE = 3.6  # inches
_TEXT = 0.23
_BAR = 0.55
_BAR_LINE = 0.15
_LETTERS = 11  # in an inch of a line
COLOURS = "RdBu_r"
"""Matplotlib's name of the table: blue against, white nothing, red for."""

_RARE = 99.5
"""Per cent of the voxels with evidence that the colours reach to: a few strong ones would leave the rest white."""

_NEAR = 5
"""Voxels: the side of the box round a label's voxel whose evidence counts as the label's."""


@dataclass(frozen=True)
class _View:
    """One slice of everything, as it is held up to the eye.

    Args:
        title: its plane.
        grey, evidence, labels: ``(H, W)``.
        extent: width and height, mm.
        upward: whether row 0 is at the bottom.
    """

    title: str
    grey: np.ndarray
    evidence: np.ndarray
    labels: np.ndarray
    extent: tuple[float, float]
    upward: bool


def limit_of(shown: np.ndarray) -> float:
    """The density at which colours are full, the same on both sides of zero."""
    sizes = np.abs(shown[shown != 0])
    return float(np.percentile(sizes, _RARE)) if sizes.size else 1.0


def save_picture(
    image: Image, label_map: LabelMap, found: EvidenceMap, path: Path, sentences: tuple[str, ...]
) -> Path:
    """Save a PNG: the image's first channel under the map, in 3D a slice of each plane that cuts a label.

    Args:
        image: ``(C, D, H, W)`` or ``(C, H, W)``.
        label_map: what was segmented, on the same grid.
        found: the map.
        path: of the PNG.
        sentences: printed above.

    Raises:
        ImageError: the file cannot be written.
        ValueError: image and map lie on different grids.
    """
    figure = draw_picture(image, label_map, found, sentences)
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, facecolor=figure.get_facecolor(), format="png")
    return path


def draw_picture(image: Image, label_map: LabelMap, found: EvidenceMap, sentences: tuple[str, ...]) -> Figure:
    """What :func:`save_picture` saves.

    Raises:
        ValueError: image and map lie on different grids.
    """
    if not image.geometry.shape == found.shown.shape == label_map.array.shape:
        raise ValueError(
            f"a map of shape {found.shown.shape} is not on a grid of shape {image.geometry.shape}"
        )
    return _draw(_views(image, label_map, found), found, sentences)


def _views(image: Image, label_map: LabelMap, found: EvidenceMap) -> list[_View]:
    stack = [image.array[0], found.shown, label_map.array]
    geometry = image.geometry
    if geometry.ndim == 2:
        grey, evidence, labels = (to_orientation(a, geometry, "LP")[0] for a in stack)
        size = to_orientation(stack[0], geometry, "LP")[1]
        return [_View("", grey, evidence, labels, _millimetres(size.size, size.spacing), False)]
    grey, evidence, labels = (to_orientation(a, geometry, "LPS")[0] for a in stack)
    size = to_orientation(stack[0], geometry, "LPS")[1]
    views = []
    for axis, title in enumerate(("axial", "coronal", "sagittal")):
        if grey.shape[axis] == max(grey.shape) and 1 in grey.shape and grey.shape[axis] != 1:
            continue  # a single slice has one plane that shows something
        index = strongest_slice(evidence, labels, axis)
        kept = [2 - a for a in range(3) if a != axis][::-1]
        extent = _millimetres(tuple(size.size[a] for a in kept), tuple(size.spacing[a] for a in kept))
        cut, drawn, outlined = (a.take(index, axis) for a in (grey, evidence, labels))
        name = f"{title} {index + 1}/{grey.shape[axis]}"
        views.append(_View(name, cut, drawn, outlined, extent, axis > 0))
    return views


def strongest_slice(evidence: np.ndarray, labels: np.ndarray, axis: int) -> int:
    """The slice to look at: of those that cut a label, the one with the most evidence in labels and next to them.

    Where nothing was segmented, the slice with the most evidence.

    Args:
        evidence, labels: ``(D, H, W)``; label 0 is background.
        axis: across the slices.
    """
    from scipy.ndimage import find_objects, maximum_filter

    others = tuple(a for a in range(evidence.ndim) if a != axis)
    segmented = (labels != 0).astype(np.uint8)
    found = find_objects(segmented)
    if not found:
        return int(np.abs(evidence).sum(others).argmax())
    box = tuple(slice(max(0, b.start - _NEAR), b.stop + _NEAR) for b in found[0])
    near = maximum_filter(segmented[box], _NEAR) != 0
    strength = (np.abs(evidence[box]) * near).sum(others)
    cuts = segmented[box].any(others)
    return box[axis].start + int(np.where(cuts, strength, -1.0).argmax())


def _millimetres(size: tuple[int, ...], spacing: tuple[float, ...]) -> tuple[float, float]:
    width, height = (n * s for n, s in zip(size, spacing, strict=True))
    return width, height


def _draw(views: list[_View], found: EvidenceMap, sentences: tuple[str, ...]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width = max(2, len(views)) * _SIDE
    lines = [line for s in sentences for line in textwrap.wrap(s, int(width * _LETTERS))]
    tallest = max(v.extent[1] / v.extent[0] for v in views)
    area = _SIDE * min(1.6, tallest) if len(views) > 1 else width * min(0.8, tallest)
    head = _TEXT * len(lines) + 0.12
    sides = [textwrap.wrap(side, int(0.305 * width * _LETTERS)) for side in _sides(found)]
    foot = _BAR + _BAR_LINE * (max(len(side) for side in sides) - 1)
    height = head + area + foot
    figure = Figure(figsize=(width, height), facecolor="black")
    FigureCanvasAgg(figure)
    for number, line in enumerate(lines):
        y = 1 - (0.06 + _TEXT * (number + 0.5)) / height
        figure.text(0.01, y, line, color="white", fontsize=9, va="center", parse_math=False)
    limit = limit_of(found.shown)
    each = 1 / len(views)
    for number, view in enumerate(views):
        axes = figure.add_axes((number * each + 0.005, foot / height, each - 0.01, area / height))
        _draw_view(axes, view, limit)
    _legend(figure, sides, (foot, height))
    unit = {"cm2": "cm²"}.get(found.unit, found.unit)
    scale = f"full colour: ±{limit:.2g} logits per {unit}; yellow: outline of what was segmented"
    figure.text(0.5, 0.14 / height, scale, color="#c8c8c8", fontsize=8, ha="center", va="center")
    return figure


def _draw_view(axes: Axes, view: _View, limit: float) -> None:
    import matplotlib

    grey = view.grey.astype(np.float32)
    low, high = np.percentile(grey, [1.0, 99.5])
    width, height = view.extent
    extent = (0.0, width, 0.0, height) if view.upward else (0.0, width, height, 0.0)
    origin: Literal["lower", "upper"] = "lower" if view.upward else "upper"
    axes.imshow(grey, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), extent=extent, origin=origin)
    strength = np.clip(view.evidence / limit, -1, 1)
    colours = matplotlib.colormaps[COLOURS]((strength + 1) / 2)
    colours[..., 3] = 0.75 * np.abs(strength) ** 0.7
    axes.imshow(colours, interpolation="bilinear", extent=extent, origin=origin)
    rows, columns = view.labels.shape
    # A ring of background closes the outline of a label that reaches the edge.
    ringed = np.pad(view.labels, 1)
    x = np.clip((np.arange(columns + 2) - 0.5) / columns, 0, 1) * width
    y = np.clip((np.arange(rows + 2) - 0.5) / rows, 0, 1) * height
    if min(view.labels.shape) > 1:
        for value in np.unique(view.labels[view.labels != 0]):
            axes.contour(x, y, ringed == value, levels=[0.5], colors="#ffd75e", linewidths=0.8)
    axes.set_axis_off()
    if view.title:
        behind = {"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 1.5}
        axes.text(
            0.01, 0.98, view.title, transform=axes.transAxes, color="white", fontsize=8, va="top", bbox=behind
        )


def _sides(found: EvidenceMap) -> tuple[str, str]:
    """What blue and what red say."""
    contra = f"speaks for {found.against}" if found.against else f"speaks against {found.class_name}"
    return contra, f"speaks for {found.class_name}"


def _legend(figure: Figure, sides: list[list[str]], size: tuple[float, float]) -> None:
    """The colours between the lines of both sides; ``size`` is the height of the foot and of the figure, inches."""
    foot, height = size
    middle = (foot + 0.17) / 2 / height
    bar = figure.add_axes((0.325, middle - 0.06 / height, 0.35, 0.12 / height))
    bar.imshow(np.linspace(-1, 1, 200)[None], cmap=COLOURS, aspect="auto")
    bar.set_axis_off()
    for x, lines, align in zip((0.315, 0.685), sides, ("right", "left"), strict=True):
        text = "\n".join(lines)
        figure.text(x, middle, text, color="white", fontsize=9, ha=align, va="center", parse_math=False)
