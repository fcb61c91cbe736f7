"""What the panel has in memory, as files that a training set can take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SegClassifyLib.cases.intake import label_values_in
from SegClassifyLib.cases.rules import dimension_of
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import ImageError, TrainingSetError
from SegClassifyLib.progress import Progress
from SegClassifyLib.volumes.dimensions import flatten
from SegClassifyLib.volumes.formats import Kind, kind_by_ending
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label, LabelMap
from SegClassifyLib.volumes.matching import place_on
from SegClassifyLib.volumes.read import read_image
from SegClassifyLib.volumes.write import write_image, write_label_map
from SegClassifyLib.worker.job_messages import FileSource, VolumeSource
from SegClassifyLib.worker.set_messages import SegmentationSource
from SegClassifyLib.worker.sources import map_labels, map_volume


@dataclass(frozen=True)
class Place:
    """An image file and its grid."""

    path: Path
    grid: Geometry


def image_files(
    training_set: TrainingSet,
    sources: Sequence[VolumeSource | FileSource],
    folder: Path,
    progress: Progress,
) -> tuple[Place, ...]:
    """One file a channel; volumes are written as NRRD, without loss and with their exact grid.

    Args:
        training_set: what the files are for: where it is of 2D images, or has none yet, a volume of one slice
            becomes a 2D image.
        sources: one a channel.
        folder: where volumes are written to.
        progress: told channel by channel.

    Raises:
        TrainingSetError: not one a channel.
        ImageError: one cannot be used, or written.
    """
    if len(sources) not in (1, len(training_set.channels)):
        raise TrainingSetError(
            f"{len(sources)} image(s) given where the training set has {len(training_set.channels)} channel(s) "
            f"({', '.join(training_set.channels)}); give one for each, in this order."
        )
    files = []
    for number, source in enumerate(sources):
        progress.report("Saving", number, len(sources) + 1)
        if isinstance(source, FileSource):
            files.append(Place(Path(source.path), read_image(source.path, "channels").geometry))
            continue
        image = _fit(map_volume(source), training_set)
        files.append(Place(folder / f"image_{number:04d}.nrrd", image.geometry))
        write_image(image, files[-1].path)
    return tuple(files)


def segmentation_file(
    training_set: TrainingSet, source: SegmentationSource | FileSource, image: Place, folder: Path
) -> Path:
    """A file with the labels of the set, on the grid of the image.

    Args:
        training_set: what the file is for.
        source: a label map in memory, or a file, which is taken as it is.
        image: the first of its case.
        folder: where a label map is written to: as ``.seg.nrrd``, which keeps names and colours; in 2D, which
            that format does not know, as NRRD.

    Raises:
        TrainingSetError: a label that the set does not have.
        ImageError: it cannot be used or written, or lies on another grid.
    """
    if isinstance(source, FileSource):
        return Path(source.path)
    kind: Kind = "picture" if kind_by_ending(image.path) == "picture" else "NRRD"
    label_map = place_on(map_labels(source.volume), image.grid, Path(source.volume.name), kind)
    array = _in_values_of(training_set, source, label_map.array)
    path = folder / ("segmentation.nrrd" if image.grid.ndim == 2 else "segmentation.seg.nrrd")
    write_label_map(LabelMap(array, image.grid, training_set.labels[1:]), path)
    return path


def _fit(image: Image, training_set: TrainingSet) -> Image:
    """A single slice as 2D image where the set is of these."""
    flat = dimension_of(image.geometry) == 2
    if not training_set.cases:
        return flatten(image) if flat else image
    if training_set.ndim == 2 and not flat:
        raise ImageError(
            f"{image.name} is a volume and the training set holds 2D images; extract the slice that is meant, or "
            "keep volumes in a set of their own."
        )
    return flatten(image) if training_set.ndim == 2 else image


def _in_values_of(training_set: TrainingSet, source: SegmentationSource, array: np.ndarray) -> np.ndarray:
    """``array`` with the set's values, found by name; the very same array where nothing changes."""
    known = {label.name.casefold(): label for label in training_set.labels}
    names = {label.value: label.name for label in source.labels}
    taken: dict[int, str] = {}
    moved: dict[int, int] = {}
    for value in label_values_in(array):
        if value == 0:
            continue
        label = _found(training_set.labels, known, source.volume.name, names, value)
        if label.value in taken:
            raise TrainingSetError(
                f"Two segments of {source.volume.name} ({taken[label.value]}, {names[value]}) are the label "
                f"{label.name!r}; join them, or rename one."
            )
        taken[label.value], moved[value] = names[value], label.value
    if all(old == new for old, new in moved.items()):
        return array
    result = np.zeros_like(array, dtype=np.uint16)
    for old, new in moved.items():
        result[array == old] = new
    return result


def _found(
    labels: Sequence[Label], known: dict[str, Label], segmentation: str, names: dict[int, str], value: int
) -> Label:
    have = ", ".join(label.name for label in labels[1:]) or "it has none"
    if value not in names:
        raise TrainingSetError(
            f"{segmentation} holds the value {value}, which none of its segments has; remove it, or name it like "
            f"a label of the training set ({have})."
        )
    label = known.get(names[value].strip().casefold())
    if label is None or label.value == 0:
        raise TrainingSetError(
            f"The segment {names[value]!r} of {segmentation} is no label of the training set ({have}); rename it "
            "or remove it."
        )
    return label
