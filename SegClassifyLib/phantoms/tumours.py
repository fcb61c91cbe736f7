"""Three made-up tumours that differ in structure only: ring-enhancing, solid, infiltrating.

Place, size, outline, mean brightness and the oedema around are drawn the same way for all three, so that none of
them gives the type away. The infiltrating tumour is therefore as bright on average as the others, unlike in life.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.phantoms.anatomy import Anatomy, Tissue
from SegClassifyLib.phantoms.texture import rotation, smooth_noise, soft_step

TUMOURS = ("ring-enhancing", "solid", "infiltrating")
"""The types, as used for class names."""


@dataclass(frozen=True)
class Tumour:
    """One tumour on the grid of its head.

    Args:
        mask: ``(D, H, W)`` bool.
        cover: ``(D, H, W)`` float32, part of each voxel that is tumour tissue rather than what was there before.
        pattern: ``(D, H, W)`` float32, brightness inside: mean 0 over the mask, in units of white matter.
        contrast: mean brightness of the mask over white matter, in units of white matter.
        oedema: ``(D, H, W)`` float32, part of each voxel that is swollen white matter.
    """

    mask: np.ndarray
    cover: np.ndarray
    pattern: np.ndarray
    contrast: float
    oedema: np.ndarray


@dataclass(frozen=True)
class _Site:
    """Where a tumour grows: ``level`` (mm) is above 0 inside, and rises towards the middle up to ``radius``."""

    level: np.ndarray
    radius: float
    offset: np.ndarray


def grow_tumour(
    kind: str,
    rng: np.random.Generator,
    anatomy: Anatomy,
    points: np.ndarray,
    spacing: tuple[float, float, float],
) -> Tumour:
    """Grow one tumour in a head.

    Args:
        kind: one of :data:`TUMOURS`.
        rng: where its place, size and looks come from; what is drawn before the structure does not depend on kind.
        anatomy: the head.
        points: ``(3, D, H, W)`` voxel positions, mm, as :func:`~SegClassifyLib.phantoms.anatomy.make_anatomy` takes.
        spacing: voxel size along D, H, W, mm.
    """
    site = _choose_site(rng, anatomy, points, spacing)
    contrast = float(rng.uniform(0.24, 0.5))
    spread = float(rng.uniform(0.34, 0.52))
    oedema = _oedema(rng, site, anatomy, spacing)
    structure = {"ring-enhancing": _ring, "solid": _solid, "infiltrating": _infiltrating}[kind]
    cover, pattern, share = structure(rng, site, spacing)
    cover *= anatomy.depth > -1.5
    mask = site.level > 0
    pattern = pattern - pattern[mask].mean()
    pattern *= spread * share / max(float(pattern[mask].std()), 1e-6)
    return Tumour(mask, cover, pattern, contrast, oedema)


def _choose_site(
    rng: np.random.Generator, anatomy: Anatomy, points: np.ndarray, spacing: tuple[float, float, float]
) -> _Site:
    """A place in the cerebrum with room for a body of the drawn volume, and its outline."""
    shape = anatomy.depth.shape
    radius = float(rng.uniform(18, 26))
    roomy = (anatomy.depth > 0.6 * radius) & (np.abs(points[0]) > 0.5 * radius)
    if not roomy.any():
        roomy = anatomy.depth == anatomy.depth.max()
    centre = points[:, roomy][:, rng.integers(int(roomy.sum()))]
    offset = points - centre[:, None, None, None]
    turn = rotation(*rng.uniform(-90, 90, 3))
    stretch = np.exp(rng.uniform(-0.16, 0.16, 3))
    squeezed = np.tensordot((turn * stretch) @ turn.T, offset, axes=1).astype(np.float32)
    bumps = smooth_noise(rng, shape, spacing, 0.42 * radius)
    level = radius * (1 + rng.uniform(0.08, 0.26) * bumps) - np.sqrt((squeezed * squeezed).sum(axis=0))
    level = np.where(anatomy.depth > 1, level, np.minimum(level, anatomy.depth - 60))
    # the outline is moved until the volume is the drawn one, whatever the bumps and the skull took or gave
    voxels = max(8, round(4 / 3 * np.pi * radius**3 / float(np.prod(spacing))))
    threshold = np.partition(level, level.size - voxels - 1, axis=None)[level.size - voxels - 1]
    return _Site((level - threshold).astype(np.float32), radius, offset)


def _oedema(
    rng: np.random.Generator, site: _Site, anatomy: Anatomy, spacing: tuple[float, float, float]
) -> np.ndarray:
    """Swollen white matter around the tumour: none in some, a broad finger-like cuff in others."""
    reach = rng.uniform(-2, 16)
    fingers = smooth_noise(rng, site.level.shape, spacing, 7)
    cuff = soft_step(site.level + reach + 3 * fingers, 8)
    return np.asarray(cuff * anatomy.fractions[Tissue.WHITE] * float(rng.uniform(0.4, 1)), dtype=np.float32)


_Structure = tuple[np.ndarray, np.ndarray, float]


def _edge(site: _Site, spacing: tuple[float, float, float]) -> np.ndarray:
    return soft_step(site.level, float(np.mean(spacing)))


def _ring(rng: np.random.Generator, site: _Site, spacing: tuple[float, float, float]) -> _Structure:
    """A bright rim of uneven thickness round a dark core, now and then with a wall across it."""
    rim = np.clip(rng.uniform(0.24, 0.46), 1.0 * np.mean(spacing) / site.radius, 0.5) * site.radius
    uneven = 1 + 0.22 * smooth_noise(rng, site.level.shape, spacing, 0.5 * site.radius)
    core = soft_step(site.level - rim * uneven, float(np.mean(spacing)))
    if rng.random() < 0.3:
        normal = rotation(*rng.uniform(0, 360, 3))[0]
        wall = np.abs(np.tensordot(normal, site.offset, axes=1) - rng.uniform(-0.2, 0.2) * site.radius)
        core = core * soft_step(wall - 0.11 * site.radius, float(np.mean(spacing)))
    return _edge(site, spacing), -core.astype(np.float32), 1.0


def _solid(rng: np.random.Generator, site: _Site, spacing: tuple[float, float, float]) -> _Structure:
    """Even brightness: a faint gradient, a faint grain, now and then a small dark spot."""
    shape = site.level.shape
    slope = np.tensordot(rotation(*rng.uniform(0, 360, 3))[0], site.offset, axes=1) / site.radius
    pattern = rng.uniform(0, 1) * slope + 0.5 * smooth_noise(rng, shape, spacing, 3)
    if rng.random() < 0.35:
        spot = rng.uniform(-0.45, 0.45, 3) * site.radius
        distance = np.sqrt(((site.offset - spot[:, None, None, None]) ** 2).sum(axis=0))
        pattern = pattern - 2.5 * soft_step(0.24 * site.radius - distance, float(np.mean(spacing)))
    return _edge(site, spacing), pattern.astype(np.float32), float(rng.uniform(0.08, 0.3))


def _infiltrating(rng: np.random.Generator, site: _Site, spacing: tuple[float, float, float]) -> _Structure:
    """Bright and dark patches among what was there before, with a border that fades."""
    shape = site.level.shape
    noise = smooth_noise(rng, shape, spacing, float(rng.uniform(3.6, 5.5)))
    patches = np.tanh(1.2 * noise + rng.uniform(-0.9, 0.9))  # bright islands in some, dark ones in others
    fade = soft_step(site.level + 0.12 * site.radius * patches, float(rng.uniform(0.35, 0.6)) * site.radius)
    return (fade * (0.8 + 0.2 * patches)).astype(np.float32), patches.astype(np.float32), 1.0
