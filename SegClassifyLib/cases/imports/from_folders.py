"""Cases from folders named after their classes: ``root/<class>/<image file or case folder>``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from SegClassifyLib.cases.files import storage_errors
from SegClassifyLib.cases.imports.plan import FoundCase, ImportPlan, ImportProblem
from SegClassifyLib.cases.names import name_key
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.formats import ending, file_stem, kind_by_ending

_MASK_SUFFIX = re.compile(r"(.*?)[-_. ](mask|masks|seg|segmentation|label|labels|labelmap)$", re.IGNORECASE)
_MASK_WORDS = {"mask", "seg", "segmentation", "label", "labelmap", "labels"}
_MASK_FOLDERS = {"mask", "masks", "seg", "segs", "segmentation", "segmentations", "labels", "label"}
_IMAGE_FOLDERS = {"image", "images"}


@dataclass(frozen=True)
class _Entry:
    """One image file, or a folder that is one case."""

    path: Path
    name: str


def plan_folders(root: Path | str, channels: Sequence[str] | None = None) -> ImportPlan:
    """Find cases in class-named folders.

    In a class's folder each image file is a case, and each sub-folder is one: with a file for every channel (named
    after it: ``T1.nii.gz``, ``alpha_T1.nii.gz``), or with the files of one DICOM series. A segmentation is a file
    with ``_mask``, ``_seg``, ``-seg`` or the like at its end, or one of the image's name in a folder ``masks``
    beside the images or beside the classes.

    Args:
        root: the folder of the class folders.
        channels: those of the training set; ``None`` takes them from the file names of the first case folder.

    Raises:
        TrainingSetError: no such folder, or no classes in it. Bad cases become problems of the plan.
    """
    root = Path(root)
    if not root.is_dir():
        raise TrainingSetError(f"There is no folder {root}; check the path.")
    class_folders = [p for p in _listing(root) if p.is_dir() and p.name.casefold() not in _MASK_FOLDERS]
    if not class_folders:
        raise TrainingSetError(
            f"{root} holds no folders; put the images of each class into a folder of its name."
        )
    names = tuple(channels) if channels else _guess_channels(class_folders)
    cases: list[FoundCase] = []
    problems: list[ImportProblem] = []
    for folder in class_folders:
        found = len(cases) + len(problems)
        for entry in _entries(folder):
            where = str(entry.path.relative_to(root))
            try:
                case = (
                    _case_folder(entry, where, names)
                    if entry.path.is_dir()
                    else _case_file(entry, where, names, root)
                )
                cases.append(replace(case, label_class=folder.name))
            except TrainingSetError as error:
                problems.append(ImportProblem(where, str(error)))
        if len(cases) + len(problems) == found:
            problems.append(
                ImportProblem(folder.name, f"the folder {folder} holds no images; remove it or fill it.")
            )
    return ImportPlan(root, names, tuple(_apart(cases)), tuple(problems))


def plan_unsorted(folder: Path | str, channels: Sequence[str]) -> ImportPlan:
    """Find cases without a class in one folder: image files and sub-folders, as in :func:`plan_folders`.

    Args:
        folder: of the images; masks in it are passed over.
        channels: those of the training set.

    Raises:
        TrainingSetError: no such folder, or no image in it. Bad cases become problems of the plan.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise TrainingSetError(f"There is no folder {folder}; check the path.")
    cases: list[FoundCase] = []
    problems: list[ImportProblem] = []
    for entry in _entries(folder):
        where = str(entry.path.relative_to(folder))
        try:
            if entry.path.is_dir():
                cases.append(_case_folder(entry, where, channels))
            else:
                cases.append(FoundCase(where, entry.name, (entry.path,)))
        except TrainingSetError as error:
            problems.append(ImportProblem(where, str(error)))
    if not cases and not problems:
        raise TrainingSetError(f"The folder {folder} holds no images; choose another.")
    return ImportPlan(folder, tuple(channels), tuple(cases), tuple(problems))


def _apart(cases: Sequence[FoundCase]) -> list[FoundCase]:
    """Cases of different classes that have the same name get the class in front."""
    times = Counter(name_key(case.name) for case in cases)
    return [replace(c, name=f"{c.label_class}_{c.name}") if times[name_key(c.name)] > 1 else c for c in cases]


def _listing(folder: Path) -> list[Path]:
    with storage_errors(folder):
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))


def _image_files(folder: Path) -> list[Path]:
    return [p for p in _listing(folder) if p.is_file() and kind_by_ending(p) is not None]


def _entries(class_folder: Path) -> Iterable[_Entry]:
    for path in _listing(class_folder):
        if path.is_dir() and path.name.casefold() in _IMAGE_FOLDERS:
            yield from _entries(path)
        elif path.is_dir():
            if path.name.casefold() not in _MASK_FOLDERS:
                yield _Entry(path, path.name)
        elif kind_by_ending(path) is not None and not _is_mask(path):
            yield _Entry(path, file_stem(path))


