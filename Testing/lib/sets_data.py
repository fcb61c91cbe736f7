"""What the panel hands to the worker for a training set, small, for the tests of that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from worker_data import blobs, map_source, oblique

from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.worker.protocol import (
    AddCaseParams,
    CreateSetParams,
    LabelInfo,
    SegmentationSource,
    SetChanged,
    VolumeSource,
)

SHAPE = (10, 12, 14)
GRID = oblique((14, 12, 10))
TUMOUR = LabelInfo(1, "tumour", (0.9, 0.3, 0.2))


def new_set(folder: Path, labels: tuple[str, ...] = ("tumour",)) -> CreateSetParams:
    """An empty set of one channel and two classes."""
    return CreateSetParams(str(folder), "", ("T1",), labels, ("ring", "solid"))


def volume(folder: Path, seed: int, geometry: Geometry = GRID) -> VolumeSource:
    """A volume that differs with ``seed``; :func:`pixels` are its voxels."""
    return map_source(pixels(seed, geometry), geometry, folder / f"volume{seed}.npy", "T1")


def pixels(seed: int, geometry: Geometry = GRID) -> np.ndarray:
    """``(D, H, W)`` int16."""
    return blobs(geometry.shape, seed)


def drawn(seed: int, geometry: Geometry = GRID) -> np.ndarray:
    """``(D, H, W)`` int16: a label map that differs with ``seed``."""
    array = np.zeros(geometry.shape, np.int16)
    flat = array.reshape([n for n in geometry.shape if n > 1])
    flat[..., 2 : 4 + seed % 5, 3 : 5 + seed // 5 % 5] = 1
    return array


def segmentation(
    folder: Path,
    seed: int = 0,
    geometry: Geometry = GRID,
    array: np.ndarray | None = None,
    *labels: LabelInfo,
) -> SegmentationSource:
    """Such a label map, or ``array``, from the panel."""
    array = drawn(seed, geometry) if array is None else array
    source = map_source(array, geometry, folder / f"segmentation{seed}.npy", "Segmentation")
    return SegmentationSource(source, labels or (TUMOUR,))


def a_case(folder: Path, sources: Path, name: str, seed: int, class_name: str = "ring") -> AddCaseParams:
    """A case with a segmentation."""
    images = (volume(sources, seed),)
    return AddCaseParams(str(folder), name, images, segmentation(sources, seed), class_name, group=name)


def states(changed: SetChanged) -> dict[str, str]:
    """Case → state of its segmentation."""
    return {case.name: case.segmentation for case in changed.set.cases}


def classes(changed: SetChanged) -> dict[str, str]:
    """Case → class."""
    return {case.name: case.class_name for case in changed.set.cases}
