"""Who has a training set open: a note in its folder for every program, that a killed one cannot leave for long.

Every program holds the lock of its own note, which the system releases when the process is gone. From another
computer a lock cannot be trusted over every kind of shared disk; there the note's age tells.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import logging
import os
import platform
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from SegClassifyLib.atomic import write_text

FOLDER = ".open"
BEAT = 30.0
"""Seconds after which a note is renewed."""

GONE_AFTER = 150.0
"""Seconds without renewal after which a program on another computer counts as gone."""

_DATASET = "dataset.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Visitor:
    """A program that has the set open.

    Args:
        host: name of the computer.
        user: name of the person.
        pid: number of the process.
        program: number of the process that it works for; processes of one program are no strangers.
        since: when it opened the set, seconds since 1970.
    """

    host: str
    user: str
    pid: int
    program: int
    since: float


class Presence:
    """This process's note in a training set, and those of others.

    Args:
        folder: of the set.
        program: see :class:`Visitor`.
    """

    def __init__(self, folder: Path, program: int) -> None:
        self.id = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._folder, self._home = folder, folder / FOLDER
        self._me = Visitor(platform.node(), _user(), os.getpid(), program, time.time())
        self._lock: FileLock | None = None

    def enter(self) -> bool:
        """Leave the note; ``False`` where the folder cannot be written, which must not keep it from being read."""
        try:
            self._home.mkdir(exist_ok=True)
            _sweep(self._home)
            lock = FileLock(_lock_of(self._home, self.id))
            lock.acquire(timeout=0)
            self._lock = lock
            self._write()
        except (OSError, Timeout) as error:
            logger.info("No note of who has %s open: %s", self._folder, error)
            self.leave()
            return False
        return True

    def beat(self) -> None:
        """Renew the note; call this every :data:`BEAT` seconds."""
        if self._lock is None or not (self._folder / _DATASET).exists():
            return  # a set that was deleted is not to come back as a folder of notes
        try:
            os.utime(_note_of(self._home, self.id))
        except FileNotFoundError:  # this computer slept, and somebody took it for gone
            with contextlib.suppress(OSError):
                self._write()
        except OSError as error:
            logger.info("The note of who has %s open cannot be renewed: %s", self._folder, error)

    def leave(self) -> None:
        """Take the note away."""
        lock, self._lock = self._lock, None
        if lock is not None:
            _discard(self._home, self.id, lock)

    def others(self) -> tuple[Visitor, ...]:
        """Other programs that have the set open, the longest first; none where no note can be left."""
        if self._lock is None:
            return ()
        found = []
        for identity, visitor in _notes(self._home):
            mine = (visitor.host, visitor.program) == (self._me.host, self._me.program)
            if identity != self.id and not mine and _is_alive(self._home, identity, visitor, self._now()):
                found.append(visitor)
        return tuple(sorted(found, key=lambda v: v.since))

    def _write(self) -> None:
        write_text(_note_of(self._home, self.id), json.dumps(asdict(self._me)))

    def _now(self) -> float:
        """By the clock of the disk, which wrote all notes' times."""
        try:
            return _note_of(self._home, self.id).stat().st_mtime
        except OSError:
            return time.time()


def is_here(folder: Path, identity: str) -> bool:
    """Whether the program of this :attr:`Presence.id` still has the set open."""
    home = folder / FOLDER
    visitor = _read(_note_of(home, identity))
    return visitor is not None and _is_alive(home, identity, visitor, time.time())


def sentence_on(visitors: tuple[Visitor, ...]) -> str:
    """Who else is there and what that means; empty for nobody."""
    if not visitors:
        return ""
    here = platform.node()
    parts = []
    for v in visitors:
        where = f"another program on this computer ({v.user}, process {v.pid})"
        if v.host != here:
            where = f"{v.user} on {v.host}"
        parts.append(f"{where} since {_clock(v.since)}")
    return (
        f"Also open: {'; '.join(parts)}. What is changed there and here is kept, both, and shows in either place "
        "by itself."
    )


def _clock(moment: float) -> str:
    when = datetime.fromtimestamp(moment)
    return f"{when:%H:%M}" if when.date() == datetime.now().date() else f"{when:%Y-%m-%d %H:%M}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user in a container; no pwd module on Windows
        return "someone"


def _note_of(home: Path, identity: str) -> Path:
    return home / f"{identity}.json"


def _lock_of(home: Path, identity: str) -> Path:
    return home / f"{identity}.lock"


def _read(note: Path) -> Visitor | None:
    """What a note says; ``None`` where it is gone by now, or none of ours."""
    try:
        return Visitor(**json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _notes(home: Path) -> Iterator[tuple[str, Visitor]]:
    for note in home.glob("[!.]*.json"):
        visitor = _read(note)
        if visitor is not None:
            yield note.stem, visitor


def _is_alive(home: Path, identity: str, visitor: Visitor, now: float) -> bool:
    if not _is_unlocked(_lock_of(home, identity)):
        return True
    if visitor.host == platform.node():
        return False
    try:
        return now - _note_of(home, identity).stat().st_mtime < GONE_AFTER
    except OSError:
        return False


def _is_unlocked(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return False
    lock.release()
    return True


def _sweep(home: Path) -> None:
    """Take away the notes of programs that are gone."""
    for identity, visitor in list(_notes(home)):
        if not _is_alive(home, identity, visitor, time.time()):
            _discard(home, identity, FileLock(_lock_of(home, identity)))


def _discard(home: Path, identity: str, lock: FileLock) -> None:
    # The note first: a note without a lock would look like one of a program that is gone.
    for step in (_note_of(home, identity).unlink, lock.release, _lock_of(home, identity).unlink):
        with contextlib.suppress(
            OSError
        ):  # gone already; or Windows, where somebody is looking at it just now
            step()
