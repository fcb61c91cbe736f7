"""One writer at a time, on one machine or over a shared disk; readers need no lock."""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from SegClassifyLib.cases.files import storage_errors
from SegClassifyLib.errors import TrainingSetError

LOCK_NAME = ".lock"
OWNER_NAME = ".lock-owner"


class WriterLock:
    """The lock of one training-set folder.

    Args:
        folder: the training set.
        timeout: seconds to wait for another writer.
    """

    def __init__(self, folder: Path, timeout: float) -> None:
        self._folder = folder
        self._owner = folder / OWNER_NAME
        self._timeout = timeout
        self._lock = FileLock(folder / LOCK_NAME)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for the block; may be nested.

        Raises:
            TrainingSetError: another writer did not finish in time (the sentence says who and where), or the
                folder cannot be written.
        """
        with storage_errors(self._folder):
            try:
                proxy = self._lock.acquire(timeout=self._timeout)
            except Timeout as error:
                raise TrainingSetError(
                    f"The training set {self._folder} is being changed by {self._who()}; "
                    f"waited {self._timeout:g} s. Try again when that has finished."
                ) from error
        with proxy:
            # Only read when someone waits in vain, so a stale or unwritable note does no harm.
            with contextlib.suppress(OSError):
                self._owner.write_text(_signature(), encoding="utf-8")
            yield

    def _who(self) -> str:
        try:
            return self._owner.read_text(encoding="utf-8").strip() or "another process"
        except OSError:
            return "another process"


def _signature() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user in a container; no pwd module on Windows
        user = "someone"
    return f"{user} on {platform.node()} (process {os.getpid()}, since {datetime.now():%H:%M:%S})"
