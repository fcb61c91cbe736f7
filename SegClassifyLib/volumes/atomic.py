"""A file is there whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.formats import ending


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; what was written there replaces ``path`` when all went well.

    Args:
        path: the wanted file. The temporary name has the same ending, by which writers choose a format.

    Raises:
        ImageError: the folder is missing or closed, the disk is full, or the writer failed; ``path`` is then
            what it was before.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex[:12]}{ending(path)}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # the last moment at which a full disk can still be noticed
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(path: Path, error: Exception) -> ImageError:
    folder = path.parent
    if not folder.is_dir():
        return ImageError(
            f"{path} cannot be written because the folder {folder} does not exist: make it first."
        )
    if path.is_dir():
        return ImageError(f"{path} cannot be written because it is a folder: choose another name.")
    if not os.access(folder, os.W_OK):
        return ImageError(f"{path} cannot be written because {folder} is read-only: choose another folder.")
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT) or shutil.disk_usage(folder).free < 1 << 20:
        return ImageError(
            f"{path} cannot be written because the disk is full: free some space or choose another."
        )
    reason = (getattr(error, "strerror", None) or "the disk is full or failing").lower()
    return ImageError(
        f"{path} cannot be written ({reason}): check the free space and the rights of its folder, or choose another."
    )
