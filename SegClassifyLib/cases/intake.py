"""What is checked of a case's files before the training set takes them, and how they get to their place."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from SegClassifyLib.atomic import move_file, whole_file
from SegClassifyLib.cases.arrivals import is_arrival
from SegClassifyLib.cases.files import copy_file, is_one_file, link_file, storage_errors, stored_suffix
from SegClassifyLib.errors import ImageError, TrainingSetError
from SegClassifyLib.volumes.image import Image, Label, LabelMap

if TYPE_CHECKING:
    from SegClassifyLib.volumes.geometry import Geometry

CopyMode = Literal["copy", "link", "reference"]
Check = Literal["full", "none"]
_LABEL_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".seg.nrrd", ".mha", ".png")


@dataclass(frozen=True)
class Incoming:
    """One checked file on its way into the set.

    Args:
        source: the user's file or DICOM folder.
        mode: copy it, link it, or only write down where it is.
        suffix: format of the copy.
        content: written instead of a plain copy where the file's form or values have to change.
    """

    source: Path
    mode: CopyMode
    suffix: str
    content: Image | LabelMap | None = None

    def settle(self, folder: Path, stem: str) -> str:
        """Put the file at ``stem`` (a path below ``folder``, no suffix) and return what to write down."""
        if self.mode == "reference":
            return reference_path(folder, self.source)
        target = free_path(folder, stem, self.suffix)
        if self.content is not None:
            _write(self.content, target)
        elif is_arrival(folder, self.source):
            move_file(self.source, target)
        elif self.mode == "link":
            link_file(self.source, target)
        else:
            copy_file(self.source, target)
        return target.relative_to(folder).as_posix()


def free_path(folder: Path, stem: str, suffix: str) -> Path:
    """``stem + suffix`` below ``folder``, numbered if a file of that name is there."""
    number, target = 1, folder / f"{stem}{suffix}"
    while target.exists() or target.is_symlink():
        number += 1
        target = folder / f"{stem}-{number}{suffix}"
    return target


def reference_path(folder: Path, source: Path) -> str:
    """How ``dataset.json`` names a file that stays where it is: relative where the drives are the same."""
    try:
        return Path(os.path.relpath(source.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return source.resolve().as_posix()


def read_images(case: str, images: Sequence[Path], channels: Sequence[str]) -> Image:
    """All channels of a case; a single colour picture may hold them all.

    Raises:
        TrainingSetError: not one file a channel, or a file is missing.
        ImageError: a file cannot be read, or holds nothing.
    """
    from SegClassifyLib.volumes.read import read_channels

    if len(images) not in (1, len(channels)):
        raise TrainingSetError(
            f"Case {case!r} has {len(images)} image(s) but the training set has {len(channels)} channel(s) "
            f"({', '.join(channels)}); give one file for each, in this order."
        )
    for path in images:
        require_file(case, path)
    try:
        image = read_channels(images, channels)
    except ImageError as error:
        raise ImageError(f"Case {case!r}: {error}") from error
    return image


def incoming_images(
    case: str, images: Sequence[Path], channels: Sequence[str], mode: CopyMode
) -> list[Incoming]:
    """How image files get into the set; a DICOM folder or header-and-data pair is rewritten as one file."""
    incoming = []
    for number, path in enumerate(images):
        content = None
        if mode == "copy" and not is_one_file(path):
            content = read_images(case, [path], [channels[number]])
        if mode == "link" and not is_one_file(path):
            raise TrainingSetError(
                f"Case {case!r}: {path} is more than one file and cannot be linked; copy it or refer to it."
            )
        incoming.append(Incoming(path, mode, stored_suffix(path), content))
    return incoming


def incoming_segmentation(
    case: str,
    path: Path,
    labels: Sequence[Label],
    like: Geometry | None,
    mode: CopyMode = "copy",
    label_values: Mapping[int, int] | None = None,
) -> Incoming:
    """Check a segmentation and say how it gets into the set.

    Args:
        case: for sentences.
        path: label map.
        labels: what the set knows.
        like: the image's grid; ``None`` skips all checks of the content.
        mode: as for images.
        label_values: value in the file → value in the set (``{255: 1}``), for values that differ.

    Raises:
        TrainingSetError: file missing, or a value that is no label of the set.
        ImageError: unreadable, or on another grid than the image.
    """
    from SegClassifyLib.volumes.read import read_label_map

    require_file(case, path)
    if like is None and not label_values and is_one_file(path):
        return Incoming(path, mode, stored_suffix(path))
    try:
        label_map = read_label_map(path, like=like)
    except ImageError as error:
        raise ImageError(f"Case {case!r}: {error}") from error
    mapping = dict(label_values) if label_values else values_by_name(case, path, label_map.labels, labels)
    array = translate(case, path, label_map.array, mapping, labels)
    if mode != "copy":
        if array is not label_map.array:
            raise TrainingSetError(
                f"Case {case!r}: the values of the segmentation {path} have to be changed to the training set's, "
                "so it must be copied; use the mode 'copy'."
            )
        return Incoming(path, mode, stored_suffix(path))
    if is_one_file(path) and _reads_plainly(path, array, like):
        return Incoming(path, mode, stored_suffix(path))
    suffix = stored_suffix(path)
    content = LabelMap(array, label_map.geometry, tuple(labels))
    return Incoming(path, mode, suffix if suffix in _LABEL_SUFFIXES else ".nii.gz", content)


def _reads_plainly(path: Path, array: np.ndarray, like: Geometry | None) -> bool:
    """Whether other tools, which know nothing of cropped, turned or 255-valued masks, see the same label map."""
    from SegClassifyLib.volumes.loading import load

    loaded = load(path)
    if loaded.array.shape != array.shape or not np.array_equal(loaded.array, array):
        return False
    return like is None or loaded.kind == "picture" or loaded.geometry.is_close(like, 0.01)


def read_segmentation(case: str, path: Path, like: Geometry, labels: Sequence[Label]) -> LabelMap:
    """A case's label map on its grid, with the set's labels; raises as :func:`incoming_segmentation`."""
    from SegClassifyLib.volumes.read import read_label_map

    require_file(case, path)
    try:
        label_map = read_label_map(path, like=like)
    except ImageError as error:
        raise ImageError(f"Case {case!r}: {error}") from error
    mapping = values_by_name(case, path, label_map.labels, labels)
    array = translate(case, path, label_map.array, mapping, labels)
    return LabelMap(array, label_map.geometry, tuple(labels))


def values_by_name(case: str, path: Path, found: Sequence[Label], labels: Sequence[Label]) -> dict[int, int]:
    """Value in the file → value in the set, for labels that have the same name and another value.

    The order of segments in a ``.seg.nrrd`` is an accident of drawing; its names are what was meant.
    """
    wanted = {label.name.casefold(): label.value for label in labels}
    pairs = {label.value: wanted.get(label.name.casefold(), label.value) for label in found}
    if len(set(pairs.values())) < len(pairs):
        names = ", ".join(label.name for label in found)
        raise TrainingSetError(
            f"Case {case!r}: two segments of {path} ({names}) would become one label; "
            "name its segments like the labels of the training set."
        )
    return {old: new for old, new in pairs.items() if old != new}


def translate(
    case: str, path: Path, array: np.ndarray, mapping: Mapping[int, int], labels: Sequence[Label]
) -> np.ndarray:
    """``array`` with its values replaced by ``mapping``; the very same array where nothing changes.

    Raises:
        TrainingSetError: a value is then no label of the set.
    """
    present = label_values_in(array)
    known = {label.value: label.name for label in labels}
    moved = {old: mapping.get(old, old) for old in present}
    unknown = [old for old, new in moved.items() if new not in known]
    if unknown:
        names = ", ".join(f"{value} {name}" for value, name in known.items())
        raise TrainingSetError(
            f"Case {case!r}: the segmentation {path} holds the value {unknown[0]}, which is no label of the "
            f"training set ({names}); say which label it is (label_values, --label-value {unknown[0]}=1), "
            "or correct the file."
        )
    if all(old == new for old, new in moved.items()):
        return array
    result = np.zeros_like(array)
    for old, new in moved.items():
        result[array == old] = new
    return result


def label_values_in(array: np.ndarray) -> list[int]:
    """The values that occur, ascending; much faster than a sort for the few values of label maps."""
    if array.size and array.dtype.kind == "u" and int(array.max()) < 1 << 20:
        return [int(v) for v in np.flatnonzero(np.bincount(array.ravel()))]
    return [int(v) for v in np.unique(array)]


def require_file(case: str, path: Path) -> None:
    """Raise a TrainingSetError unless ``path`` is there."""
    with storage_errors(path):
        is_there = path.exists()
    if not is_there:
        raise TrainingSetError(f"Case {case!r}: there is no file {path}; check the path.")


def _write(content: Image | LabelMap, target: Path) -> None:
    from SegClassifyLib.volumes.write import write_image, write_label_map

    with whole_file(target) as temporary:
        if isinstance(content, LabelMap):
            write_label_map(content, temporary)
        else:
            write_image(content, temporary)
