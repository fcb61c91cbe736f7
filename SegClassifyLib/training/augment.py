"""Random variation of training patches: one warp (rotation, scale, elastic) when cutting, then grey values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from SegClassifyLib.training.settings import AugmentationSettings


def random_warp(
    settings: AugmentationSettings, ndim: int, spacing: Sequence[float], rng: np.random.Generator
) -> np.ndarray | None:
    """A random rotation and scaling, or ``None`` for a patch that is only cut out.

    Args:
        settings: ranges.
        ndim: 2 or 3.
        spacing: mm along the array axes (D, H, W) or (H, W): rotations are rigid in millimetres.
        rng: where chance comes from.

    Returns:
        ``(ndim, ndim)`` matrix from patch offsets to image offsets, both in voxels and array order.
    """
    if settings.strength == 0 or rng.random() >= settings.spatial_share:
        return None
    turn = np.eye(ndim)
    for a in range(ndim):
        for b in range(a + 1, ndim):
            angle = math.radians(settings.rotation) * settings.strength * rng.uniform(-1, 1)
            plane = np.eye(ndim)
            plane[[a, b], [a, b]] = math.cos(angle)
            plane[a, b], plane[b, a] = -math.sin(angle), math.sin(angle)
            turn = turn @ plane
    scale = np.exp(math.log1p(settings.scaling) * settings.strength * rng.uniform(-1, 1, size=ndim) * 0.5)
    scale *= math.exp(math.log1p(settings.scaling) * settings.strength * rng.uniform(-1, 1))
    to_mm = np.diag(spacing)
    return np.asarray(np.linalg.inv(to_mm) @ turn @ np.diag(scale) @ to_mm)


def cut(
    image: Tensor, labels: Tensor, centre: Sequence[float], size: Sequence[int], floor: Tensor | None
) -> tuple[Tensor, Tensor]:
    """A patch of ``size`` voxels round ``centre``, padded where it reaches outside.

    Args:
        image: ``(C, *spatial)`` float32.
        labels: ``(*spatial)`` uint8.
        centre: voxel position, array order.
        size: array order.
        floor: ``(C,)`` grey values for the outside, with background; ``None`` repeats the nearest voxel.

    Returns:
        Patch ``(C, *size)`` float32 and labels ``(*size)`` uint8, both new memory.
    """
    starts = [round(c - (n - 1) / 2) for c, n in zip(centre, size, strict=True)]
    if floor is None:
        for axis, (start, n) in enumerate(zip(starts, size, strict=True)):
            index = torch.arange(start, start + n).clamp_(0, labels.shape[axis] - 1)
            image, labels = image.index_select(axis + 1, index), labels.index_select(axis, index)
        return image, labels
    inside, target = [], []
    for start, n, extent in zip(starts, size, labels.shape, strict=True):
        low, high = min(max(start, 0), extent), max(min(start + n, extent), 0)
        inside.append(slice(low, high))
        target.append(slice(low - start, high - start))
    patch = floor.view(-1, *[1] * len(size)).repeat(1, *size)
    patch[(slice(None), *target)] = image[(slice(None), *inside)]
    patch_labels = labels.new_zeros(tuple(size))
    patch_labels[tuple(target)] = labels[tuple(inside)]
    return patch, patch_labels


def cut_warped(
    image: Tensor,
    labels: Tensor,
    centre: Sequence[float],
    size: Sequence[int],
    floor: Tensor | None,
    matrix: np.ndarray,
    elastic: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """As :func:`cut`, through ``matrix`` and a displacement: the image linearly, labels by the nearest voxel.

    Args:
        matrix: patch offsets to image offsets in voxels, array order.
        elastic: ``(ndim, *coarse)`` displacements in voxels, array order, spread smoothly over the patch.
    """
    ndim = labels.ndim
    where = _positions(centre, size, matrix)
    if elastic is not None:
        mode = "trilinear" if ndim == 3 else "bicubic"
        field = F.interpolate(elastic[None], size=tuple(size), mode=mode, align_corners=True)[0]
        where = [position + shift for position, shift in zip(where, field, strict=True)]
    # grid_sample wants -1 … 1 from the first voxel's centre to the last one's, and x first.
    grid = torch.stack(
        [w * (2 / max(n - 1, 1)) - 1 for w, n in zip(where[::-1], labels.shape[::-1], strict=True)], dim=-1
    )
    patch = F.grid_sample(
        image[None], grid[None], mode="bilinear", padding_mode="border", align_corners=True
    )[0]
    # By index, because grid_sample would need a float copy of the whole label map.
    nearest = [w.round().clamp_(0, n - 1).long() for w, n in zip(where, labels.shape, strict=True)]
    mask = labels[tuple(nearest)]
    if floor is not None:
        outside = torch.zeros(tuple(size), dtype=torch.bool)
        for position, n in zip(where, labels.shape, strict=True):
            outside |= (position < -0.5) | (position > n - 0.5)
        patch = torch.where(outside, floor.view(-1, *[1] * ndim), patch)
        mask.masked_fill_(outside, 0)
    return patch, mask


def _positions(centre: Sequence[float], size: Sequence[int], matrix: np.ndarray) -> list[Tensor]:
    """Image position of every patch voxel: one tensor ``(*size)`` float32 for each image axis, in voxels."""
    offsets = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in size]
    found = []
    for middle, row in zip(centre, matrix, strict=True):
        position = torch.full((1,) * len(size), float(middle))
        for axis, (offset, factor) in enumerate(zip(offsets, row, strict=True)):
            position = position + (offset * float(factor)).view(
                [-1 if i == axis else 1 for i in range(len(size))]
            )
        found.append(position)
    return found


def random_elastic(
    settings: AugmentationSettings, size: Sequence[int], generator: torch.Generator
) -> Tensor | None:
    """Displacements ``(ndim, 4, …)`` float32 in voxels for :func:`cut_warped`."""
    if settings.elastic * settings.strength == 0:
        return None
    amplitude = settings.elastic * settings.strength * torch.tensor([float(n) for n in size])
    field = torch.randn(len(size), *[5 if n > 8 else 2 for n in size], generator=generator).clamp_(-2, 2)
    return field * amplitude.view(-1, *[1] * len(size))


def flip(
    image: Tensor, labels: Tensor, axes: Sequence[str], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Mirror ``(C, *spatial)`` and ``(*spatial)`` along each of ``axes`` ("x" is the last one) with chance ½."""
    drawn = rng.random(3) < 0.5
    chosen = [-1 - i for i, a in enumerate("xyz"[: labels.ndim]) if a in axes and drawn[i]]
    return (image.flip(chosen), labels.flip(chosen)) if chosen else (image, labels)


