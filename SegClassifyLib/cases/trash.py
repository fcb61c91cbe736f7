"""Removed cases, kept in ``.trash`` so that they can come back.

A removal first writes the entry to the trash, then takes it out of ``dataset.json``, then moves the files: a
kill in between leaves files in place that nobody refers to, which :func:`find_file` still finds.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from SegClassifyLib.atomic import ARRIVING, move_file, write_text
from SegClassifyLib.cases import arrivals
from SegClassifyLib.cases.intake import Incoming, free_path
from SegClassifyLib.cases.names import name_key
from SegClassifyLib.cases.schema import Case, DatasetFile, Split
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.formats import ending, file_stem

TRASH = ".trash"
OWN_FOLDERS = ("images", "labels")
_ENTRY = "case.json"
_REPLACED = ".replaced"


@dataclass(frozen=True)
class Trashed:
    """One removed case and the folder that holds its files."""

    case: Case
    folder: Path


def is_own(path: str) -> bool:
    """Whether a path of ``dataset.json`` lies in the folders that SegClassify writes (and so may move)."""
    parts = path.split("/")
    return len(parts) > 1 and parts[0] in OWN_FOLDERS and ".." not in parts


def write_entry(folder: Path, case: Case) -> Trashed:
    """Note a case in the trash, before it is taken out of the set."""
    number, home = 1, folder / TRASH / case.name
    while home.exists():
        number += 1
        home = folder / TRASH / f"{case.name}.{number}"
    content = {"split": case.split, "case": case.to_json()}
    write_text(home / _ENTRY, json.dumps(content, indent=1))
    return Trashed(case, home)


def move_files(folder: Path, trashed: Trashed) -> None:
    """Move the case's own files into the trash; those moved already, or never ours, are left."""
    for name in filter(is_own, trashed.case.files):
        if (folder / name).exists():
            move_file(folder / name, trashed.folder / name)


def entries(folder: Path) -> list[Trashed]:
    """All removed cases, the latest removal last; damaged entries are left out."""
    found = []
    for home in sorted((folder / TRASH).glob(f"*/{_ENTRY}"), key=lambda p: p.stat().st_mtime_ns):
        try:
            content = json.loads(home.read_text(encoding="utf-8"))
            split: Split = content["split"]
            case = Case.model_validate(content["case"]).model_copy(update={"split": split})
        except (ValueError, KeyError, TypeError):
            continue
        found.append(Trashed(case, home.parent))
    return found


def find(folder: Path, name: str) -> Trashed | None:
    """The latest removed case of that name."""
    return next((t for t in reversed(entries(folder)) if name_key(t.case.name) == name_key(name)), None)


def find_file(folder: Path, trashed: Trashed, name: str, in_use: set[str]) -> Path | None:
    """Where a trashed case's file is: in the trash, still in its old place, or gone."""
    if (trashed.folder / name).exists():
        return trashed.folder / name
    return folder / name if name not in in_use and (folder / name).exists() else None


def bring_back(
    folder: Path, trashed: Trashed, document: DatasetFile, settle: Callable[[Incoming, str], str]
) -> Case:
    """Copy a trashed case's files to their places and return the case; the trash keeps its own.

    Raises:
        TrainingSetError: a file is gone.
    """
    in_use = {f for c in document.cases for f in c.files}
    places: dict[str, str] = {}
    for name in filter(is_own, trashed.case.files):
        source = find_file(folder, trashed, name, in_use)
        if source is None:
            raise TrainingSetError(
                f"Case {trashed.case.name!r} cannot be restored: {name} is gone from {trashed.folder}."
            )
        if source == folder / name:  # a removal that was killed before it moved this file
            places[name] = name
            continue
        stem = name.removesuffix(ending(source))
        places[name] = settle(Incoming(source, "copy", ending(source)), stem)
    update: dict[str, object] = {"images": tuple(places.get(i, i) for i in trashed.case.images)}
    if trashed.case.segmentation:
        update["segmentation"] = places.get(trashed.case.segmentation, trashed.case.segmentation)
    return trashed.case.model_copy(update=update)


def keep_replaced(folder: Path, name: str) -> Path | None:
    """Move a segmentation that no case uses any more into the trash, and say where; ``None`` if it is not ours."""
    source = folder / name
    if not is_own(name) or not source.exists():
        return None
    target = free_path(folder / TRASH / _REPLACED, file_stem(source), ending(source))
    move_file(source, target)
    return target


def as_incoming(kept: Path) -> Incoming:
    """A file of the trash on its way back into the set; raises TrainingSetError if it is gone."""
    if not kept.exists():
        raise TrainingSetError(f"The former segmentation {kept} is gone; it cannot come back.")
    return Incoming(kept, "copy", ending(kept))


def orphans(folder: Path, document: DatasetFile) -> list[Path]:
    """Files in our folders that no case uses, and files still arriving when a process was killed."""
    in_use = {name_key(f) for c in document.cases for f in c.files}
    found = [p for p in folder.glob(f"{ARRIVING}*") if p.is_file()]
    for own in OWN_FOLDERS:
        files = (p for p in sorted((folder / own).rglob("*")) if not p.is_dir())
        found += [p for p in files if name_key(p.relative_to(folder).as_posix()) not in in_use]
    return found


def tidy(folder: Path, document: DatasetFile, what: Literal["orphans", "everything"]) -> tuple[Path, ...]:
    """Delete orphans, after finishing removals that were killed; see ``TrainingSet.tidy``."""
    names = {name_key(c.name) for c in document.cases}
    for trashed in entries(folder):
        if name_key(trashed.case.name) not in names:
            _finish_removal(folder, trashed, document)
    deleted = [*orphans(folder, document), *arrivals.stale(folder)]
    if what == "everything" and (folder / TRASH).is_dir():
        deleted += [p for p in sorted((folder / TRASH).rglob("*")) if p.is_file()]
    for path in deleted:
        path.unlink()
    arrivals.remove_stale(folder)
    if what == "everything":
        shutil.rmtree(folder / TRASH, ignore_errors=True)
    return tuple(deleted)


def _finish_removal(folder: Path, trashed: Trashed, document: DatasetFile) -> None:
    in_use = {f for c in document.cases for f in c.files}
    for name in filter(is_own, trashed.case.files):
        if find_file(folder, trashed, name, in_use) == folder / name:
            move_file(folder / name, trashed.folder / name)


def discard(trashed: Trashed) -> None:
    """Delete a trashed case for good."""
    shutil.rmtree(trashed.folder, ignore_errors=True)
