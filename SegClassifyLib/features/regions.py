"""Where pooling takes its sums: the whole image, each label, and the margin of each label but background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_TOGETHER = 1 << 18
"""Values worked on at once, where channels do not depend on each other: what a processor's own memory holds."""


def coverage_of(
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
class Regions:
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
    def of(cls, probabilities: torch.Tensor, coverage: torch.Tensor) -> Regions:
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