def vary_intensity(
    image: Tensor, settings: AugmentationSettings, rng: np.random.Generator, generator: torch.Generator
) -> Tensor:
    """Change the grey values of a patch ``(C, *spatial)`` float32 that nobody else holds; may work in place."""
    if settings.strength == 0:
        return image
    drawn = rng.random(6) < settings.intensity_share
    amount = rng.uniform(-1, 1, size=6) * settings.strength
    axes = tuple(range(1, image.ndim))
    spread = image.std(dim=axes, keepdim=True).clamp_min(1e-6)
    if drawn[0]:
        mean = image.mean(dim=axes, keepdim=True)
        image.sub_(mean).mul_(math.exp(0.25 * amount[0])).add_(mean + 0.2 * float(rng.normal()) * spread)
    if drawn[1]:
        low, high = image.amin(dim=axes, keepdim=True), image.amax(dim=axes, keepdim=True)
        extent = (high - low).clamp_min(1e-6)
        image = ((image - low) / extent).clamp_(0, 1).pow_(math.exp(0.4 * amount[1])).mul_(extent).add_(low)
    if drawn[2]:
        image = _blur(image, 0.25 * min(1.0, abs(amount[2])))
    if drawn[3]:
        image = _low_resolution(image, 1 / (1 + abs(amount[3])))
    if drawn[4]:
        field = torch.randn(
            1, image.shape[0], *[3 if n > 4 else 1 for n in image.shape[1:]], generator=generator
        )
        mode = "trilinear" if image.ndim == 4 else "bilinear"
        smooth = F.interpolate(field, size=tuple(image.shape[1:]), mode=mode, align_corners=True)[0]
        image = image + smooth * spread * (0.25 * abs(amount[4]))
    if drawn[5]:
        image = image + torch.randn(image.shape, generator=generator) * spread * (0.2 * abs(amount[5]))
    return image


def _blur(image: Tensor, side: float) -> Tensor:
    """Three-point smoothing along every axis with weights ``side, 1 - 2 side, side``; ends are left."""
    for axis in range(1, image.ndim):
        n = image.shape[axis]
        if n < 3:
            continue
        out = image.clone()
        middle = out.narrow(axis, 1, n - 2)
        middle.mul_(1 - 2 * side).add_(image.narrow(axis, 0, n - 2), alpha=side)
        middle.add_(image.narrow(axis, 2, n - 2), alpha=side)
        image = out
    return image


def _low_resolution(image: Tensor, factor: float) -> Tensor:
    """Sample down to ``factor`` of the voxels along each axis, and up again."""
    small = [max(1, round(n * factor)) for n in image.shape[1:]]
    mode = "trilinear" if image.ndim == 4 else "bilinear"
    coarse = F.interpolate(image[None], size=small, mode="nearest-exact")
    return F.interpolate(coarse, size=tuple(image.shape[1:]), mode=mode)[0]
