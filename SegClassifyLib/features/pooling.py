"""From feature maps to one vector a case: mean and spread over the image and inside each label, mean round it.

All sums are taken on each tap's own grid, never finer than two voxels of the model grid, with the network's own
label probabilities as weights. Soft weights keep an empty label well defined: its mean falls back to the mean over
the image, gradually. A windowed run adds its windows up here, so that pooling over windows is pooling over the
whole map put together from them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from SegClassifyLib.features.regions import Regions, coverage_of
from SegClassifyLib.features.spec import MARGIN, FeatureName, TapSpec

if TYPE_CHECKING:
    import torch

FINEST = 2
"""Taps finer than this many model voxels are averaged to it first: an eighth of the work in 3D, same means."""

_TOGETHER = 1 << 18
"""Values worked on at once, where channels do not depend on each other: what a processor's own memory holds."""

PRIOR_VOXELS = 8.0
"""Weight, in model voxels, of the mean over the image in the mean inside a label."""

IMAGE_TAP = "image"
"""The network's input itself is pooled like a tap: grey values in and round each label."""


@dataclass(frozen=True)
class Cells:
    """One tap in one window, at the resolution it is pooled at.

    Args:
        name: of the tap.
        values: ``(C, *cells)`` float32.
        regions: weights of the cells.
        voxels: model voxels in one cell.
    """

    name: str
    values: torch.Tensor
    regions: Regions
    voxels: float


@dataclass(frozen=True)
class Moments:
    """Of one tap over everything added, float64, gradients included.

    Args:
        total: cells inside the image.
        prior: weight of the whole image in every label and margin, in cells.
        weight: ``(R,)`` of labels and margins, the prior included.
        mean: ``(C,)`` over the image.
        square: ``(C,)`` mean square over the image.
        inside: ``(R, C)`` means of labels and margins.
        variance: ``(L - 1, C)`` in labels but background.
    """

    total: torch.Tensor
    prior: float
    weight: torch.Tensor
    mean: torch.Tensor
    square: torch.Tensor
    inside: torch.Tensor
    variance: torch.Tensor


@dataclass(frozen=True)
class LabelMoments:
    """Of the label probabilities over everything added, ``(L,)`` float64 each: cells, their sums, squares, largest."""

    total: torch.Tensor
    mass: torch.Tensor
    squares: torch.Tensor
    peak: torch.Tensor


@dataclass
class _Sums:
    """Of one tap, over all windows so far, float64.

    Args:
        weighted: ``(R, C)`` sums over the regions: all, labels, margins.
        weight: ``(R,)``.
        squares: ``(L, C)`` sums of squares over all and over the labels but background.
        voxels: model voxels in one cell.
    """

    weighted: torch.Tensor
    weight: torch.Tensor
    squares: torch.Tensor
    voxels: float


