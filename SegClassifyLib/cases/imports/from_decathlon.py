"""Cases from Medical Segmentation Decathlon and nnU-Net folders."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from SegClassifyLib.cases.files import storage_errors
from SegClassifyLib.cases.imports.plan import FoundCase, ImportPlan, ImportProblem
from SegClassifyLib.cases.paths import leaves_folder
from SegClassifyLib.cases.schema import Split
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.formats import file_stem

_FILE = "dataset.json"
_PARTS: tuple[tuple[Split, str, str], ...] = (
    ("train", "imagesTr", "labelsTr"),
    ("test", "imagesTs", "labelsTs"),
)


def plan_decathlon(folder: Path | str) -> ImportPlan:
    """Find the cases of a Decathlon or nnU-Net (version 1 or 2) folder.

    Read are ``dataset.json`` with its channel and label names, and the files of ``imagesTr``, ``labelsTr`` (split
    train), ``imagesTs`` and ``labelsTs`` (split test). Decathlon images may hold all channels in one 4D file.

    Args:
        folder: holds ``dataset.json``.

    Raises:
        TrainingSetError: no such folder, or its ``dataset.json`` says too little. Cases without their files
            become problems of the plan.
    """
    folder = Path(folder)
    content = _read(folder)
    if "segclassify" in content:
        raise TrainingSetError(f"{folder} is a SegClassify training set already; open it as it is.")
    is_nnunet = "channel_names" in content or "file_ending" in content
    channels = _numbered(folder, content, "channel_names" if is_nnunet else "modality")
    labels = _nnunet_labels(folder, content) if is_nnunet else _numbered(folder, content, "labels")
    found = (
        _nnunet_cases(folder, content, len(channels))
        if is_nnunet
        else _decathlon_cases(folder, content, len(channels))
    )
    cases: list[FoundCase] = []
    problems: list[ImportProblem] = []
    for case in found:
        missing = [p for p in (*case.images, case.segmentation) if p is not None and not p.is_file()]
        if missing or not case.images:
            what = f"there is no file {missing[0]}" if missing else "it has no image"
            problems.append(
                ImportProblem(case.where, f"{what}; put it there or take the case out of {_FILE}.")
            )
        else:
            cases.append(case)
    if not cases and not problems:
        raise TrainingSetError(f"{folder} holds no cases; its images should be in imagesTr.")
    return ImportPlan(folder, channels, tuple(cases), tuple(problems), labels)


def _read(folder: Path) -> dict[str, Any]:
    path = folder / _FILE
    if not path.is_file():
        raise TrainingSetError(
            f"There is no {path}; a Decathlon or nnU-Net folder holds a {_FILE} and imagesTr."
        )
    try:
        with storage_errors(path):
            content = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise TrainingSetError(
            f"{path} is damaged at line {error.lineno} ({error.msg}); correct that line."
        ) from error
    except UnicodeDecodeError as error:
        raise TrainingSetError(f"{path} is not UTF-8 text; save it again as UTF-8.") from error
    if not isinstance(content, dict):
        raise TrainingSetError(f"{path} holds no JSON object; this is no Decathlon or nnU-Net folder.")
    return content


def _numbered(folder: Path, content: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Names from a ``{"0": …, "1": …}`` object."""
    names = content.get(key)
    if not isinstance(names, dict) or not names:
        raise TrainingSetError(f'{folder / _FILE} needs the key "{key}", such as {{"0": "name"}}; add it.')
    if sorted(names) != sorted(str(n) for n in range(len(names))):
        raise TrainingSetError(
            f'{folder / _FILE}: the keys of "{key}" must be "0", "1", … without a gap, not {", ".join(names)}.'
        )
    return _apart(str(names[str(n)]) for n in range(len(names)))


def _apart(names: Iterator[str]) -> tuple[str, ...]:
    """Names told apart by a number where two are the same ("MRI", "MRI")."""
    result: list[str] = []
    for name in names:
        number, wanted = 1, name
        while wanted.casefold() in (r.casefold() for r in result):
            number += 1
            wanted = f"{name} {number}"
        result.append(wanted)
    return tuple(result)


def _nnunet_labels(folder: Path, content: Mapping[str, Any]) -> tuple[str, ...]:
    labels = content.get("labels")
    if not isinstance(labels, dict) or not labels:
        raise TrainingSetError(
            f'{folder / _FILE} needs the key "labels", such as {{"background": 0, "tumour": 1}}.'
        )
    for name, value in labels.items():
        if not isinstance(value, (int, str)) or not str(value).isdecimal():
            raise TrainingSetError(
                f"{folder / _FILE}: the label {name!r} is the region {value}, not one value; regions that overlap "
                "are not supported, so name the plain values of the label maps instead."
            )
        if name == "ignore":
            raise TrainingSetError(
                f"{folder / _FILE}: the label 'ignore' is not supported; label these voxels, or leave it out."
            )
    by_value = {str(int(value)): name for name, value in labels.items()}
    return _numbered(folder, {"labels": by_value}, "labels")


def _nnunet_cases(folder: Path, content: Mapping[str, Any], channels: int) -> Iterator[FoundCase]:
    """Cases by file name (``imagesTr/alpha_0000.nii.gz``), or as listed under ``dataset``."""
    listed = content.get("dataset")
    if isinstance(listed, dict):
        for name, entry in listed.items():
            images = tuple(_inside(folder, i) for i in entry.get("images", ()))
            label = entry.get("label")
            yield FoundCase(name, name, images, _inside(folder, label) if label else None)
        return
    ending = str(content.get("file_ending", ".nii.gz"))
    for split, images_name, labels_name in _PARTS:
        first_channel = sorted((folder / images_name).glob(f"*_0000{ending}"))
        for first in first_channel:
            name = first.name.removesuffix(f"_0000{ending}")
            images = tuple(first.parent / f"{name}_{n:04d}{ending}" for n in range(channels))
            label_path = folder / labels_name / f"{name}{ending}"
            wanted = label_path if split == "train" or label_path.is_file() else None
            yield FoundCase(f"{images_name}/{name}", name, images, wanted, split=split)


def _decathlon_cases(folder: Path, content: Mapping[str, Any], channels: int) -> Iterator[FoundCase]:
    for split, key in (("train", "training"), ("test", "test")):
        entries = content.get(key, [])
        for number, entry in enumerate(entries if isinstance(entries, list) else []):
            where = f'entry {number + 1} of "{key}"'
            image = entry.get("image") if isinstance(entry, dict) else entry
            label = entry.get("label") if isinstance(entry, dict) else None
            if not isinstance(image, str):
                yield FoundCase(where, where, ())
                continue
            path = _inside(folder, image)
            yield FoundCase(
                where,
                file_stem(path),
                _channel_files(path, channels),
                _inside(folder, label) if label else None,
                split=cast(Split, split),
            )


def _channel_files(path: Path, channels: int) -> tuple[Path, ...]:
    """nnU-Net version 1 lists ``alpha.nii.gz`` and stores ``alpha_0000.nii.gz``, one file a channel."""
    if path.is_file():
        return (path,)
    stem = file_stem(path)
    ending = path.name[len(stem) :]
    numbered = tuple(path.parent / f"{stem}_{n:04d}{ending}" for n in range(channels))
    return numbered if numbered[0].is_file() else (path,)


def _inside(folder: Path, text: str) -> Path:
    if leaves_folder(text):
        raise TrainingSetError(f"{folder / _FILE}: the path {text!r} leads out of the folder; correct it.")
    return folder / text
