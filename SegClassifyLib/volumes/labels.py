"""Names and colours for labels that have none yet."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

from SegClassifyLib.volumes.image import Label

BACKGROUND = Label(0, "background", (0.0, 0.0, 0.0))

# The first few can be told apart by colour-blind eyes too (after Okabe and Ito) and stand out on grey.
_FIRST = (
    (0.90, 0.37, 0.00),
    (0.00, 0.62, 0.45),
    (0.34, 0.71, 0.91),
    (0.94, 0.89, 0.26),
    (0.80, 0.47, 0.65),
    (0.00, 0.45, 0.70),
    (0.90, 0.62, 0.00),
)
_GOLDEN = 0.6180339887498949


def distinct_colour(index: int) -> tuple[float, float, float]:
    """The ``index``-th (from 0) of an endless row of colours, RGB 0 to 1, neighbours far apart."""
    if index < len(_FIRST):
        return _FIRST[index]
    k = index - len(_FIRST)
    rgb = colorsys.hsv_to_rgb(
        (0.02 + k * _GOLDEN) % 1.0, (0.85, 0.5, 0.7)[k % 3], (0.95, 0.9, 0.65)[k // 3 % 3]
    )
    return (round(rgb[0], 3), round(rgb[1], 3), round(rgb[2], 3))


def default_labels(names: int | Sequence[str]) -> tuple[Label, ...]:
    """Labels 1, 2, … with distinct colours; background (0) is not among them.

    Args:
        names: one name a label, or how many there are (they become "label 1", "label 2", …).
    """
    if isinstance(names, int):
        names = [f"label {i + 1}" for i in range(names)]
    return tuple(Label(i + 1, name, distinct_colour(i)) for i, name in enumerate(names))


def with_background(labels: Sequence[Label]) -> tuple[Label, ...]:
    """The same labels with background first, as a segmenter lists them."""
    return (next((x for x in labels if x.value == 0), BACKGROUND), *(x for x in labels if x.value != 0))
