"""Folders and files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package.files import is_package

Overwrite = Literal["refuse", "replace"]


@contextmanager
def new_folder(target: Path, overwrite: Overwrite, what: str) -> Iterator[Path]:
    """A folder to fill, which becomes ``target`` all at once when the block ends without an error.

    Args:
        target: where it will be.
        overwrite: ``refuse`` when something is there already, or ``replace`` a model package that is there.
        what: what is being written, for errors ("The model package 'Brain'").

    Raises:
        ModelPackageError: it cannot be written; nothing is left behind.
    """
    _check_target(target, overwrite, what)
    work = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        work.mkdir(parents=True)
        yield work
        _sync(work)
        _move_into_place(work, target, overwrite)
    except OSError as error:
        raise ModelPackageError(explain_write_error(error, what, target)) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def explain_write_error(error: OSError, what: str, target: Path) -> str:
    """Why ``what`` could not be written to ``target``, and what to do, in one sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{what} could not be written to {target}: the disk is full; make room or choose another folder."
        )
    reason = error.strerror or str(error)
    return f"{what} could not be written to {target} ({reason}): choose a folder that can be written to."


def _check_target(target: Path, overwrite: Overwrite, what: str) -> None:
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise ModelPackageError(
            f"{what} cannot be written to {target}: a file of that name is there already."
        )
    if not any(target.iterdir()):
        return
    if overwrite == "refuse":
        raise ModelPackageError(
            f"{target} exists already: choose another folder, or ask for it to be replaced."
        )
    if not is_package(target):
        raise ModelPackageError(
            f"{target} exists and is not a model package, so it is not replaced: choose another folder."
        )


def _move_into_place(work: Path, target: Path, overwrite: Overwrite) -> None:
    old = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.old"
    replacing = target.is_dir() and (overwrite == "replace" or not any(target.iterdir()))
    if replacing:
        target.rename(old)
    try:
        work.rename(target)
    except OSError:
        if replacing:
            old.rename(target)
        raise
    _sync_folder(target.parent)
    if replacing:
        shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    """To the disk itself: a power cut after the rename must not leave a package of empty files."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        else:
            _sync_folder(path)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems refuse
            os.fsync(handle)
    finally:
        os.close(handle)