def _is_mask(path: Path) -> bool:
    return ending(path) == ".seg.nrrd" or _MASK_SUFFIX.match(file_stem(path)) is not None


def _case_file(entry: _Entry, where: str, channels: Sequence[str], root: Path) -> FoundCase:
    """A case that is one file; with several channels it must hold them all."""
    masks = [p for p in _image_files(entry.path.parent) if _is_mask(p) and _mask_stem(p) == entry.name]
    for folder in _mask_folders(entry.path, root):
        masks += [p for p in _image_files(folder) if entry.name in (file_stem(p), _mask_stem(p))]
    return FoundCase(where, entry.name, (entry.path,), _the_one(masks, entry.name))


def _mask_stem(path: Path) -> str:
    """The image's name in a mask's name."""
    match = _MASK_SUFFIX.match(file_stem(path))
    return match[1] if match else file_stem(path)


def _mask_folders(image: Path, root: Path) -> list[Path]:
    """Where the mask of an image file may lie: in ``masks`` beside it, one up, or in ``root/masks/<class>``."""
    homes = [image.parent]
    if image.parent.name.casefold() in _IMAGE_FOLDERS:
        homes.append(image.parent.parent)
    found = [p for home in homes for p in _listing(home) if p.is_dir() and p.name.casefold() in _MASK_FOLDERS]
    for folder in (p for p in _listing(root) if p.is_dir() and p.name.casefold() in _MASK_FOLDERS):
        own = folder / homes[-1].name
        found.append(own if own.is_dir() else folder)
    return found


def _case_folder(entry: _Entry, where: str, channels: Sequence[str]) -> FoundCase:
    """A case that is a folder: a file or DICOM folder for each channel, or one DICOM series."""
    files = _image_files(entry.path)
    inner = [p for p in _listing(entry.path) if p.is_dir() and p.name.casefold() not in _MASK_FOLDERS]
    masks = [p for p in files if ending(p) == ".seg.nrrd" or _words(p) & _MASK_WORDS]
    for folder in _listing(entry.path):
        if folder.is_dir() and folder.name.casefold() in _MASK_FOLDERS:
            masks += _image_files(folder)
    images = [p for p in files if p not in masks and kind_by_ending(p) != "DICOM"]
    if not images and not inner:
        if len(channels) > 1:
            raise TrainingSetError(f"the folder {entry.path} needs a file for each of {', '.join(channels)}.")
        return FoundCase(where, entry.name, (entry.path,), _the_one(masks, entry.name))
    if len(channels) == 1 and len(images) == 1:
        return FoundCase(where, entry.name, (images[0],), _the_one(masks, entry.name))
    by_channel = tuple(_the_channel(channel, [*images, *inner], entry) for channel in channels)
    return FoundCase(where, entry.name, by_channel, _the_one(masks, entry.name))


def _the_channel(channel: str, candidates: Sequence[Path], entry: _Entry) -> Path:
    matching = [p for p in candidates if _channel_word(p, entry.name).casefold() == channel.casefold()]
    if not matching:
        wanted = "".join(f" {w} " for w in _split(channel))
        matching = [p for p in candidates if wanted in "".join(f" {w} " for w in _split(file_stem(p)))]
    if len(matching) != 1:
        what = "no file" if not matching else f"{len(matching)} files"
        raise TrainingSetError(
            f"the folder {entry.path} has {what} for the channel {channel!r}; name one after it ({channel}.nii.gz)."
        )
    return matching[0]


def _the_one(masks: Sequence[Path], name: str) -> Path | None:
    unique = sorted(set(masks))
    if len(unique) > 1:
        raise TrainingSetError(
            f"the case {name!r} has {len(unique)} segmentations ({', '.join(p.name for p in unique)}); keep one."
        )
    return unique[0] if unique else None


def _split(text: str) -> list[str]:
    return [w for w in re.split(r"[^0-9a-z]+", text.casefold()) if w]


def _words(path: Path) -> set[str]:
    return set(_split(file_stem(path)))


def _channel_word(path: Path, case: str) -> str:
    """What a file is called besides the case: ``alpha_T1.nii.gz`` of case alpha is ``T1``."""
    stem = file_stem(path)
    return stem[len(case) :].strip("-_. ") if stem.casefold().startswith(case.casefold()) else stem


def _guess_channels(class_folders: Sequence[Path]) -> tuple[str, ...]:
    """Channel names from the first case folder with several images; one channel where there is none."""
    for folder in class_folders:
        for entry in _entries(folder):
            if not entry.path.is_dir():
                continue
            files = [
                p
                for p in _image_files(entry.path)
                if kind_by_ending(p) != "DICOM" and ending(p) != ".seg.nrrd"
            ]
            images = [p for p in files if not _words(p) & _MASK_WORDS]
            if len(images) > 1:
                return tuple(_channel_word(p, entry.name) for p in images)
    return ("image",)
