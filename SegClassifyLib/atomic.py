"""Files and folders that appear on the disk whole or not at all, whatever kills the process or fills the disk.

What the system refuses is raised as it is, an ``OSError``; :mod:`SegClassifyLib.disk_errors` puts it into words.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

ARRIVING = ".arriving-"
"""Names of files and folders still being written start so; one that is left over belongs to a killed process."""

LEAVING = ".leaving-"
"""Names of folders that are being replaced start so."""

Overwrite = Literal["refuse", "replace"]


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a path beside ``target`` to write to; when the block ends it is on the disk, under the right name.

    If the block raises, what was written is removed and ``target`` is as it was before.

    Args:
        target: the wanted file; its folder is made. The path given has the same ending, by which writers choose
            a format.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(target, ARRIVING)
    try:
        yield temporary
        _flush_file(temporary)  # the last moment at which a full disk can still be noticed
        _replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(target.parent)


def write_bytes(target: Path, content: bytes) -> None:
    """Replace ``target`` by ``content``, whole or not at all."""
    with whole_file(target) as temporary:
        temporary.write_bytes(content)


def write_text(target: Path, content: str) -> None:
    """Replace ``target`` by ``content`` in UTF-8, its line ends as they are, whole or not at all."""
    write_bytes(target, content.encode("utf-8"))


def move_file(source: Path, target: Path) -> None:
    """Move a file within one disk; it is under the one name or the other."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _replace(source, target)
    _flush_folder(target.parent)
    _flush_folder(source.parent)


@contextmanager
def whole_folder(target: Path, overwrite: Overwrite) -> Iterator[Path]:
    """Give a folder beside ``target`` to fill, which becomes ``target`` when the block ends without an error.

    If the block raises, what was written is removed and ``target`` is as it was before.

    Args:
        target: the wanted folder; its parents are made.
        overwrite: ``replace`` a folder that is there, or ``refuse`` unless it is empty.

    Raises:
        OSError: also where a folder is refused.
    """
    work = _beside(target, ARRIVING)
    try:
        work.mkdir(parents=True)
        yield work
        _flush_tree(work)
        _exchange(work, target, overwrite)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _beside(target: Path, start: str) -> Path:
    """An unused name in the same folder, no longer than need be and with the same ending ("image.nii.gz")."""
    return target.with_name(f"{start}{secrets.token_hex(6)}{''.join(target.suffixes[-2:])}")


def _exchange(work: Path, target: Path, overwrite: Overwrite) -> None:
    old = _beside(target, LEAVING)
    replacing = target.is_dir() and (overwrite == "replace" or not any(target.iterdir()))
    if replacing:
        target.rename(old)
    try:
        work.rename(target)
    except OSError:
        if replacing:
            old.rename(target)
        raise
    _flush_folder(target.parent)
    if replacing:
        shutil.rmtree(old, ignore_errors=True)


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


def _flush_tree(folder: Path) -> None:
    """To the disk itself: a power cut after the rename must not leave a folder of empty files."""
    for path in folder.rglob("*"):
        if path.is_file():
            _flush_file(path)
        else:
            _flush_folder(path)
    _flush_folder(folder)


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
