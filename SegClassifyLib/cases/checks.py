"""What is wrong or odd with a training set, case by case and as a whole, in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from SegClassifyLib.cases import trash
from SegClassifyLib.cases.findings import Finding, Kind, by_severity
from SegClassifyLib.cases.odd import odd_intensities, odd_spacing
from SegClassifyLib.cases.paths import resolve
from SegClassifyLib.cases.rules import fits_dimension
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.progress import Progress
from SegClassifyLib.volumes.formats import ending
from SegClassifyLib.volumes.geometry import Geometry

if TYPE_CHECKING:
    from SegClassifyLib.cases.reader import TrainingSetReader
    from SegClassifyLib.volumes.observation import Observation

Depth = Literal["headers", "pixels"]


@dataclass
class _Seen:
    """What was read of the cases so far, by case name: what shows which of them are odd."""

    grids: dict[str, Geometry] = field(default_factory=dict)
    observations: dict[str, Observation] = field(default_factory=dict)


def validate(
    training_set: TrainingSetReader, deep: Depth = "headers", progress: Progress | None = None
) -> list[Finding]:
    """Check the cases and files of a training set; what it still lacks for training says :mod:`.guide`.

    Args:
        training_set: what to check.
        deep: ``headers`` looks at file headers only; ``pixels`` reads every image and segmentation.
        progress: told of every case.

    Returns:
        Findings, errors first.
    """
    progress = progress or Progress()
    findings: list[Finding] = []
    seen = _Seen()
    for number, case in enumerate(training_set.cases):
        progress.report("Checking cases", number, len(training_set.cases), case.name)
        found = list(_entry_findings(training_set, case))
        if not found:
            found = list(_file_findings(training_set, case, seen))
        if not found and deep == "pixels":
            found = list(_pixel_findings(training_set, case, seen))
        findings += [*found, *_gaps(case)]
    progress.report("Checking cases", len(training_set.cases), len(training_set.cases))
    findings += [
        *_double_images(training_set), *_leaking_groups(training_set), *odd_spacing(seen.grids),
        *odd_intensities(seen.observations, training_set.channels), *_orphans(training_set),
    ]  # fmt: skip
    return by_severity(findings)


def _about(kind: Kind, case: Case, what: str, remedy: str = "") -> Finding:
    """An error of one case; ``what`` follows its name."""
    return Finding("error", kind, f"Case {case.name!r}{what}", remedy, (case.name,))


def _entry_findings(training_set: TrainingSetReader, case: Case) -> Iterator[Finding]:
    """What ``dataset.json`` alone shows, and files that are not there."""
    channels = training_set.channels
    if len(case.images) not in (1, len(channels)):
        yield _about(
            "broken entry",
            case,
            f" has {len(case.images)} image(s) for {len(channels)} channel(s) ({', '.join(channels)})",
            "remove it and add it again with one file for each",
        )
    if case.label_class is not None and case.label_class not in training_set.classes:
        yield _about(
            "broken entry",
            case,
            f" is of the class {case.label_class!r}, which the training set does not have",
            "add the class or change the case",
        )
    for text in case.files:
        try:
            path = resolve(training_set.folder, case, text)
        except SegClassifyError as error:
            yield Finding("error", "broken entry", str(error).removesuffix("."), "", (case.name,))
            continue
        if not path.exists():
            yield _about("file gone", case, f": the file {path} is gone", "put it back or remove the case")


def _file_findings(training_set: TrainingSetReader, case: Case, seen: _Seen) -> Iterator[Finding]:
    """What the headers show."""
    try:
        grid = _header(training_set.image_paths(case)[0])
        for path in training_set.image_paths(case)[1:]:
            _header(path)
        mask = training_set.segmentation_path(case)
        # A .seg.nrrd may hold just the part of the grid that was drawn on; only reading it tells.
        mask_grid = _header(mask) if mask and ending(mask) != ".seg.nrrd" else None
    except SegClassifyError as error:
        yield _unreadable(case, f"Case {case.name!r}: {error}")
        return
    if grid is None:
        return
    seen.grids[case.name] = grid
    if not fits_dimension(grid, training_set.ndim):
        yield _about(
            "other dimension",
            case,
            f" is {grid.ndim}D in a {training_set.ndim}D training set",
            "give it a set of its own",
        )
    if mask_grid is not None and not _same_pixels(grid, mask_grid):
        yield _about(
            "other grid",
            case,
            f": the segmentation {mask} ({_size(mask_grid)} voxels) does not lie on the image's grid ({_size(grid)})",
            "give it one that does with `segclassify dataset change`",
        )


def _unreadable(case: Case, sentence: str) -> Finding:
    return Finding("error", "unreadable", sentence.removesuffix("."), "", (case.name,))


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


def _pixel_findings(training_set: TrainingSetReader, case: Case, seen: _Seen) -> Iterator[Finding]:
    """What only reading shows."""
    from SegClassifyLib.volumes.observation import observe

    try:
        image = training_set.load_image(case)
        seen.observations[case.name] = observe(image)
        if case.image_hash is not None and image.content_hash() != case.image_hash:
            yield Finding(
                "warning",
                "image changed",
                f"Case {case.name!r}: its image has changed since it was added",
                "add it anew if that is meant",
                (case.name,),
            )
        if case.segmentation is not None:
            mask = training_set.load_segmentation(case, image)
            if not mask.array.any():
                yield Finding(
                    "info",
                    "empty segmentation",
                    f"Case {case.name!r} has an empty segmentation (background only)",
                    "draw what is there, unless there is nothing",
                    (case.name,),
                )
    except SegClassifyError as error:
        yield _unreadable(case, str(error))


def _gaps(case: Case) -> Iterator[Finding]:
    if case.label_class is None and case.role != "segmenter":
        yield Finding(
            "info",
            "no class",
            f"Case {case.name!r} has no class yet and the classifier cannot use it",
            "give it a class",
            (case.name,),
        )
    if case.role == "classifier":
        return
    if case.segmentation is None:
        yield Finding(
            "info",
            "no segmentation",
            f"Case {case.name!r} has no segmentation and the segmenter cannot learn from it",
            "draw one, or make it a case for the classifier only",
            (case.name,),
        )
    elif case.segmentation_is_prediction:
        yield Finding(
            "info",
            "predicted segmentation",
            f"Case {case.name!r} has a predicted segmentation that nobody has corrected yet",
            "look at it and correct it",
            (case.name,),
        )


def _double_images(training_set: TrainingSetReader) -> Iterator[Finding]:
    by_hash: dict[str, list[Case]] = defaultdict(list)
    for case in training_set.cases:
        if case.image_hash is not None:
            by_hash[case.image_hash].append(case)
    for twins in by_hash.values():
        if len(twins) < 2:
            continue
        names = tuple(c.name for c in twins)
        leaks = len({c.group_name for c in twins}) > 1 or len({c.split for c in twins}) > 1
        classes = sorted({c.label_class for c in twins if c.label_class})
        what = f"Cases {', '.join(map(repr, names))} hold the same image"
        if leaks:
            what += " in different groups or splits, so a test can meet what was learnt from"
        remedy = "remove all but one"
        if len(classes) > 1:
            what += f" under different classes ({', '.join(classes)})"
            remedy += ", the one whose class is right"
        yield Finding("error" if leaks else "warning", "duplicate", what, remedy, names)


def _leaking_groups(training_set: TrainingSetReader) -> Iterator[Finding]:
    members: dict[str, list[Case]] = defaultdict(list)
    for case in training_set.cases:
        members[case.group_name].append(case)
    for group, cases in members.items():
        if len({c.split for c in cases}) > 1:
            yield Finding(
                "error",
                "split group",
                f"The group {group!r} has cases for training and for testing, which makes test results too good",
                "move all its cases to one split",
                tuple(c.name for c in cases),
            )


def _orphans(training_set: TrainingSetReader) -> Iterator[Finding]:
    for path in trash.orphans(training_set.folder, training_set.document):
        yield Finding(
            "warning",
            "orphan file",
            f"The file {path} belongs to no case",
            "`segclassify dataset tidy` deletes it",
        )
