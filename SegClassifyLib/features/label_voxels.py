"""The voxels of a label map, label by label, from one pass over the map whatever the number of labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LabelVoxels:
    """Where the voxels of every label but background are.

    Args:
        place: ``(n,)`` int64 flat indices into the label map, sorted by label, then as they are stored.
        first: ``(count + 1,)`` int64; label ``v`` has ``place[first[v]:first[v + 1]]``.
    """

    place: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, count: int) -> LabelVoxels:
        """Sort the voxels of integers ``labels`` of any shape; values are 0 … ``count - 1``, 0 being background."""
        flat = labels.ravel()
        place = np.flatnonzero(flat)
        values = flat[place]
        # A stable sort of 8- or 16-bit integers is a radix sort: as fast as counting.
        order = np.argsort(values, kind="stable")
        sizes = np.bincount(values, minlength=count)
        return cls(place[order], np.concatenate([[0], np.cumsum(sizes)]))

    def __iter__(self) -> Iterator[tuple[int, slice]]:
        """Labels that are there, each with its part of anything in the order of ``place``."""
        for value in range(1, len(self.first) - 1):
            if self.first[value + 1] > self.first[value]:
                yield value, slice(int(self.first[value]), int(self.first[value + 1]))
