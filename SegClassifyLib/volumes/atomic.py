"""An image file is there whole or not at all, and what stands in the way is said in words."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from SegClassifyLib.atomic import whole_file
from SegClassifyLib.disk_errors import is_disk_full
from SegClassifyLib.errors import ImageError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """:func:`SegClassifyLib.atomic.whole_file` for writers of images, which hide the system's reason.

    Args:
        path: the wanted file; its folder must be there, for a mistyped one is not to be made.

    Raises:
        ImageError: the folder is missing or closed, the disk is full, or the writer failed; ``path`` is then
            what it was before.
    """
    if not path.parent.is_dir():
        raise ImageError(
            f"{path} cannot be written because the folder {path.parent} does not exist: make it first."
        )
    try:
        with whole_file(path) as temporary:
            yield temporary
    except (OSError, RuntimeError) as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> ImageError:
    folder = path.parent
    if path.is_dir():
        return ImageError(f"{path} cannot be written because it is a folder: choose another name.")
    if not os.access(folder, os.W_OK):
        return ImageError(f"{path} cannot be written because {folder} is read-only: choose another folder.")
    if is_disk_full(error) or shutil.disk_usage(folder).free < 1 << 20:
        return ImageError(
            f"{path} cannot be written because the disk is full: free some space or choose another."
        )
    reason = (getattr(error, "strerror", None) or "the disk is full or failing").lower()
    return ImageError(
        f"{path} cannot be written ({reason}): check the free space and the rights of its folder, or choose another."
    )
