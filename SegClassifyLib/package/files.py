"""The files of a model package: their names, and the list of hashes they are checked against."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from SegClassifyLib.errors import ModelPackageError

HASHES = "hashes.json"
DESCRIPTION = "configs/segclassify.json"
METADATA = "configs/metadata.json"
INFERENCE = "configs/inference.json"
CARD = "docs/README.md"
LICENCE = "LICENSE"
SEGMENTER_WEIGHTS = "models/segmenter.safetensors"
HEAD_ARRAYS = "models/head.safetensors"
TRUST_ARRAYS = "models/trust.safetensors"
REQUIRED = (DESCRIPTION, SEGMENTER_WEIGHTS)

MAX_TEXT_BYTES = 16 << 20
"""Of any JSON or text file: beyond this it is not a description."""


class FileEntry(BaseModel):
    """Hash and size of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class FileList(BaseModel):
    """``hashes.json``: every file of the package by its path, and one hash over the whole list.

    The hashes show damage, and tampering by someone who cannot also rewrite this list; they are no signature.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: Literal["sha256"] = "sha256"
    files: dict[str, FileEntry]
    digest: str

    @classmethod
    def of(cls, folder: Path) -> FileList:
        """Hash all files under ``folder``."""
        paths = sorted(p for p in folder.rglob("*") if p.is_file())
        entries = {
            p.relative_to(folder).as_posix(): FileEntry(sha256=sha256_of(p), bytes=p.stat().st_size)
            for p in paths
        }
        return cls(files=entries, digest=_digest(entries))


def read_file_list(folder: Path) -> FileList:
    """``hashes.json`` of a package folder, checked in itself; no other file is looked at.

    Raises:
        ModelPackageError: it is missing, damaged, or names files it may not.
    """
    if not folder.is_dir():
        raise ModelPackageError(f"{folder} is not a folder: give the folder or the .zip of a model package.")
    path = folder / HASHES
    if not path.exists():
        raise ModelPackageError(
            f"{folder} is not a model package (it has no {HASHES}): give the folder that holds configs and models."
        )
    return parse_file_list(read_text(path), path)


def parse_file_list(text: str, where: Path) -> FileList:
    """``hashes.json`` from its text; ``where`` is what to call it in an error."""
    try:
        listed = FileList.model_validate_json(text)
    except ValidationError as error:
        raise ModelPackageError(
            f"{where} is damaged ({first_problem(error)}): fetch the model package again."
        ) from error
    if listed.digest != _digest(listed.files):
        raise ModelPackageError(
            f"{where} has been changed since it was written: fetch the model package again."
        )
    for name in listed.files:
        if not is_safe_name(name):
            raise ModelPackageError(
                f"{where} names the file {name!r}, which lies outside the package: do not use this package."
            )
    missing = [name for name in REQUIRED if name not in listed.files]
    if missing:
        raise ModelPackageError(f"{where} does not list {missing[0]}: fetch the model package again.")
    return listed


def verify_file(folder: Path, name: str, entry: FileEntry, hashed: bool = True) -> Path:
    """The path of one listed file after checking that it is there, whole and unchanged.

    Args:
        folder: of the package.
        name: as listed.
        entry: what it should be.
        hashed: also compare the content hash; without it only presence and size.

    Raises:
        ModelPackageError: naming the file.
    """
    path = folder / name
    if path.resolve() != folder.resolve() / name:
        raise ModelPackageError(f"{path} is a link to somewhere else: do not use this package.")
    try:
        status = path.stat()
    except OSError as error:
        raise ModelPackageError(f"{path} is missing or unreadable: fetch the model package again.") from error
    if not stat.S_ISREG(status.st_mode):
        raise ModelPackageError(f"{path} is not a plain file: do not use this package.")
    if status.st_size != entry.bytes:
        raise ModelPackageError(
            f"{path} has {status.st_size} bytes and should have {entry.bytes}: fetch the model package again."
        )
    if hashed and sha256_of(path) != entry.sha256:
        raise ModelPackageError(
            f"{path} has been changed or damaged since it was written (wrong hash): fetch the model package again."
        )
    return path


def is_safe_name(name: str) -> bool:
    """Whether ``name`` is a relative path, in POSIX notation, that stays inside its folder on every system."""
    parts = name.split("/")
    plain = not any(c in name for c in '\\:\0*?"<>|') and name.isprintable()
    return (
        plain
        and bool(name)
        and all(p not in ("", ".", "..") for p in parts)
        and str(PurePosixPath(name)) == name
    )


def read_text(path: Path) -> str:
    """A small UTF-8 text file.

    Raises:
        ModelPackageError: unreadable, too large, or not text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEXT_BYTES + 1)
        if len(data) > MAX_TEXT_BYTES:
            raise ModelPackageError(f"{path} is too large for a description: do not use this package.")
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelPackageError(f"{path} cannot be read ({error}): fetch the model package again.") from error


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with plain newlines on every system, so that hashes agree."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def write_json(path: Path, content: object) -> None:
    """Write JSON that people can read; refuses NaN and infinity."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_file_list(folder: Path) -> None:
    """Hash all files under ``folder`` into ``hashes.json``."""
    write_json(folder / HASHES, FileList.of(folder).model_dump())


def sha256_of(path: Path) -> str:
    """Hash of a file's content, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def is_package(folder: Path) -> bool:
    """Whether ``folder`` looks like a model package; nothing is verified."""
    return (folder / HASHES).is_file() and (folder / DESCRIPTION).is_file()


def _digest(entries: dict[str, FileEntry]) -> str:
    lines = "".join(f"{e.sha256} {e.bytes} {name}\n" for name, e in sorted(entries.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def first_problem(error: ValidationError) -> str:
    """Where and what the first thing wrong is, for a sentence."""
    detail = error.errors()[0]
    place = ".".join(str(part) for part in detail["loc"])
    return f"{place}: {detail['msg']}" if place else detail["msg"]
