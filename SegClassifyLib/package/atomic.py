"""Folders of model packages that appear whole or not at all, and only ever replace another package."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from SegClassifyLib.atomic import Overwrite, whole_folder
from SegClassifyLib.disk_errors import is_disk_full
from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package.files import is_package


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
    try:
        with whole_folder(target, overwrite) as work:
            yield work
    except OSError as error:
        raise ModelPackageError(explain_write_error(error, what, target)) from error


def explain_write_error(error: OSError, what: str, target: Path) -> str:
    """Why ``what`` could not be written to ``target``, and what to do, in one sentence."""
    if is_disk_full(error):
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
