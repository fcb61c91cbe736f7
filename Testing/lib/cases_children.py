"""What the processes do that tests of the training set start and kill.

Apart from the tests, so that a process started by the fork server imports nothing that is not there already.
"""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from cases_data import write_volume

from SegClassifyLib.cases.lock import WriterLock
from SegClassifyLib.cases.training_set import TrainingSet

IN_PLACE = 77
"""Exit code: a file was opened for writing under its own name."""


def keep_writing(folder: Path, sources: Path, first: int, acknowledge: Connection) -> None:
    """Add, change and remove cases until killed, telling the parent of every promise once it is given."""
    training_set = TrainingSet.open(folder)
    for number in range(first, first + 1000):
        name = f"case{number}"
        image = write_volume(sources / f"{name}.nii.gz")
        training_set.add(name, [image], sources / "mask.nii.gz")
        acknowledge.send(("added", name))
        if number % 3 == 0:
            acknowledge.send(("removing", name))
            training_set.remove(name)
        elif number % 3 == 1:
            training_set.change(name, segmentation=sources / "mask.nii.gz", label_class="ring")
            acknowledge.send(("changed", name))


def add_many(folder: Path, sources: Path, who: str, count: int) -> None:
    training_set = TrainingSet.open(folder)
    for number in range(count):
        training_set.add(f"{who}{number}", [write_volume(sources / f"{who}{number}.nii.gz")], group=who)


def hold_lock(folder: Path, ready: Connection, release: Connection) -> None:
    with WriterLock(folder, 10).held():
        ready.send("held")
        release.poll(30)


def die_at(event: int, folder: Path, sources: Path) -> None:
    """Add, change, remove and restore, and be killed at the ``event``-th change on the disk."""
    from SegClassifyLib.volumes import read, write  # noqa: F401 - imported now, so that no import counts

    training_set = TrainingSet.open(folder)
    seen = 0

    def hook(what: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if what not in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"):
            return
        if what == "open":
            name = Path(str(arguments[0])).name
            flags = arguments[2]
            if (
                not isinstance(flags, int)
                or not flags & (os.O_WRONLY | os.O_RDWR)
                or name.startswith(".lock")
            ):
                return
            if not name.startswith(".arriving-") and str(folder) in str(arguments[0]):
                os._exit(IN_PLACE)
        seen += 1
        if seen > event:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    training_set.add("new", [sources / "new.nii.gz"], sources / "mask.nii.gz")
    training_set.change("old", segmentation=sources / "mask2.nii.gz")
    training_set.remove("old")
    training_set.restore("old")
    os._exit(0)
