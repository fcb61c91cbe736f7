"""Whole training sets of phantoms on disk, for the demo, the tutorials and the tests."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SegClassifyLib.cases.schema import Role, Split
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.phantoms.head import LABELS, HeadPhantom, make_head
from SegClassifyLib.phantoms.slices import LESIONS, SLICE_LABELS, SlicePhantom, make_slice
from SegClassifyLib.phantoms.tumours import TUMOURS
from SegClassifyLib.progress import Progress
from SegClassifyLib.volumes.image import Image
from SegClassifyLib.volumes.write import write_image, write_label_map


@dataclass(frozen=True)
class Counts:
    """How many cases of each class a set holds; every case is another person.

    Args:
        segmented: with a segmentation and no class: they train the segmenter.
        classified: with a class and no segmentation: they train the classifier.
        both: with segmentation and class: they may train both.
        test: with segmentation and class, kept for the final test.
    """

    segmented: int = 6
    classified: int = 10
    both: int = 0
    test: int = 10


@dataclass(frozen=True)
class _Plan:
    """One case to be written."""

    kind: str
    role: Role
    split: Split
    segmented: bool
    classified: bool


def write_head_set(
    folder: Path | str,
    counts: Counts = Counts(),
    seed: int = 0,
    shape: tuple[int, int, int] = (48, 56, 48),
    channels: tuple[str, ...] = ("T1c",),
    progress: Progress | None = None,
) -> TrainingSet:
    """Make a training set of head phantoms with the three types of tumour.

    Args:
        folder: where; must not hold a training set yet.
        counts: cases of each tumour type.
        seed: the same seed gives the same set.
        shape: (D, H, W) of every image.
        channels: any of "T1c" and "FLAIR".
        progress: told after every case.

    Raises:
        TrainingSetError: the folder holds a set already or cannot be written.
        Cancelled: the user asked to stop; the cases written so far stay.
    """
    training_set = TrainingSet.create(
        folder, "Head phantoms", channels, LABELS, TUMOURS, description="Made-up heads with made-up tumours."
    )

    def draw(case_seed: int, kind: str) -> HeadPhantom:
        return make_head(case_seed, kind, shape, channels=channels)

    _fill(training_set, counts, TUMOURS, seed, draw, ".nii.gz", progress or Progress())
    return training_set


def write_slice_set(
    folder: Path | str,
    counts: Counts = Counts(),
    seed: int = 0,
    shape: tuple[int, int] = (96, 96),
    progress: Progress | None = None,
) -> TrainingSet:
    """Make a training set of 2D ultrasound phantoms with two kinds of lesion, as PNG files.

    Arguments and errors are those of :func:`write_head_set`; ``shape`` is (H, W).
    """
    training_set = TrainingSet.create(
        folder, "Slice phantoms", ("US",), SLICE_LABELS, LESIONS, description="Made-up ultrasound images."
    )

    def draw(case_seed: int, kind: str) -> SlicePhantom:
        return make_slice(case_seed, kind, shape)

    _fill(training_set, counts, LESIONS, seed, draw, ".png", progress or Progress())
    return training_set


def _fill(
    training_set: TrainingSet,
    counts: Counts,
    kinds: Sequence[str],
    seed: int,
    draw: Callable[[int, str], HeadPhantom | SlicePhantom],
    ending: str,
    progress: Progress,
) -> None:
    """Draw every planned case, in an order that says nothing of its class, and take it into the set."""
    plans = list(_plans(counts, kinds))
    order = np.random.default_rng(seed).permutation(len(plans))
    with tempfile.TemporaryDirectory() as scratch:
        for number, index in enumerate(order, start=1):
            plan = plans[index]
            progress.report("Drawing phantoms", number - 1, len(plans))
            phantom = draw(10_000 * seed + number, plan.kind)
            name = f"case-{number:03d}"
            images = _write_channels(phantom.image, training_set.channels, Path(scratch), name, ending)
            mask = Path(scratch) / f"{name}-labels{ending}"
            if plan.segmented:
                write_label_map(phantom.labels, mask)
            training_set.add(
                name,
                images,
                mask if plan.segmented else None,
                plan.kind if plan.classified else None,
                group=name,
                role=plan.role,
                split=plan.split,
            )
    progress.report("Drawing phantoms", len(plans), len(plans))


def _plans(counts: Counts, kinds: Sequence[str]) -> Iterator[_Plan]:
    for kind in kinds:
        yield from [_Plan(kind, "segmenter", "train", segmented=True, classified=False)] * counts.segmented
        yield from [_Plan(kind, "classifier", "train", segmented=False, classified=True)] * counts.classified
        yield from [_Plan(kind, "both", "train", segmented=True, classified=True)] * counts.both
        yield from [_Plan(kind, "both", "test", segmented=True, classified=True)] * counts.test


def _write_channels(
    image: Image, channels: Sequence[str], folder: Path, name: str, ending: str
) -> list[Path]:
    """One file a channel."""
    paths = []
    for number, channel in enumerate(channels):
        path = folder / f"{name}-{channel}{ending}"
        write_image(Image(image.array[number : number + 1], image.geometry), path)
        paths.append(path)
    return paths
