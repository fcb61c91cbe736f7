"""From feature maps to one vector a case: mean and spread over the image and inside each label, mean round it.

All sums are taken on each tap's own grid, never finer than two voxels of the model grid, with the network's own
label probabilities as weights. Soft weights keep an empty label well defined: its mean falls back to the mean over
the image, gradually. A windowed run adds its windows up here, so that pooling over windows is pooling over the
whole map put together from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from SegClassifyLib.features.spec import MARGIN, FeatureName, TapSpec

if TYPE_CHECKING:
    import torch

FINEST = 2
"""Taps finer than this many model voxels are averaged to it first: an eighth of the work in 3D, same means."""

PRIOR_VOXELS = 8.0
"""Weight, in model voxels, of the mean over the image in the mean inside a label."""

IMAGE_TAP = "image"
"""The network's input itself is pooled like a tap: grey values in and round each label."""


@dataclass
class _Sums:
    """Of one tap, over all windows so far: ``R`` regions (all, labels, margins) by ``C`` channels, float64."""

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

        ndim = image.ndim - 1
        fine = tuple(max(1, -(-n // FINEST)) for n in image.shape[1:])
        # Averaging logits before the softmax costs an eighth and differs only along label borders.
        probabilities = torch.softmax(average(logits.float(), fine), 0)
        self._add_confidence(probabilities, _coverage(image.shape[1:], fine, core, valid))
        grids: dict[tuple[int, ...], torch.Tensor] = {}
        for name, values in ((IMAGE_TAP, image), *((t.name, taps[t.name]) for t in self.taps)):
            shape = tuple(min(a, b) for a, b in zip(values.shape[1:], fine, strict=True))
            if shape not in grids:
                coverage = _coverage(image.shape[1:], shape, core, valid).to(image.device)
                grids[shape] = _regions(average(probabilities, shape), coverage, ndim)
            voxels = float(np.prod(image.shape[1:]) / np.prod(shape))
            self._add_tap(name, average(values.float(), shape), grids[shape], voxels)

    def _add_tap(self, name: str, values: torch.Tensor, regions: torch.Tensor, voxels: float) -> None:
        flat, weights = values.flatten(1), regions.flatten(1)
        weighted = (weights @ flat.T).double().cpu()
        squares = (weights @ (flat * flat).T).double().cpu()
        weight = weights.sum(1).double().cpu()
        if name in self._sums:
            sums = self._sums[name]
            weighted, weight, squares = sums.weighted + weighted, sums.weight + weight, sums.squares + squares
        self._sums[name] = _Sums(weighted, weight, squares, voxels)

    def _add_confidence(self, probabilities: torch.Tensor, coverage: torch.Tensor) -> None:
        import torch

        p = probabilities.flatten(1)
        w = coverage.to(p.device).flatten()[None]
        rows = [(p * w).sum(1), (p * p * w).sum(1), (p * (w > 0)).amax(1), w.sum().expand(len(p))]
        self._confidence.append(torch.stack(rows).double().cpu())

    def names(self) -> tuple[FeatureName, ...]:
        """Of the numbers that :meth:`vector` gives, in its order."""
        return pooled_names(self.taps, self.channels, self.labels)

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
            # Background and margins have no spread of their own: rows 1 to L-1 are the other labels.
            last = len(self.labels)
            spread = ((sums.squares[1:] + prior * square) / weight - inside**2)[1:last]
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


def pooled_names(taps: Sequence[TapSpec], channels: int, labels: Sequence[str]) -> tuple[FeatureName, ...]:
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
    import torch.nn.functional as F

    if tuple(values.shape[1:]) == tuple(shape):
        return values
    steps = [n // m for n, m in zip(values.shape[1:], shape, strict=True)]
    even = all(n == m * s for n, m, s in zip(values.shape[1:], shape, steps, strict=True))
    if len(shape) == 3:
        if even:
            return F.avg_pool3d(values[None], steps)[0]
        return F.adaptive_avg_pool3d(values[None], shape)[0]
    if even:
        return F.avg_pool2d(values[None], steps)[0]
    return F.adaptive_avg_pool2d(values[None], (shape[0], shape[1]))[0]


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


def _regions(probabilities: torch.Tensor, coverage: torch.Tensor, ndim: int) -> torch.Tensor:
    """``(1 + L + L-1, *shape)`` weights: the image, each label, the margin of each label but background."""
    import torch
    import torch.nn.functional as F

    foreground = probabilities[1:]
    grown = foreground[None]
    for axis in range(ndim):
        kernel = [1] * ndim
        kernel[axis] = 3
        pad = [k // 2 for k in kernel]
        pool = F.max_pool3d if ndim == 3 else F.max_pool2d
        grown = pool(grown, kernel, stride=1, padding=pad)
    margin = grown[0] - foreground
    return torch.cat([coverage[None], probabilities * coverage, margin * coverage])
