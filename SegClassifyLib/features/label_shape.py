"""Size and shape of all labels at once.

The numbers are those of SimpleITK's ``LabelShapeStatisticsImageFilter`` (Lehmann G., "Label object representation and
manipulation with ITK", Insight Journal 2008), whose time grows with the number of runs of equal labels and becomes
longer than the network's own where labels are many or ragged.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.features.label_voxels import LabelVoxels

_PART_OF_SPHERE = (4 * 0.04577789120476, 4 * 0.03698062787608, 4 * 0.03519563978232)
"""Weights of the 13 directions between voxels in the surface by Crofton's formula: along an axis, across a face,
across the cube. Legland D., Kiêu K., Devaux M.-F., "Computation of Minkowski measures on 2D and 3D binary images",
Image Analysis & Stereology 26, 2007; times 4, and for crossings counted on entering and on leaving."""

_PART_OF_CIRCLE = np.pi / 8
"""The same for the four directions between pixels."""

_FLAT = 1e-9
"""Principal moments below this part of the largest are zero: a label one voxel thick, seen through rounding."""


@dataclass(frozen=True)
class LabelShape:
    """One label.

    Args:
        volume: mm³ (mm²).
        radius: of the ball (disc) of this volume, mm.
        elongation: root of the largest principal moment over the one before it; 0 for a line.
        flatness: root of the second smallest principal moment over the smallest; 0 for a plate.
        roundness: surface of the ball of this volume over ``surface``.
        surface: mm² (mm), by Crofton's formula.
        extent: share of the bounding box that is filled.
        parts: ``(P,)`` voxels of each part that hangs together by faces.
        on_border: voxel faces on the border of the image, as a share of ``surface``.
        centroid: x, y (, z), mm from the first voxel's centre.
    """

    volume: float
    radius: float
    elongation: float
    flatness: float
    roundness: float
    surface: float
    extent: float
    parts: np.ndarray
    on_border: float
    centroid: np.ndarray


def label_shapes(
    labels: np.ndarray, voxels: LabelVoxels, spacing: np.ndarray, start: Sequence[int], whole: Sequence[int]
) -> dict[int, LabelShape]:
    """Measure every label that is there.

    Args:
        labels: ``(D, H, W)`` or ``(H, W)`` integers, 0 being background; a box cut out of an image.
        voxels: of ``labels``.
        spacing: mm, in the order of ``labels``' axes.
        start: first voxel of the box in the image.
        whole: shape of the image.

    Returns:
        By label value.
    """
    if len(voxels.place) == 0:
        return {}
    neighbours = _Neighbours.of(labels)
    weights, bits = neighbours.surface_weights(spacing), neighbours.bits()
    codes = neighbours.codes[voxels.place]
    parts = neighbours.parts(len(voxels.first) - 1)
    axes = _places(voxels.place, labels.shape, start)
    faces = np.prod(spacing) / spacing
    found = {}
    for value, part in voxels:
        index = [axis[part] for axis in axes]
        low = np.array([i.min() for i in index])
        size = np.array([i.max() for i in index]) - low + 1
        points = np.stack([(i - a) * s for i, a, s in zip(index, low.tolist(), spacing, strict=True)])
        same = np.bincount(codes[part], minlength=len(bits)) @ bits
        count = points.shape[1]
        surface = float((2 * (count - same)) @ weights)
        touching = [
            area * (np.count_nonzero(i == 0) + np.count_nonzero(i == n - 1))
            for i, n, area in zip(index, whole, faces, strict=True)
        ]
        volume = count * float(np.prod(spacing))
        radius, ball = _ball(volume, labels.ndim)
        middle = points.mean(1)
        points -= middle[:, None]
        # Two rows at a time: for a matrix of three long rows a matrix product is four times as slow.
        moments = np.array([[np.dot(p, q) for q in points] for p in points]) / count
        elongation, flatness = _roots(np.linalg.eigvalsh(moments))
        found[value] = LabelShape(
            volume=volume,
            radius=radius,
            elongation=elongation,
            flatness=flatness,
            roundness=ball / surface,
            surface=surface,
            extent=count / float(np.prod(size)),
            parts=parts[value],
            on_border=float(np.sum(touching)) / surface,
            centroid=(middle + low * spacing)[::-1],
        )
    return found


def _places(place: np.ndarray, shape: Sequence[int], start: Sequence[int]) -> list[np.ndarray]:
    """Flat indices as int32 indices along each axis, counted in the whole image."""
    rest, found = place.astype(np.int32), []
    for size in reversed(shape[1:]):
        above = rest // np.int32(size)
        found.append(rest - above * np.int32(size))
        rest = above
    return [axis + np.int32(first) for axis, first in zip([rest, *reversed(found)], start, strict=True)]


def _ball(volume: float, ndim: int) -> tuple[float, float]:
    """Radius and surface of the ball (disc) of a volume."""
    if ndim == 3:
        radius = (3 * volume / (4 * np.pi)) ** (1 / 3)
        return radius, 4 * np.pi * radius**2
    radius = (volume / np.pi) ** 0.5
    return radius, 2 * np.pi * radius


def _roots(moments: np.ndarray) -> tuple[float, float]:
    """Elongation and flatness from principal moments, rising."""
    least = _FLAT * moments[-1]
    elongation = np.sqrt(moments[-1] / moments[-2]) if moments[-2] > least else 0.0
    flatness = np.sqrt(moments[1] / moments[0]) if moments[0] > least else 0.0
    return float(elongation), float(flatness)


@dataclass(frozen=True)
class _Neighbours:
    """For each voxel, which of the next voxels in each direction have its label.

    Args:
        flat: the label map with a border of background, flattened.
        directions: half of all neighbours, 13 or 4, in the order of the map's axes; those along an axis come last,
            along the rows at the very end.
        offsets: from a voxel of ``flat`` to its neighbour in each direction.
        same: ``(directions, len(flat))`` bool: the neighbour has the voxel's label, which is not background.
        codes: uint16 for each voxel of the flattened map without the border, bit ``k`` being direction ``k``.
    """

    flat: np.ndarray
    directions: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...]
    same: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray) -> _Neighbours:
        ahead = [d for d in itertools.product((-1, 0, 1), repeat=labels.ndim) if d > (0,) * labels.ndim]
        directions = tuple(sorted(ahead, key=lambda d: (sum(map(abs, d)), d), reverse=True))
        padded = np.pad(labels, 1)
        flat, strides = padded.ravel(), np.asarray(padded.strides) // padded.itemsize
        offsets = tuple(int(np.dot(d, strides)) for d in directions)
        there = flat != 0
        same = np.zeros((len(directions), flat.size), np.bool_)
        codes = np.zeros((2, flat.size), np.uint8)
        for bit, (row, offset) in enumerate(zip(same, offsets, strict=True)):
            np.equal(flat[:-offset], flat[offset:], out=row[:-offset])
            row &= there
            codes[bit // 8] |= row.view(np.uint8) << np.uint8(bit % 8)
        inner = (slice(1, -1),) * labels.ndim
        low, high = (c.reshape(padded.shape)[inner].ravel() for c in codes)
        return cls(flat, directions, offsets, same, low | (high.astype(np.uint16) << 8))

    def bits(self) -> np.ndarray:
        """``(codes, directions)`` 0 or 1: which directions a code names."""
        count = len(self.directions)
        return (np.arange(2**count)[:, None] >> np.arange(count)) & 1

    def surface_weights(self, spacing: np.ndarray) -> np.ndarray:
        """``(directions,)`` surface, mm² (mm), for each crossing of a label's border in a direction."""
        steps = np.array(self.directions)
        kind = np.abs(steps).sum(1)
        share = np.array(_PART_OF_SPHERE)[kind - 1] if steps.shape[1] == 3 else _PART_OF_CIRCLE
        return share * np.prod(spacing) / np.linalg.norm(steps * spacing, axis=1)

    def parts(self, count: int) -> list[np.ndarray]:
        """For each label value below ``count`` the voxels of its parts, joined by faces.

        Rows are cut into runs of one label; runs that touch in the next row or slice are joined as a graph.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        follows = np.zeros(len(self.flat), np.bool_)
        follows[1:] = self.same[-1][:-1]
        there = self.flat != 0
        starts = there & ~follows
        first, last = np.flatnonzero(starts), np.flatnonzero(there & ~self.same[-1])
        run, runs = np.cumsum(starts, dtype=np.int32), len(first)
        run -= 1
        joined = []
        for across in range(-len(self.directions[0]), -1):
            touch = self.same[across].copy()
            # Where the voxels before touch as well, the same two runs are joined already.
            touch[1:] &= ~(self.same[across][:-1] & follows[1:])
            place = np.flatnonzero(touch)
            joined.append((run[place], run[place + self.offsets[across]]))
        one, other = (np.concatenate(e) for e in zip(*joined, strict=True))
        graph = coo_array((np.ones(len(one), np.bool_), (one, other)), shape=(runs, runs))
        number, part_of = connected_components(graph, directed=False)
        sizes = np.bincount(part_of, weights=last - first + 1, minlength=number).astype(np.int64)
        value = np.zeros(number, self.flat.dtype)
        value[part_of] = self.flat[first]
        ends_at = np.cumsum(np.bincount(value, minlength=count))
        return np.split(sizes[np.argsort(value, kind="stable")], ends_at[:-1])
