"""The exact split of pooled features over the cells they were pooled from.

A mean is a sum over cells. A spread is the root of a weighted sum of squared deviations, so each cell has its share
``(x - mean)² / spread`` of it. What a feature is compared with is subtracted in every cell with the cell's own weight.
Peaks are not split: one cell has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from SegClassifyLib.evidence.direction import Direction
from SegClassifyLib.evidence.layers import Canvas, Layer
from SegClassifyLib.features.pooling import (
    FINEST,
    IMAGE_TAP,
    Cells,
    LabelMoments,
    Moments,
    Pooler,
    fine_probabilities,
    pooled_cells,
)
from SegClassifyLib.features.regions import Regions
from SegClassifyLib.features.spec import FeatureName, TapSpec
from SegClassifyLib.inference.sweep import Seen

PROBABILITY = "probability"
"""Source of the features of the label probabilities themselves."""

_PEAK = "peak"
"""Statistic of a label's largest probability."""

_TOGETHER = 1 << 15
"""Cells worked on at once, in double precision."""

_STILL = 1e-12
"""A variance below this part of the mean square is none: rounding of the tap's own values."""


@dataclass(frozen=True)
class _Terms:
    """One tap's contributions as two matrix products; rows are its regions and statistics, in pooling's order.

    Args:
        linear: ``(3L, C)`` times x.
        square: ``(L, C)`` times x², added to the rows of the spreads.
        constant: ``(3L,)``: makes each row add up to what its features contribute.
        moments: of the tap.
    """

    linear: torch.Tensor
    square: torch.Tensor
    constant: torch.Tensor
    moments: Moments

    @classmethod
    def of(cls, weight: np.ndarray, contribution: np.ndarray, moments: Moments, labels: int) -> _Terms:
        """From the weights and contributions ``(3L * C,)`` of the tap's features."""
        channels = len(moments.mean)
        linear = torch.from_numpy(weight.reshape(-1, channels).copy())
        wanted = torch.from_numpy(contribution.reshape(-1, channels)).sum(1)
        spreads = [1, *range(2 * labels + 1, 3 * labels)]
        means = [0, *range(2, 2 * labels + 1)]
        mean = torch.cat([moments.mean[None], moments.inside[1:labels]])
        variance = torch.cat([(moments.square - moments.mean**2)[None], moments.variance])
        # Where nothing varies there is nothing to share out, and every cell gets the same.
        varies = variance > _STILL * (variance + mean**2) + torch.finfo(torch.float32).tiny
        square = torch.where(varies, linear[spreads] / variance.clamp(min=0).sqrt(), 0.0)
        linear[spreads] = -2 * square * mean
        found = torch.zeros_like(wanted)
        found[means] = (linear[means] * torch.cat([moments.mean[None], moments.inside])).sum(1)
        found[spreads] = (square * (variance + mean**2) + linear[spreads] * mean).sum(1)
        return cls(linear, square, wanted - found, moments)

    def __call__(self, values: torch.Tensor, regions: Regions) -> torch.Tensor:
        """``(V,)`` float64 contributions of cells ``(C, V)``."""
        labels, moments = len(self.square), self.moments
        scores = self.linear @ values + self.constant[:, None]
        of_squares = self.square @ values**2
        scores[1] += of_squares[0]
        scores[2 * labels + 1 :] += of_squares[1:]
        own = torch.cat([regions.labels, regions.margins]) + moments.prior / moments.total
        own /= moments.weight[:, None]
        sums = (scores[0] + scores[1]) / moments.total + (own * scores[2 : 2 * labels + 1]).sum(0)
        sums += (own[1:labels] * scores[2 * labels + 1 :]).sum(0)
        return regions.coverage * sums


