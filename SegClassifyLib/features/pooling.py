"""From feature maps to one vector a case: mean and spread over the image and inside each label, mean round it.

All sums are taken on each tap's own grid, never finer than two voxels of the model grid, with the network's own
label probabilities as weights. Soft weights keep an empty label well defined: its mean falls back to the mean over
the image, gradually. A windowed run adds its windows up here, so that pooling over windows is pooling over the
whole map put together from them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

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
        import torch

        fine = tuple(max(1, -(-n // FINEST)) for n in image.shape[1:])
        # Averaging logits before the softmax costs an eighth and differs only along label borders.
        probabilities = torch.softmax(average(logits.float(), fine), 0)
        self._add_confidence(probabilities, _coverage(image.shape[1:], fine, core, valid))
        grids: dict[tuple[int, ...], _Regions] = {}
        for name, values in ((IMAGE_TAP, image), *((t.name, taps[t.name]) for t in self.taps)):
            shape = tuple(min(a, b) for a, b in zip(values.shape[1:], fine, strict=True))
            if shape not in grids:
                coverage = _coverage(image.shape[1:], shape, core, valid).to(image.device)
                grids[shape] = _Regions.of(average(probabilities, shape), coverage)
            voxels = float(np.prod(image.shape[1:]) / np.prod(shape))
            self._add_tap(name, average(values.float(), shape), grids[shape], voxels)

    def _add_tap(self, name: str, values: torch.Tensor, regions: _Regions, voxels: float) -> None:
        flat = values.flatten(1)
        covered = flat * regions.coverage
        weighted = regions.sums(covered).double().cpu()
        squares = regions.sums_in_labels(covered * flat).double().cpu()
        weight = regions.sums(regions.coverage[None])[:, 0].double().cpu()
        if name in self._sums:
            sums = self._sums[name]
            weighted, weight, squares = sums.weighted + weighted, sums.weight + weight, sums.squares + squares
        self._sums[name] = _Sums(weighted, weight, squares, voxels)

    def _add_confidence(self, probabilities: torch.Tensor, coverage: torch.Tensor) -> None:
        import torch

        p = probabilities.flatten(1)
        w = coverage.to(p.device).flatten()
        rows = [p @ w, (p * p) @ w, (p * (w > 0)).amax(1), w.sum().expand(len(p))]
        self._confidence.append(torch.stack(rows).double().cpu())

    def names(self) -> tuple[FeatureName, ...]:
        """Of the numbers that :meth:`vector` gives, in its order."""
        return pooled_names(tuple(self.taps), self.channels, tuple(self.labels))

    def tensor(self) -> torch.Tensor:
        """``(F,)`` float64: everything added so far; gradients flow where they were recorded."""
        import torch

        parts = []
        for name in (IMAGE_TAP, *(t.name for t in self.taps)):
            sums = self._sums[name]
            total = sums.weight[0].clamp(min=1e-12)
            mean = sums.weighted[0] / total
            prior = PRIOR_VOXELS / sums.voxels
            square = sums.squares[0] / total
            weight = sums.weight[1:, None] + prior
            inside = (sums.weighted[1:] + prior * mean) / weight
            described = slice(1, len(self.labels))
            spread = (sums.squares[1:] + prior * square) / weight[described] - inside[described] ** 2
            parts += [mean, _root(square - mean**2), inside.flatten(), _root(spread).flatten()]
        stacked = torch.stack(self._confidence)
        mass, squares, total = stacked[:, 0].sum(0), stacked[:, 1].sum(0), stacked[:, 3].sum(0)
        parts += [mass / total, stacked[:, 2].amax(0), squares / mass.clamp(min=1e-12)]
        return torch.cat(parts)

    def vector(self) -> np.ndarray:
        """``(F,)`` float32: everything added so far."""
        return self.tensor().detach().float().numpy()


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


def _coverage(
    window: Sequence[int], shape: Sequence[int], core: tuple[slice, ...], valid: tuple[slice, ...]
) -> torch.Tensor:
    """``(*shape)`` share of each cell that lies in the window's core and inside the image."""
    import torch

    result = torch.ones(())
    for axis, (n, m) in enumerate(zip(window, shape, strict=True)):
        low, high = max(core[axis].start, valid[axis].start), min(core[axis].stop, valid[axis].stop)
        edges = torch.arange(m + 1, dtype=torch.float64) * (n / m)
        share = (edges[1:].clamp(max=high) - edges[:-1].clamp(min=low)).clamp(min=0) * (m / n)
        result = result[..., None] * share.float()
    return result


@dataclass(frozen=True)
class _Regions:
    """Where sums are taken, on one grid of V cells; no weight of a region and a cell is stored twice.

    Args:
        coverage: ``(V,)`` share of each cell inside the image.
        labels: ``(L, V)`` label probabilities.
        margins: ``(L - 1, V)``, of each label but background.
    """

    coverage: torch.Tensor
    labels: torch.Tensor
    margins: torch.Tensor

    @classmethod
    def of(cls, probabilities: torch.Tensor, coverage: torch.Tensor) -> _Regions:
        """From ``(L, *shape)`` and ``(*shape)``."""
        import torch

        together = max(1, _TOGETHER // coverage.numel())
        margins = torch.cat([_margins(part) for part in probabilities[1:].split(together)])
        return cls(coverage.flatten(), probabilities.flatten(1), margins.flatten(1))

    def sums(self, covered: torch.Tensor) -> torch.Tensor:
        """``(1 + L + L-1, C)`` sums of ``(C, V)`` over the image, each label and each margin."""
        import torch

        return torch.cat([covered.sum(1)[None], self.labels @ covered.T, self.margins @ covered.T])

    def sums_in_labels(self, covered: torch.Tensor) -> torch.Tensor:
        """``(L, C)`` sums of ``(C, V)`` over the image and each label but background."""
        import torch

        return torch.cat([covered.sum(1)[None], self.labels[1:] @ covered.T])


def _margins(foreground: torch.Tensor) -> torch.Tensor:
    """By how much the largest probability next to a cell exceeds its own, ``(L, *shape)``."""
    grown = foreground
    for axis in range(1, foreground.ndim):
        grown = _largest_of_three(grown, axis)
    return grown - foreground


def _largest_of_three(values: torch.Tensor, axis: int) -> torch.Tensor:
    """The largest of each value and its neighbours along ``axis``; torch's max pooling takes twenty times as long."""
    import torch

    size = values.shape[axis]
    if size == 1:
        return values
    pairs = torch.maximum(values.narrow(axis, 0, size - 1), values.narrow(axis, 1, size - 1))
    triples = torch.maximum(pairs.narrow(axis, 0, size - 2), pairs.narrow(axis, 1, size - 2))
    return torch.cat([pairs.narrow(axis, 0, 1), triples, pairs.narrow(axis, size - 2, 1)], axis)
