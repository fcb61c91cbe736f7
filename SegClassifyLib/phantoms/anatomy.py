"""The tissues of a made-up head: how much of each there is in every voxel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from SegClassifyLib.phantoms.texture import ellipsoid_depth, smooth_noise, soft_step


class Tissue(IntEnum):
    """Row of :attr:`Anatomy.fractions`."""

    AIR = 0
    SOFT = 1
    BONE = 2
    CSF = 3
    GREY = 4
    WHITE = 5
    FAT = 6


@dataclass(frozen=True)
class Anatomy:
    """A head without a tumour.

    Args:
        fractions: ``(7, D, H, W)`` float32, the part of each voxel that is each :class:`Tissue`; sums to 1.
        depth: ``(D, H, W)`` float32, mm below the surface of the cerebrum, negative outside.
    """

    fractions: np.ndarray
    depth: np.ndarray


class _Canvas:
    """Paints tissues over each other with soft edges."""

    def __init__(self, shape: tuple[int, ...], voxel: float) -> None:
        self.fractions = np.zeros((len(Tissue), *shape), dtype=np.float32)
        self.fractions[Tissue.AIR] = 1
        self._voxel = voxel

    def paint(self, tissue: Tissue, level: np.ndarray) -> None:
        """``tissue`` wherever ``level`` (mm) is above 0."""
        cover = soft_step(level, self._voxel)
        self.fractions *= 1 - cover
        self.fractions[tissue] += cover


def make_anatomy(
    rng: np.random.Generator, points: np.ndarray, spacing: tuple[float, float, float], size: float
) -> Anatomy:
    """Draw one person's head.

    Args:
        rng: where this person's features come from.
        points: ``(3, D, H, W)`` float32 position of every voxel in the head's own frame: mm to the left,
            back and top from the middle of the skull.
        spacing: voxel size along D, H, W, mm.
        size: 1 is an ordinary adult.
    """
    shape = points.shape[1:]
    voxel = float(np.mean(spacing))
    points = points / np.float32(size)
    wide, long, tall = 1 + rng.uniform(-0.05, 0.05, 3)
    canvas = _Canvas(shape, voxel)

    cranium = ellipsoid_depth(points, (0, 0, 0), (79 * wide, 97 * long, 84 * tall))
    depth = ellipsoid_depth(points, (0, 0, 5), (66 * wide, 83 * long, 67 * tall))
    # the underside of the cerebrum is flat, higher at the back where the cerebellum lies
    depth = np.minimum(depth, points[2] + 38 - 0.18 * points[1])
    depth = np.minimum(depth, cranium - 13)
    hindbrain = _Hindbrain(
        np.minimum(
            np.minimum(ellipsoid_depth(points, (0, 46, -42), (49, 34, 28)), cranium - 13), -depth - 1.5
        ),
        ellipsoid_depth(points, (0, 16, -62), (12, 14, 52)),
    )
    cavity = np.maximum(np.maximum(depth, hindbrain.cerebellum), hindbrain.stem) + 4
    _paint_outside(canvas, rng, points, cranium, cavity)
    folds = smooth_noise(rng, shape, spacing, 4.6)
    _paint_cerebrum(canvas, depth, folds)
    canvas.paint(Tissue.GREY, hindbrain.cerebellum - 0.6 * folds)
    canvas.paint(Tissue.WHITE, hindbrain.cerebellum - 9 - 2.5 * folds)
    canvas.paint(Tissue.WHITE, hindbrain.stem)
    _paint_core(canvas, rng, points, depth, tall)
    return Anatomy(canvas.fractions, depth)


@dataclass(frozen=True)
class _Hindbrain:
    """Depth (mm) below the surface of each part."""

    cerebellum: np.ndarray
    stem: np.ndarray


def _paint_outside(
    canvas: _Canvas, rng: np.random.Generator, points: np.ndarray, cranium: np.ndarray, cavity: np.ndarray
) -> None:
    """Scalp, face, neck, eyes, skull, and the fluid in the ``cavity`` (mm) that holds the brain."""
    scalp = rng.uniform(4.5, 8.5)
    fat = rng.uniform(2.5, 5)
    skull = rng.uniform(5, 7)
    face = ellipsoid_depth(points, (0, -48, -58), (52, 48, 50))
    neck = ellipsoid_depth(points, (0, 18, -105), (52, 56, 75))
    outside = np.maximum(np.maximum(cranium, face), neck)
    canvas.paint(Tissue.SOFT, outside)
    canvas.paint(Tissue.FAT, np.minimum(outside - 1.5, 1.5 + fat - outside))
    canvas.paint(Tissue.BONE, cranium - scalp)
    # below the floor of the skull: muscle, the airway, the eyes
    canvas.paint(
        Tissue.SOFT, np.minimum(-46 - points[2] - 0.1 * points[1], np.maximum(face, neck) - 1.5 - fat)
    )
    canvas.paint(Tissue.AIR, ellipsoid_depth(points, (0, -52, -62), (8, 26, 14)))
    canvas.paint(Tissue.AIR, ellipsoid_depth(points, (0, -8, -92), (9, 8, 34)))
    for side in (-1, 1):
        canvas.paint(Tissue.FAT, ellipsoid_depth(points, (side * 31, -72, -38), (16, 22, 15)))
        canvas.paint(Tissue.CSF, ellipsoid_depth(points, (side * 31, -82, -38), (12, 12, 12)))
    canvas.paint(Tissue.CSF, np.minimum(cranium - scalp - skull, cavity))


def _paint_cerebrum(canvas: _Canvas, depth: np.ndarray, folds: np.ndarray) -> None:
    """A grey ribbon that follows the furrows down, fluid in them, white matter below."""
    furrow = 6.5 * np.abs(folds) + np.maximum(depth - 15, 0)  # mm from the nearest furrow's middle
    ribbon = np.minimum(depth, furrow)
    canvas.paint(Tissue.GREY, np.minimum(depth - 0.5, furrow - 0.7))
    canvas.paint(Tissue.WHITE, ribbon - 4.6)


def _paint_core(
    canvas: _Canvas, rng: np.random.Generator, points: np.ndarray, depth: np.ndarray, tall: float
) -> None:
    """The fissure between the hemispheres, basal ganglia, ventricles."""
    x, y, z = points
    fissure = 1.3 + 0.03 * np.maximum(z, 0) - np.abs(x + 1.2 * np.sin(y / 17))
    canvas.paint(Tissue.CSF, np.minimum(np.minimum(fissure, (z - 26 * tall) / 2), depth))
    wide = rng.uniform(4, 8.5)
    for side in (-1, 1):
        canvas.paint(Tissue.GREY, ellipsoid_depth(points, (side * 13, 12, -1), (9, 15, 9)))
        canvas.paint(Tissue.GREY, ellipsoid_depth(points, (side * 27, -4, 1), (6, 20, 12)))
        # a crescent: the horns bend outwards and, behind, down
        outwards = side * (wide + 3) + side * 0.008 * y * y
        down = 15 - np.where(y > 0, 0.008, 0.003) * y * y
        bent = np.stack([x - outwards, y - 6, z - down])
        uneven = wide * rng.uniform(0.9, 1.1)
        canvas.paint(Tissue.CSF, ellipsoid_depth(bent, (0, 0, 0), (uneven, 40, uneven + 3)))
    canvas.paint(Tissue.CSF, ellipsoid_depth(points, (0, 8, -4), (2.5, 14, 9)))
