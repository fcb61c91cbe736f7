"""Files of a training set, written so that a kill or a full disk leaves the old content or the new."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.formats import ending

ARRIVING = ".arriving-"
"""Names of files that are still being written start so; one that is left over belongs to a killed process."""

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_SINGLE_FILE_TWIN = {".mhd": ".mha", ".nhdr": ".nrrd"}


def file_stem(path: Path) -> str:
    """A file's name without its ending (``.nii.gz`` as a whole); a folder's name as it is."""
    suffix = "" if path.is_dir() else ending(path)
    return path.name[: len(path.name) - len(suffix)]


def stored_suffix(path: Path) -> str:
    """The format in which a copy of an image is kept: its own, or one that needs a single file.

    A folder of DICOM files becomes an ``.nrrd``, which keeps the geometry exactly and leaves the patient's
    name behind.
    """
    return ".nrrd" if path.is_dir() else _SINGLE_FILE_TWIN.get(ending(path), ending(path))


def is_one_file(path: Path) -> bool:
    """Whether copying this one file copies the whole image."""
    return not path.is_dir() and ending(path) not in _SINGLE_FILE_TWIN


def explain_os_error(error: OSError, where: Path | str) -> str:
    """A sentence for what the operating system refused, with the remedy."""
    place = error.filename or where
    if error.errno in _FULL:
        return f"The disk of {where} is full; nothing was changed. Free some space and try again."
    if isinstance(error, PermissionError):
        return f"{place} may not be read or written; check the permissions of the file and its folder."
    if error.errno == errno.EROFS:
        return f"{where} is on a read-only disk; copy the folder to where you may write."
    if error.errno == errno.ENAMETOOLONG:
        return f"The path {place} is too long for this disk; use a shorter folder or case name."
    return f"{place}: {error.strerror or error}; check that the disk is there and the path is right."


@contextmanager
def storage_errors(where: Path | str) -> Iterator[None]:
    """Turn what the operating system refuses into a TrainingSetError that names ``where``."""
    try:
        yield
    except OSError as error:
        raise TrainingSetError(explain_os_error(error, where)) from error


@contextmanager
def arriving(target: Path) -> Iterator[Path]:
    """Give a path beside ``target`` to write to; when the block ends it is on the disk, under the right name.

    If the block raises, what was written is removed and ``target`` is as it was before.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f"{ARRIVING}{secrets.token_hex(4)}-{target.name}"
    try:
        yield temporary
        _flush_file(temporary)
        _replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(target.parent)


def write_durably(target: Path, content: bytes) -> None:
    """Replace ``target`` by ``content``, whole or not at all."""
    with arriving(target) as temporary:
        temporary.write_bytes(content)


def copy_durably(source: Path, target: Path) -> None:
    """Copy one file, whole or not at all."""
    with arriving(target) as temporary:
        shutil.copyfile(source, temporary)


def link_durably(source: Path, target: Path) -> None:
    """Make ``target`` another name of ``source``: a hard link, or a symbolic one across disks."""
    with arriving(target) as temporary:
        try:
            os.link(source.resolve(), temporary)
        except OSError:
            temporary.symlink_to(source.resolve())


def move_durably(source: Path, target: Path) -> None:
    """Move a file within one disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _replace(source, target)
    _flush_folder(target.parent)
    _flush_folder(source.parent)


def _replace(source: Path, target: Path) -> None:
    """``os.replace``, patient with Windows, where a reader of the target makes it fail for a moment."""
    for attempt in range(50 if os.name == "nt" else 1):
        try:
            source.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or attempt == 49:
                raise
            time.sleep(0.04)


def _flush_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut; Windows does this by itself and knows no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks cannot flush a folder
            raise
    finally:
        os.close(descriptor)