@dataclass
class PooledEvidence:
    """Adds up, window by window, what every cell contributes to some directions.

    Args:
        pooler: everything of the same image added to it by :func:`add_precisely`.
        directions: what is asked; nothing of peaks.
        grid: shape of the model grid.
    """

    pooler: Pooler
    directions: Sequence[Direction]
    grid: tuple[int, ...]
    _columns: dict[str, slice] = field(default_factory=dict)
    _terms: dict[str, list[_Terms | None]] = field(default_factory=dict)
    _canvases: dict[tuple[int, str], Canvas] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = self.pooler.names()
        if self.directions[0].names[: len(names)] != names:
            raise ValueError("the directions are not those of this pooler's features")
        peaks = np.asarray([is_peak(n) for n in names])
        if any(asked.weight[: len(names)][peaks].any() for asked in self.directions):
            raise ValueError("a peak is not split over cells")
        first = 0
        for source in (IMAGE_TAP, *(t.name for t in self.pooler.taps), PROBABILITY):
            count = sum(1 for n in names if n.source == source)
            self._columns[source] = slice(first, first + count)
            first += count
        self._label_moments: LabelMoments = self.pooler.label_moments()
        for source in (IMAGE_TAP, *(t.name for t in self.pooler.taps)):
            self._terms[source] = [self._terms_of(source, d) for d in self.directions]
        for number, asked in enumerate(self.directions):
            for source, columns in self._columns.items():
                if asked.weight[columns].any():
                    block = _block(self.pooler.taps, source, len(self.grid))
                    self._canvases[number, source] = Canvas(source, self.grid, block)

    def add(self, seen: Seen) -> None:
        """Take in one window, the same as the pooler took."""
        core = seen.window.core_inside
        probabilities, coverage = fine_probabilities(seen.image.shape[1:], seen.logits, core, seen.valid)
        for cells in pooled_cells(seen.image, seen.taps, self.pooler.taps, probabilities, core, seen.valid):
            if any(term is not None for term in self._terms[cells.name]):
                self._add_tap(cells, seen.window.whole)
        self._add_probabilities(probabilities.cpu().double(), coverage.cpu().double(), seen.window.whole)

    def layers(self) -> list[tuple[Layer, ...]]:
        """For each direction what every source contributes."""
        return [
            tuple(canvas.layer() for (n, _), canvas in self._canvases.items() if n == number)
            for number in range(len(self.directions))
        ]

    def _terms_of(self, source: str, asked: Direction) -> _Terms | None:
        columns = self._columns[source]
        weight = asked.weight[columns]
        if not weight.any():
            return None
        moments = self.pooler.moments(source)
        return _Terms.of(weight, asked.contribution[columns], moments, len(self.pooler.labels))

    def _add_tap(self, cells: Cells, whole: tuple[slice, ...]) -> None:
        shape, terms = cells.values.shape[1:], self._terms[cells.name]
        parts: list[list[np.ndarray]] = [[] for _ in terms]
        for part in _in_doubles(cells):
            for found, term in zip(parts, terms, strict=True):
                if term is not None:
                    found.append(term(part.values, part.regions).float().numpy())
        for number, found in enumerate(parts):
            if found:
                self._canvases[number, cells.name].add(np.concatenate(found).reshape(shape), whole)

    def _add_probabilities(
        self, probabilities: torch.Tensor, coverage: torch.Tensor, whole: tuple[slice, ...]
    ) -> None:
        """Share and confidence."""
        moments, labels = self._label_moments, len(self.pooler.labels)
        for number, asked in enumerate(self.directions):
            if (number, PROBABILITY) not in self._canvases:
                continue
            weight, wanted = (
                torch.from_numpy(v[self._columns[PROBABILITY]].reshape(3, labels))
                for v in (asked.weight, asked.contribution)
            )
            mass = moments.mass.clamp(min=_STILL)
            share, sure = weight[0] / moments.total, weight[2] / mass
            wide = (labels, *(1,) * coverage.ndim)
            # What a feature is compared with is subtracted in every cell with the cell's own weight.
            rest = (wanted[0] - share * moments.mass) / moments.total
            rest_sure = (wanted[2] - sure * moments.squares) / mass
            found = (share + rest_sure).view(wide) * probabilities + sure.view(wide) * probabilities**2
            found = coverage * (found.sum(0) + rest.sum())
            self._canvases[number, PROBABILITY].add(found.float().numpy(), whole)


def is_peak(name: FeatureName) -> bool:
    """Whether a feature is a label's largest probability, which one cell has and no map shows."""
    return name.source == PROBABILITY and name.statistic == _PEAK


def add_precisely(pooler: Pooler, seen: Seen) -> None:
    """Add a window to a pooler in double precision, in which spreads are more than what rounding leaves of them."""
    core = seen.window.core_inside
    probabilities, coverage = fine_probabilities(seen.image.shape[1:], seen.logits, core, seen.valid)
    pooler.add_labels(probabilities.cpu().double(), coverage.cpu().double())
    for cells in pooled_cells(seen.image, seen.taps, pooler.taps, probabilities, core, seen.valid):
        for part in _in_doubles(cells):
            pooler.add_cells(part)


def _in_doubles(cells: Cells) -> Iterator[Cells]:
    """A tap's cells on the CPU in double precision, ``(C, V)``, a few at a time."""
    flat, regions = cells.values.flatten(1), cells.regions
    for start in range(0, flat.shape[1], _TOGETHER):
        part = slice(start, start + _TOGETHER)
        weights = Regions(
            regions.coverage[part].cpu().double(),
            regions.labels[:, part].cpu().double(),
            regions.margins[:, part].cpu().double(),
        )
        yield Cells(cells.name, flat[:, part].cpu().double(), weights, cells.voxels)


def _block(taps: Sequence[TapSpec], source: str, ndim: int) -> tuple[int, ...]:
    """Voxels in a cell of a source."""
    reduction = next((t.reduction for t in taps if t.name == source), (1,) * ndim)
    return tuple(max(FINEST, r) for r in reduction)
