"""Where files that a program makes for a training set wait until their case is added: in the set's own folder.

From there they are moved into their place, not copied, and a program that is killed leaves them where
:func:`stale` finds them.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from SegClassifyLib.cases.files import storage_errors
from SegClassifyLib.cases.presence import is_here

ARRIVALS = ".incoming"


@contextmanager
def arrival(folder: Path, owner: str) -> Iterator[Path]:
    """Give an empty folder in the set for the time of the block.

    Args:
        folder: of the set.
        owner: the presence of this program in the set, whose end makes the files stale.

    Raises:
        TrainingSetError: the set cannot be written.
    """
    home = folder / ARRIVALS / f"{owner}.{secrets.token_hex(4)}"
    with storage_errors(folder):
        home.mkdir(parents=True)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def is_arrival(folder: Path, source: Path) -> bool:
    """Whether a file waits in the set ``folder``, and so may be moved instead of copied."""
    return source.is_relative_to(folder / ARRIVALS)


def stale(folder: Path) -> list[Path]:
    """Files whose program is gone."""
    homes = (p for p in sorted((folder / ARRIVALS).glob("*")) if not is_here(folder, p.name.split(".")[0]))
    return [p for home in homes for p in sorted(home.rglob("*")) if p.is_file()]


def remove_stale(folder: Path) -> None:
    """Remove what programs that are gone left waiting."""
    for home in (folder / ARRIVALS).glob("*"):
        if home.is_dir() and not is_here(folder, home.name.split(".")[0]):
            shutil.rmtree(home, ignore_errors=True)
