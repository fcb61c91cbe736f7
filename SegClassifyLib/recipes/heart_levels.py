"""Slices at nine levels of the heart, cut from volumes with a segmentation.

The levels are our own: the height between the lowest and the highest slice that holds a ventricle, an atrium or
myocardium is parted into nine equal pieces, and the middle slice of each piece is of that level. What the nine levels
of the paper are is not known to us.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.progress import Progress
from SegClassifyLib.recipes.candidates import Candidate, Found, Loaded
from SegClassifyLib.recipes.label_values import in_our_values
from SegClassifyLib.recipes.recipe import SourceSpec
from SegClassifyLib.volumes.formats import file_stem
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, LabelMap
from SegClassifyLib.volumes.orient import to_orientation
from SegClassifyLib.volumes.read import read_image, read_label_map

_UPWARD = "LPS"
"""Slices are then counted from below."""


@dataclass(frozen=True)
class _Volume:
    """One patient's files, and how its label map is read (on the image's grid, in our values)."""

    name: str
    image: Path
    read_labels: Callable[[], LabelMap]


def find_whole_hearts(root: Path, spec: SourceSpec, progress: Progress) -> Found:
    """Volumes as MM-WHS names them: ``…_image.nii.gz`` and ``…_label.nii.gz`` beside each other.

    Raises:
        SegClassifyError: there are none, or one cannot be read.
    """
    volumes = []
    for path in sorted(root.rglob("*_image.nii*")):
        mask = path.with_name(path.name.replace("_image.nii", "_label.nii"))
        if mask.is_file():
            name = file_stem(path).removesuffix("_image")
            volumes.append(_Volume(name, path, partial(_one_map, mask, spec)))
    return _nine_levels(root, volumes, spec, progress)


def find_total_segmentator(root: Path, spec: SourceSpec, progress: Progress) -> Found:
    """Volumes as the TotalSegmentator data set has them: ``s0001/ct.nii.gz`` and ``s0001/segmentations/….nii.gz``.

    Raises:
        SegClassifyError: there are none, or one cannot be read.
    """
    volumes = []
    for path in sorted(root.rglob("ct.nii.gz")):
        masks = [path.parent / "segmentations" / f"{label.file}.nii.gz" for label in spec.labels]
        if all(mask.is_file() for mask in masks):
            volumes.append(_Volume(path.parent.name, path, partial(_many_masks, tuple(masks))))
    return _nine_levels(root, volumes, spec, progress)


def slices_of_levels(present: np.ndarray, count: int) -> tuple[int, ...]:
    """Which slices show the levels; none where the heart is cut off or has fewer slices than levels.

    Args:
        present: ``(D,)`` bool, whether each slice, from below, holds the heart.
        count: of levels.
    """
    rows = np.flatnonzero(present)
    if not len(rows) or rows[0] == 0 or rows[-1] == len(present) - 1:
        return ()
    low, high = int(rows[0]), int(rows[-1]) + 1
    if high - low < count:
        return ()
    return tuple(int(low + (high - low) * (level + 0.5) / count) for level in range(count))


def _nine_levels(root: Path, volumes: Sequence[_Volume], spec: SourceSpec, progress: Progress) -> Found:
    if not volumes:
        raise SegClassifyError(f"{root} holds no volume with all its label maps. {spec.layout}")
    names = [label.name for label in spec.labels]
    extent = [names.index(name) + 1 for name in spec.extent]
    candidates: list[Candidate] = []
    left_out: list[str] = []
    for number, volume in enumerate(volumes):
        progress.report("Looking for the heart", number, len(volumes), volume.name)
        labels = volume.read_labels()
        upright, _ = to_orientation(labels.array, labels.geometry, _UPWARD)
        chosen = slices_of_levels(np.asarray(np.isin(upright, extent).any(axis=(1, 2))), len(spec.classes))
        if not chosen:
            left_out.append(volume.name)
        for level, position in zip(spec.classes, chosen, strict=False):
            name = f"{volume.name}-{level.replace(' ', '-')}"
            candidates.append(Candidate(name, level, volume.name, partial(_load, volume, position)))
    notes = [
        "The nine levels are our own: equal parts of the height from the lowest to the highest slice that holds "
        f"{' or '.join(spec.extent)}."
    ]
    if left_out:
        notes.append(
            f"{len(left_out)} of {len(volumes)} volumes were left out: the heart reaches the border of the image or "
            f"has too few slices ({left_out[0]}, …)."
        )
    return Found(tuple(candidates), spec.classes, tuple(notes))


def _load(volume: _Volume, position: int) -> Loaded:
    image, labels = _read_volume(volume)
    array, geometry = to_orientation(image.array, image.geometry, _UPWARD)
    values, _ = to_orientation(labels.array, labels.geometry, _UPWARD)
    flat = Geometry.plain(geometry.size[:2], geometry.spacing[:2])
    return Loaded(
        Image(np.ascontiguousarray(array[:, position]), flat),
        LabelMap(np.ascontiguousarray(values[position]), flat),
    )


@lru_cache(maxsize=1)  # a volume's slices are asked for one after the other
def _read_volume(volume: _Volume) -> tuple[Image, LabelMap]:
    image, labels = read_image(volume.image), volume.read_labels()
    if not labels.geometry.is_close(image.geometry, 0.1):
        raise SegClassifyError(
            f"{volume.image} and its label map are on different grids: take {volume.name} out."
        )
    return image, labels


def _one_map(path: Path, spec: SourceSpec) -> LabelMap:
    found = read_label_map(path)
    return LabelMap(in_our_values(found.array, spec.labels, path), found.geometry)


def _many_masks(paths: tuple[Path, ...]) -> LabelMap:
    """A mask for each label; where two overlap, the later one counts."""
    result: LabelMap | None = None
    for value, path in enumerate(paths, start=1):
        found = read_label_map(path)
        if result is None:
            result = LabelMap(np.zeros(found.array.shape, np.uint8), found.geometry)
        if found.array.shape != result.array.shape:
            raise SegClassifyError(f"{path} is on another grid than {paths[0].name}: take its patient out.")
        result.array[found.array > 0] = value
    assert result is not None
    return result
