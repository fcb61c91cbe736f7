"""What the operating system refuses, as sentences with the remedy."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from SegClassifyLib.atomic import ARRIVING
from SegClassifyLib.errors import SegClassifyError

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows knows no EDQUOT


def is_disk_full(error: BaseException) -> bool:
    """Whether there is no room: on the disk, in the user's share of it, or for a file as large as that."""
    return isinstance(error, OSError) and error.errno in _FULL


def explain_os_error(error: OSError, where: Path | str) -> str:
    """A sentence for what the operating system refused, with the remedy.

    Args:
        error: what was raised.
        where: the file or folder that the user knows of, for errors that name none.
    """
    named = error.filename is not None and not Path(str(error.filename)).name.startswith(ARRIVING)
    place = error.filename if named else where
    if is_disk_full(error):
        return f"The disk of {where} is full; nothing was changed. Free some space and try again."
    if isinstance(error, PermissionError):
        return f"{place} may not be read or written; check the permissions of the file and its folder."
    if error.errno == errno.EROFS:
        return f"{where} is on a read-only disk; copy the folder to where you may write."
    if error.errno == errno.ENAMETOOLONG:
        return f"The path {place} is too long for this disk; use a shorter folder or case name."
    return f"{place}: {error.strerror or error}; check that the disk is there and the path is right."


@contextmanager
def disk_errors(where: Path | str, family: type[SegClassifyError] = SegClassifyError) -> Iterator[None]:
    """Turn what the operating system refuses into an error of ``family`` that names ``where``."""
    try:
        yield
    except OSError as error:
        raise family(explain_os_error(error, where)) from error
