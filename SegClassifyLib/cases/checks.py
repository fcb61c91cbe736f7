"""What is wrong or odd with a training set, case by case and as a whole, in sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from SegClassifyLib.cases import trash
from SegClassifyLib.cases.paths import resolve
from SegClassifyLib.cases.rules import fits_dimension
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.progress import Progress
from SegClassifyLib.volumes.formats import ending
from SegClassifyLib.volumes.geometry import Geometry

if TYPE_CHECKING:
    from SegClassifyLib.cases.reader import TrainingSetReader

Depth = Literal["headers", "pixels"]
Severity = Literal["error", "warning", "info"]
_ORDER: tuple[Severity, ...] = ("error", "warning", "info")
# Spacing is worth a word when it is _FAR times the set's median, or as much below, and less than _COMMON of the
# cases are within a factor of _ALIKE of it: thick slices in a tenth of all CT scans are no mistake.
_FAR, _ALIKE, _COMMON = 2.0, 1.5, 0.05


@dataclass(frozen=True)
class Problem:
    """One finding.

    Args:
        severity: ``error`` keeps a case from being used; ``warning`` makes results worse or less honest; ``info``
            is worth knowing.
        case: its name; empty for the set as a whole.
        sentence: what is wrong and what to do.
    """

    severity: Severity
    case: str
    sentence: str


def validate(
    training_set: TrainingSetReader, deep: Depth = "headers", progress: Progress | None = None
) -> list[Problem]:
    """Check a training set.

    Args:
        training_set: what to check.
        deep: ``headers`` looks at file headers only; ``pixels`` reads every image and segmentation.
        progress: told of every case.

    Returns:
        Findings, errors first.
    """
    progress = progress or Progress()
    problems: list[Problem] = []
    grids: dict[str, Geometry] = {}
    for number, case in enumerate(training_set.cases):
        progress.report("Checking cases", number, len(training_set.cases), case.name)
        found = list(_entry_problems(training_set, case))
        if not found:
            found = list(_file_problems(training_set, case, grids))
        if not found and deep == "pixels":
            found = list(_pixel_problems(training_set, case))
        problems += [*found, *_gaps(case)]
    progress.report("Checking cases", len(training_set.cases), len(training_set.cases))
    problems += [
        *_class_problems(training_set), *_double_images(training_set), *_leaking_groups(training_set),
        *_odd_spacing(grids), *_orphans(training_set),
    ]  # fmt: skip
    return sorted(problems, key=lambda p: _ORDER.index(p.severity))


def _entry_problems(training_set: TrainingSetReader, case: Case) -> Iterator[Problem]:
    """What ``dataset.json`` alone shows, and files that are not there."""
    channels = training_set.channels
    if len(case.images) not in (1, len(channels)):
        yield Problem(
            "error",
            case.name,
            f"Case {case.name!r} has {len(case.images)} image(s) for {len(channels)} channel(s) "
            f"({', '.join(channels)}); remove it and add it again with one file for each.",
        )
    if case.label_class is not None and case.label_class not in training_set.classes:
        yield Problem(
            "error",
            case.name,
            f"Case {case.name!r} is of the class {case.label_class!r}, which the training set does not have; "
            "add the class or change the case.",
        )
    for text in case.files:
        try:
            path = resolve(training_set.folder, case, text)
        except SegClassifyError as error:
            yield Problem("error", case.name, str(error))
            continue
        if not path.exists():
            yield Problem(
                "error",
                case.name,
                f"Case {case.name!r}: the file {path} is gone; put it back or remove the case.",
            )


def _file_problems(
    training_set: TrainingSetReader, case: Case, grids: dict[str, Geometry]
) -> Iterator[Problem]:
    """What the headers show."""
    try:
        grid = _header(training_set.image_paths(case)[0])
        for path in training_set.image_paths(case)[1:]:
            _header(path)
        mask = training_set.segmentation_path(case)
        # A .seg.nrrd may hold just the part of the grid that was drawn on; only reading it tells.
        mask_grid = _header(mask) if mask and ending(mask) != ".seg.nrrd" else None
    except SegClassifyError as error:
        yield Problem("error", case.name, f"Case {case.name!r}: {error}")
        return
    if grid is None:
        return
    grids[case.name] = grid
    if not fits_dimension(grid, training_set.ndim):
        yield Problem(
            "error",
            case.name,
            f"Case {case.name!r} is {grid.ndim}D in a {training_set.ndim}D training set; give it a set of its own.",
        )
    if mask_grid is not None and not _same_pixels(grid, mask_grid):
        yield Problem(
            "error",
            case.name,
            f"Case {case.name!r}: the segmentation {mask} ({_size(mask_grid)} voxels) does not lie on the image's "
            f"grid ({_size(grid)}); give it one that does with `segclassify dataset change`.",
        )


def _header(path: Path) -> Geometry | None:
    """The grid a file's header describes; ``None`` for DICOM folders, which have no one header."""
    from SegClassifyLib.volumes.bridge import geometry_of
    from SegClassifyLib.volumes.formats import kind_of
    from SegClassifyLib.volumes.loading import read_header

    if path.is_dir():
        return None
    kind = kind_of(path)
    reader = read_header(path, kind)
    if kind == "picture" or len(reader.GetSize()) > 3:
        return Geometry.plain(reader.GetSize()[:3])
    return geometry_of(reader)