@dataclass
class Pooler:
    """Adds up tap outputs window by window, then gives the feature vector.

    Args:
        taps: what is read, in order.
        channels: number of image channels.
        labels: names of the network's output channels, background first.
    """

    taps: Sequence[TapSpec]
    channels: int
    labels: Sequence[str]
    _sums: dict[str, _Sums] = field(default_factory=dict)
    _confidence: list[torch.Tensor] = field(default_factory=list)

    def add(
        self,
        image: torch.Tensor,
        taps: dict[str, torch.Tensor],
        logits: torch.Tensor,
        core: tuple[slice, ...],
        valid: tuple[slice, ...],
    ) -> None:
        """Take in one window.

        Args:
            image: ``(C, *window)`` network input.
            taps: ``(C, *reduced window)`` by tap name.
            logits: ``(L, *window)``.
            core: the part of the window, in voxels, that this window answers for.
            valid: the part of the window that holds image, not padding.
        """
        probabilities, coverage = fine_probabilities(image.shape[1:], logits, core, valid)
        self.add_labels(probabilities, coverage)
        for cells in pooled_cells(image, taps, self.taps, probabilities, core, valid):
            self.add_cells(cells)

    def add_cells(self, cells: Cells) -> None:
        """Take in one tap's part of a window; sums are made in the precision of its values."""
        name, flat, regions, voxels = cells.name, cells.values.flatten(1), cells.regions, cells.voxels
        covered = flat * regions.coverage
        weighted = regions.sums(covered).double().cpu()
        squares = regions.sums_in_labels(covered * flat).double().cpu()
        weight = regions.sums(regions.coverage[None])[:, 0].double().cpu()
        if name in self._sums:
            sums = self._sums[name]
            weighted, weight, squares = sums.weighted + weighted, sums.weight + weight, sums.squares + squares
        self._sums[name] = _Sums(weighted, weight, squares, voxels)

    def add_labels(self, probabilities: torch.Tensor, coverage: torch.Tensor) -> None:
        """Take in one window's label probabilities ``(L, *fine)`` and their coverage ``(*fine)``."""
        import torch

        p = probabilities.flatten(1)
        w = coverage.to(p.device).flatten()
        rows = [p @ w, (p * p) @ w, (p * (w > 0)).amax(1), w.sum().expand(len(p))]
        self._confidence.append(torch.stack(rows).double().cpu())

    def names(self) -> tuple[FeatureName, ...]:
        """Of the numbers that :meth:`vector` gives, in its order."""
        return pooled_names(tuple(self.taps), self.channels, tuple(self.labels))

    def moments(self, name: str) -> Moments:
        """What the features of the tap ``name`` are made of."""
        sums = self._sums[name]
        total = sums.weight[0].clamp(min=1e-12)
        mean, square = sums.weighted[0] / total, sums.squares[0] / total
        prior = PRIOR_VOXELS / sums.voxels
        weight = sums.weight[1:] + prior
        inside = (sums.weighted[1:] + prior * mean) / weight[:, None]
        described = slice(1, len(self.labels))
        second = (sums.squares[1:] + prior * square) / weight[described, None]
        return Moments(total, prior, weight, mean, square, inside, second - inside[described] ** 2)

    def label_moments(self) -> LabelMoments:
        """What the features of the label probabilities are made of."""
        import torch

        stacked = torch.stack(self._confidence)
        mass, squares, total = stacked[:, 0].sum(0), stacked[:, 1].sum(0), stacked[:, 3].sum(0)
        return LabelMoments(total, mass, squares, stacked[:, 2].amax(0))

    def tensor(self) -> torch.Tensor:
        """``(F,)`` float64: everything added so far; gradients flow where they were recorded."""
        import torch

        parts = []
        for name in (IMAGE_TAP, *(t.name for t in self.taps)):
            found = self.moments(name)
            spread = _root(found.square - found.mean**2)
            parts += [found.mean, spread, found.inside.flatten(), _root(found.variance).flatten()]
        label = self.label_moments()
        parts += [label.mass / label.total, label.peak, label.squares / label.mass.clamp(min=1e-12)]
        return torch.cat(parts)

    def vector(self) -> np.ndarray:
        """``(F,)`` float32: everything added so far."""
        return self.tensor().detach().float().numpy()


