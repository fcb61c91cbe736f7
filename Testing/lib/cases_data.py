"""Small image files for tests of training sets."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from SegClassifyLib.cases.training_set import TrainingSet


def write_volume(
    path: Path,
    seed: str = "",
    spacing: tuple[float, ...] = (1.0, 1.0, 2.0),
    shape: tuple[int, ...] = (3, 5, 6),
) -> Path:
    """A random volume (array order D, H, W) that differs with ``seed`` (default: the file's name)."""
    rng = np.random.default_rng(zlib.crc32((seed or path.name).encode()))
    image = sitk.GetImageFromArray(rng.integers(0, 1000, shape).astype(np.int16))
    image.SetSpacing(spacing[: len(shape)])
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


def write_mask(
    path: Path,
    value: int = 1,
    spacing: tuple[float, ...] = (1.0, 1.0, 2.0),
    shape: tuple[int, ...] = (3, 5, 6),
) -> Path:
    """A label map with a block of ``value``."""
    array = np.zeros(shape, np.uint8)
    array[..., 1:3, 2:4] = value
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing[: len(shape)])
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


def write_picture(path: Path, seed: str = "") -> Path:
    """A random grey PNG of 8 x 7 pixels."""
    rng = np.random.default_rng(zlib.crc32((seed or path.name).encode()))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(rng.integers(0, 255, (7, 8)).astype(np.uint8)), str(path))
    return path


def small_set(
    folder: Path, channels: tuple[str, ...] = ("T1",), classes: tuple[str, ...] = ("ring", "solid")
) -> TrainingSet:
    """An empty set with one label."""
    return TrainingSet.create(folder, "Small", channels, ["tumour"], classes)
