"""How the files of a training set get to their place, and in which format a copy is kept."""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractContextManager
from pathlib import Path

from SegClassifyLib.atomic import whole_file
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.formats import ending

_SINGLE_FILE_TWIN = {".mhd": ".mha", ".nhdr": ".nrrd"}


def stored_suffix(path: Path) -> str:
    """The format in which a copy of an image is kept: its own, or one that needs a single file.

    A folder of DICOM files becomes an ``.nrrd``, which keeps the geometry exactly and leaves the patient's
    name behind.
    """
    return ".nrrd" if path.is_dir() else _SINGLE_FILE_TWIN.get(ending(path), ending(path))


def is_one_file(path: Path) -> bool:
    """Whether copying this one file copies the whole image."""
    return not path.is_dir() and ending(path) not in _SINGLE_FILE_TWIN


def storage_errors(where: Path | str) -> AbstractContextManager[None]:
    """Turn what the operating system refuses into a TrainingSetError that names ``where``."""
    return disk_errors(where, TrainingSetError)


def copy_file(source: Path, target: Path) -> None:
    """Copy one file, whole or not at all."""
    with whole_file(target) as temporary:
        shutil.copyfile(source, temporary)


def link_file(source: Path, target: Path) -> None:
    """Make ``target`` another name of ``source``: a hard link, or a symbolic one across disks."""
    with whole_file(target) as temporary:
        try:
            os.link(source.resolve(), temporary)
        except OSError:
            temporary.symlink_to(source.resolve())