def fine_probabilities(
    window: Sequence[int], logits: torch.Tensor, core: tuple[slice, ...], valid: tuple[slice, ...]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Label probabilities ``(L, *fine)`` on the finest grid that is pooled on, and its coverage ``(*fine)``."""
    import torch

    fine = tuple(max(1, -(-n // FINEST)) for n in window)
    # Averaging logits before the softmax costs an eighth and differs only along label borders.
    return torch.softmax(average(logits.float(), fine), 0), coverage_of(window, fine, core, valid)


def pooled_cells(
    image: torch.Tensor,
    values: dict[str, torch.Tensor],
    taps: Sequence[TapSpec],
    probabilities: torch.Tensor,
    core: tuple[slice, ...],
    valid: tuple[slice, ...],
) -> Iterator[Cells]:
    """The image and every tap of one window with the weights that they are pooled with, one after another.

    Args:
        image: ``(C, *window)`` network input.
        values: ``(C, *reduced window)`` by tap name.
        taps: in which order.
        probabilities: as :func:`fine_probabilities` gives them.
        core, valid: as for :meth:`Pooler.add`.
    """
    window, fine = image.shape[1:], probabilities.shape[1:]
    grids: dict[tuple[int, ...], Regions] = {}
    for name, read in ((IMAGE_TAP, image), *((t.name, values[t.name]) for t in taps)):
        shape = tuple(min(a, b) for a, b in zip(read.shape[1:], fine, strict=True))
        if shape not in grids:
            coverage = coverage_of(window, shape, core, valid).to(image.device)
            grids[shape] = Regions.of(average(probabilities, shape), coverage)
        yield Cells(name, average(read.float(), shape), grids[shape], math.prod(window) / math.prod(shape))


def reduce_tap(tap: TapSpec, values: torch.Tensor) -> torch.Tensor:
    """A tap's output ``(B, C, *spatial)`` at the resolution it is pooled at: for a reader to keep no more than that."""
    import torch

    shape = tuple(-(-n * r // max(r, FINEST)) for n, r in zip(values.shape[2:], tap.reduction, strict=True))
    if shape == tuple(values.shape[2:]):
        return values
    return torch.stack([average(v.float(), shape) for v in values])


@lru_cache(maxsize=8)
def pooled_names(
    taps: tuple[TapSpec, ...], channels: int, labels: tuple[str, ...]
) -> tuple[FeatureName, ...]:
    """Names of a pooled vector, in order.

    Tap by tap: mean and spread over the image, mean inside each label, mean in the margin of each but background,
    spread inside each but background.
    """
    names: list[FeatureName] = []
    for source, count in ((IMAGE_TAP, channels), *((t.name, t.channels) for t in taps)):
        for region, statistic in (
            ("all", "mean"),
            ("all", "spread"),
            *((r, "mean") for r in _region_names(labels)),
            *((label, "spread") for label in labels[1:]),
        ):
            names += [FeatureName(source, region, statistic, c) for c in range(count)]
    for statistic in ("share", "peak", "confidence"):
        names += [FeatureName("probability", label, statistic) for label in labels]
    return tuple(names)


def _root(variance: torch.Tensor) -> torch.Tensor:
    return variance.clamp(min=1e-12).sqrt()


def _region_names(labels: Sequence[str]) -> list[str]:
    return [*labels, *(f"{MARGIN}{label}" for label in labels[1:])]


def average(values: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Mean over blocks: ``(C, *any)`` to ``(C, *shape)``."""
    import torch
    import torch.nn.functional as F

    if tuple(values.shape[1:]) == tuple(shape):
        return values
    steps = [n // m for n, m in zip(values.shape[1:], shape, strict=True)]
    if any(n != m * s for n, m, s in zip(values.shape[1:], shape, steps, strict=True)):
        if len(shape) == 3:
            return F.adaptive_avg_pool3d(values[None], shape)[0]
        return F.adaptive_avg_pool2d(values[None], (shape[0], shape[1]))[0]
    # A few channels at a time, so that what lies between two axes stays small.
    together = max(1, _TOGETHER // values[0].numel())
    return torch.cat([_average_blocks(part, steps) for part in values.split(together)])


def _average_blocks(values: torch.Tensor, steps: Sequence[int]) -> torch.Tensor:
    """Axis by axis, the slowest first: sums of whole rows, several times as fast as torch's pooling on a CPU."""
    for axis, step in enumerate(steps, start=1):
        if step > 1:
            slices = values.unflatten(axis, (-1, step)).unbind(axis + 1)
            total = slices[0] + slices[1]
            for other in slices[2:]:
                total += other
            values = total
    return values * (1 / math.prod(steps))
