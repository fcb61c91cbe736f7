"""Made-up 2D ultrasound images of a lesion that is smooth and round, or spiculated, and their true masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from SegClassifyLib.phantoms.texture import smooth_noise, soft_step
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label, LabelMap

LESIONS = ("round", "spiculated")
"""The kinds of lesion, as used for class names. They differ in outline only, not in size, place or brightness."""

SLICE_LABELS = (Label(1, "lesion", (0.95, 0.55, 0.20)),)


@dataclass(frozen=True)
class SlicePhantom:
    """A made-up 2D case.

    Args:
        image: uint8 ``(1, H, W)``.
        labels: uint8 ``(H, W)``; see :data:`SLICE_LABELS`.
        lesion: one of :data:`LESIONS`, or ``None``.
    """

    image: Image
    labels: LabelMap
    lesion: str | None


def make_slice(
    seed: int, lesion: str | None, shape: tuple[int, int] = (96, 96), spacing: float = 0.5
) -> SlicePhantom:
    """Draw one ultrasound image. The same seed gives the same tissue, place and size whatever the lesion.

    Args:
        seed: 0 or more.
        lesion: one of :data:`LESIONS`, or ``None`` for plain tissue.
        shape: (H, W).
        spacing: mm, the same along both axes.

    Raises:
        ValueError: an unknown lesion.
    """
    if lesion is not None and lesion not in LESIONS:
        raise ValueError(f"lesion {lesion!r} is none of {', '.join(LESIONS)}")
    tissue, growth, scanner = (np.random.default_rng((seed, stream)) for stream in range(3))
    echo = _layers(tissue, shape)
    mask = np.zeros(shape, dtype=np.uint8)
    if lesion is not None:
        echo, mask = _with_lesion(growth, echo, lesion)
    geometry = Geometry.plain((shape[1], shape[0]), (spacing, spacing))
    image = Image(_insonate(scanner, echo)[None], geometry)
    return SlicePhantom(image, LabelMap(mask, geometry, SLICE_LABELS), lesion)


def _layers(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Echo strength of skin, fat, gland and muscle, one below the other, with wavy borders."""
    height = shape[0]
    rows = np.arange(height, dtype=np.float32)[:, None] / height
    waves = smooth_noise(rng, shape, (1, 1), height / 8)
    echo = np.full(shape, 0.55, dtype=np.float32) * (1 + 0.24 * smooth_noise(rng, shape, (1, 1), height / 24))
    fat, muscle = rng.uniform(0.12, 0.22), rng.uniform(0.8, 0.92)
    echo = echo + soft_step(fat + 0.02 * waves - rows, 0.02) * (0.2 - echo)
    echo = echo + soft_step(rows - muscle - 0.02 * waves, 0.02) * (0.3 - echo)
    strands = np.abs(smooth_noise(rng, shape, (1, 0.35), height / 40)) < 0.12
    echo = echo + 0.6 * strands * (rows > fat)
    return np.asarray(echo + 0.5 * (rows < 0.035), dtype=np.float32)


def _with_lesion(rng: np.random.Generator, echo: np.ndarray, lesion: str) -> tuple[np.ndarray, np.ndarray]:
    """The tissue with a dark lesion in it, and the lesion's mask."""
    height, width = echo.shape
    radius = float(rng.uniform(0.12, 0.2)) * min(height, width)
    centre = np.array([rng.uniform(0.4, 0.62) * height, rng.uniform(0.32, 0.68) * width])
    y, x = np.mgrid[:height, :width].astype(np.float32) - centre.astype(np.float32)[:, None, None]
    flat, turn = rng.uniform(0.72, 1.0), rng.uniform(-0.5, 0.5)
    darkness, shine = rng.uniform(0.04, 0.15), rng.uniform(-0.45, 0.45)
    along, across = np.cos(turn) * x + np.sin(turn) * y, (np.cos(turn) * y - np.sin(turn) * x) / flat
    angle, distance = np.arctan2(across, along), np.hypot(across, along)
    level = radius * _outline(rng, angle, lesion) - distance
    # the outline is moved until the area is the drawn one, so that spikes do not make a lesion larger
    pixels = max(8, round(np.pi * radius**2))
    level = level - np.partition(level, level.size - pixels - 1, axis=None)[level.size - pixels - 1]
    mask = (level > 0).astype(np.uint8)
    cover = soft_step(level, 1.5)
    inside = darkness * (1 + 0.25 * smooth_noise(rng, echo.shape, (1, 1), radius / 3))
    # sound comes through a lesion weakened (a shadow below it) or strengthened, whatever its kind
    below = np.clip(y / radius, 0, 1) * soft_step(0.9 * radius - np.abs(x), 0.4 * radius)
    return np.asarray(echo * (1 + shine * below) * (1 - cover) + inside * cover, dtype=np.float32), mask


def _outline(rng: np.random.Generator, angle: np.ndarray, lesion: str) -> np.ndarray:
    """Radius by direction, around 1."""
    gentle = [rng.normal(0, 0.05) * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in (2, 3)]
    outline = 1 + np.sum(gentle, axis=0)
    if lesion == "spiculated":
        for _ in range(rng.integers(7, 13)):
            turn = np.angle(np.exp(1j * (angle - rng.uniform(-np.pi, np.pi))))
            outline = outline + rng.uniform(0.25, 0.7) * np.exp(-((turn / rng.uniform(0.07, 0.16)) ** 2))
    return np.asarray(outline, dtype=np.float32)


def _insonate(rng: np.random.Generator, echo: np.ndarray) -> np.ndarray:
    """What an ultrasound machine makes of the echo strength: speckle, fading with depth, log compression; uint8."""
    field = rng.standard_normal((2, *echo.shape), dtype=np.float32) * echo
    field = ndimage.gaussian_filter(field, (0, rng.uniform(0.55, 0.8), rng.uniform(0.8, 1.2)))
    fading = np.exp(-rng.uniform(0, 0.8) * np.linspace(0, 1, echo.shape[0], dtype=np.float32))[:, None]
    envelope = np.hypot(field[0], field[1]) * fading + 0.004
    decibel = 20 * np.log10(envelope / envelope.max())
    return np.asarray(np.clip(255 * (1 + decibel / rng.uniform(36, 44)), 0, 255), dtype=np.uint8)
