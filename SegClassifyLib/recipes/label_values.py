"""A source's values of labels, written as those of our training sets: 1, 2, … in the order of the description."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.recipes.recipe import LabelSpec


def in_our_values(array: np.ndarray, labels: Sequence[LabelSpec], path: Path) -> np.ndarray:
    """The label map with other values.

    Args:
        array: of unsigned integers.
        labels: what the values mean; 0 is background.
        path: for the sentence.

    Returns:
        uint8, the same shape.

    Raises:
        SegClassifyError: a value that no label has.
    """
    result = np.zeros(array.shape, np.uint8)
    known = np.asarray(array == 0)
    for number, label in enumerate(labels, start=1):
        here = np.isin(array, label.values)
        result[here] = number
        known |= here
    if not known.all():
        names = ", ".join(f"{'/'.join(map(str, x.values))} {x.name}" for x in labels)
        raise SegClassifyError(
            f"{path} holds the value {int(array[~known].flat[0])}, which is none of {names}: correct the file, or "
            "take its patient out of the folder."
        )
    return result