def _same_pixels(image: Geometry, mask: Geometry) -> bool:
    """Whether a mask can lie on an image: reading allows axes in another order, and a slice as a flat volume."""
    return sorted(n for n in image.size if n > 1) == sorted(n for n in mask.size if n > 1)


def _size(grid: Geometry) -> str:
    return " x ".join(map(str, grid.size))


def _pixel_problems(training_set: TrainingSetReader, case: Case) -> Iterator[Problem]:
    """What only reading shows."""
    try:
        image = training_set.load_image(case)
        if case.image_hash is not None and image.content_hash() != case.image_hash:
            yield Problem(
                "warning",
                case.name,
                f"Case {case.name!r}: its image has changed since it was added; add it anew if that is meant.",
            )
        if case.segmentation is not None:
            mask = training_set.load_segmentation(case, image)
            if not mask.array.any():
                yield Problem(
                    "info", case.name, f"Case {case.name!r} has an empty segmentation (background only)."
                )
    except SegClassifyError as error:
        yield Problem("error", case.name, str(error))


def _gaps(case: Case) -> Iterator[Problem]:
    if case.label_class is None and case.role != "segmenter":
        yield Problem(
            "info", case.name, f"Case {case.name!r} has no class yet; the classifier cannot use it."
        )
    if case.segmentation is None and case.role != "classifier":
        yield Problem(
            "info", case.name, f"Case {case.name!r} has no segmentation; the segmenter cannot learn from it."
        )
    elif case.segmentation is not None and case.segmentation_is_prediction and case.role != "classifier":
        yield Problem(
            "info",
            case.name,
            f"Case {case.name!r} has a predicted segmentation that nobody has corrected yet.",
        )


def _class_problems(training_set: TrainingSetReader) -> Iterator[Problem]:
    counts = Counter(
        c.label_class for c in training_set.cases if c.split == "train" and c.role != "segmenter"
    )
    for name in training_set.classes:
        if counts[name] < 2:
            some = "no training case" if counts[name] == 0 else "a single training case"
            yield Problem(
                "warning", "", f"The class {name!r} has {some}; a classifier needs two or more of each class."
            )


def _double_images(training_set: TrainingSetReader) -> Iterator[Problem]:
    by_hash: dict[str, list[Case]] = defaultdict(list)
    for case in training_set.cases:
        if case.image_hash is not None:
            by_hash[case.image_hash].append(case)
    for twins in by_hash.values():
        if len(twins) < 2:
            continue
        names = ", ".join(repr(c.name) for c in twins)
        leaks = len({c.group_name for c in twins}) > 1 or len({c.split for c in twins}) > 1
        remedy = (
            "they are in different groups or splits, so a test can meet what was learnt from: remove all but one"
            if leaks
            else "remove all but one"
        )
        yield Problem(
            "error" if leaks else "warning", twins[0].name, f"Cases {names} hold the same image; {remedy}."
        )


def _leaking_groups(training_set: TrainingSetReader) -> Iterator[Problem]:
    splits: dict[str, set[str]] = defaultdict(set)
    for case in training_set.cases:
        splits[case.group_name].add(case.split)
    for group, found in splits.items():
        if len(found) > 1:
            yield Problem(
                "error",
                "",
                f"The group {group!r} has cases for training and for testing, which makes test results too good; "
                "move all its cases to one split.",
            )


def _odd_spacing(grids: dict[str, Geometry]) -> Iterator[Problem]:
    """Cases whose voxel size is far from what the others have; sorted, because axes may be stored in any order."""
    by_ndim: dict[int, dict[str, Geometry]] = defaultdict(dict)
    for name, grid in grids.items():
        by_ndim[grid.ndim][name] = grid
    for group in by_ndim.values():
        if len(group) < 3:
            continue
        spacings = np.log([sorted(g.spacing) for g in group.values()])
        median = np.median(spacings, axis=0)
        for (name, grid), spacing in zip(group.items(), spacings, strict=True):
            alike = int((np.abs(spacings - spacing) < np.log(_ALIKE)).all(axis=1).sum()) - 1
            if np.abs(spacing - median).max() > np.log(_FAR) and alike < max(1, _COMMON * len(group)):
                own = " x ".join(f"{s:g}" for s in grid.spacing)
                usual = " x ".join(f"{s:.3g}" for s in np.exp(median))
                sentence = (
                    f"Case {name!r} has voxels of {own} mm, far from the usual {usual} mm; is that right?"
                )
                yield Problem("warning", name, sentence)


def _orphans(training_set: TrainingSetReader) -> Iterator[Problem]:
    for path in trash.orphans(training_set.folder, training_set.document):
        yield Problem(
            "warning", "", f"The file {path} belongs to no case; `segclassify dataset tidy` deletes it."
        )
