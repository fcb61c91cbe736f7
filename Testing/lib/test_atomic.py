"""Whatever kills the process or fills the disk, a file or folder is the old one or the new one, whole."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from SegClassifyLib.atomic import ARRIVING, LEAVING, Overwrite, whole_file, whole_folder, write_text
from SegClassifyLib.disk_errors import disk_errors, explain_os_error
from SegClassifyLib.errors import SegClassifyError, TrainingSetError

DIE = """
import os, signal, sys
from pathlib import Path
from SegClassifyLib.atomic import whole_file, whole_folder

target, event = Path(sys.argv[1]), int(sys.argv[2])
seen = 0

def hook(what, arguments):
    global seen
    if what in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir") and str(target.parent) in str(arguments[0]):
        if what == "open" and arguments[0] == str(target) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            os._exit(77)
        seen += 1
        if seen > event:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
"""
"""Kill the process that runs this at the ``event``-th change of the disk, or end it with 77 if the file itself is
opened for writing."""


def until_it_survives(script: str, target: Path, check: Callable[[], None]) -> int:
    """Run ``script`` with a kill at its first, second … change, checking after each; returns how many there were."""
    for event in range(40):
        done = subprocess.run([sys.executable, "-c", DIE + script, str(target), str(event)])
        assert done.returncode in (0, -signal.SIGKILL)
        check()
        if done.returncode == 0:
            return event
    raise AssertionError("it never came to an end")


@contextmanager
def small_disk(room: int) -> Iterator[None]:
    """No file may become larger than ``room`` bytes."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_kill_at_any_instant_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    target = tmp_path / "file.json"
    target.write_text("old", encoding="utf-8")
    found = []
    script = "with whole_file(target) as path:\n    path.write_text('new' * 9999, encoding='utf-8')"
    events = until_it_survives(script, target, lambda: found.append(target.read_text(encoding="utf-8")))
    assert events >= 3 and set(found) == {"old", "new" * 9999} and found[0] == "old"
    assert all(p.name.startswith(ARRIVING) for p in tmp_path.iterdir() if p != target)


def test_a_kill_at_any_instant_leaves_a_whole_new_folder_or_none(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    found = []
    script = (
        "with whole_folder(target, 'refuse') as work:\n"
        "    (work / 'a').write_text('a', encoding='utf-8')\n"
        "    (work / 'deep').mkdir()\n"
        "    (work / 'deep' / 'b').write_text('b', encoding='utf-8')"
    )

    def check() -> None:
        found.append(sorted(p.name for p in target.rglob("*")))
        shutil.rmtree(target, ignore_errors=True)

    events = until_it_survives(script, target, check)
    assert events >= 5 and found[0] == [] and found[-1] == ["a", "b", "deep"]
    assert set(map(tuple, found)) == {(), ("a", "b", "deep")}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_in_the_block_leaves_the_old_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    old_file, old_folder = tmp_path / "file", tmp_path / "folder"
    old_file.write_text("old", encoding="utf-8")
    old_folder.mkdir()
    (old_folder / "kept").touch()
    with pytest.raises(error), whole_file(old_file) as path:
        path.write_text("new", encoding="utf-8")
        raise error
    with pytest.raises(error), whole_folder(old_folder, "replace") as work:
        (work / "other").touch()
        raise error
    assert old_file.read_text(encoding="utf-8") == "old"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder", "kept"]


def test_a_full_disk_leaves_the_old_and_is_a_sentence(tmp_path: Path) -> None:
    target = tmp_path / "file.json"
    write_text(target, "old")
    with (
        small_disk(1000),
        pytest.raises(TrainingSetError, match=r"The disk of .*full; nothing was changed\. Free"),
        disk_errors(tmp_path, TrainingSetError),
    ):
        write_text(target, "new" * 1000)
    assert target.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [target]


def test_a_disk_that_fails_at_the_very_end_leaves_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some disks say only when flushed that there was no room."""
    write_text(tmp_path / "file", "old")

    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", fsync)
    with pytest.raises(OSError, match="No space"):
        write_text(tmp_path / "file", "new")
    with pytest.raises(OSError, match="No space"), whole_folder(tmp_path / "folder", "refuse") as work:
        (work / "a").touch()
    assert (tmp_path / "file").read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("overwrite", "replaced"), [("replace", True), ("refuse", False)])
def test_a_folder_is_replaced_whole_only_when_asked(
    tmp_path: Path, overwrite: Overwrite, replaced: bool
) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    with whole_folder(target, overwrite) as work:  # an empty one may be taken
        (work / "first").touch()
    try:
        with whole_folder(target, overwrite) as work:
            (work / "second").touch()
    except OSError:
        assert not replaced
    assert [p.name for p in target.iterdir()] == ["second" if replaced else "first"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_take_its_place_gives_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").touch()
    rename = Path.rename

    def refuse(self: Path, other: Path) -> Path:
        if self.name.startswith(ARRIVING):
            raise PermissionError(errno.EACCES, "Permission denied")
        assert self == target or self.name.startswith(LEAVING)
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError), whole_folder(target, "replace") as work:
        (work / "new").touch()
    assert [p.name for p in target.iterdir()] == ["old"] and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    "name", ["image.nii.gz", "my tumour.seg.nrrd", "1.2.png", "no ending", "x" * 240 + ".json"]
)
def test_the_name_to_write_to_is_hidden_beside_the_target_and_ends_like_it(tmp_path: Path, name: str) -> None:
    target = tmp_path / "new folder" / name
    with whole_file(target) as path:
        assert path.parent == target.parent and path.name.startswith(ARRIVING)
        assert path.suffixes == target.suffixes[-2:]
        path.touch()
    assert list(target.parent.iterdir()) == [target]


def test_text_is_the_same_on_every_system(tmp_path: Path) -> None:
    write_text(tmp_path / "text", "Ödem\r\nring\n")
    assert (tmp_path / "text").read_bytes() == b"\xc3\x96dem\r\nring\n"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "x"), "The disk of /home/set is full; nothing was changed. Free some"),
        (PermissionError(errno.EACCES, "x", "/etc/y"), "/etc/y may not be read or written"),
        (
            PermissionError(errno.EACCES, "x", f"/home/{ARRIVING}12.json"),
            "/home/set may not be read or written",
        ),
        (OSError(errno.EROFS, "x"), "/home/set is on a read-only disk"),
        (OSError(errno.ENAMETOOLONG, "x"), "The path /home/set is too long"),
        (
            OSError(errno.EIO, "Input/output error"),
            "/home/set: Input/output error; check that the disk is there",
        ),
    ],
)
def test_what_the_system_refuses_is_a_sentence(error: OSError, sentence: str) -> None:
    assert explain_os_error(error, "/home/set").startswith(sentence)
    with pytest.raises(SegClassifyError) as caught, disk_errors("/home/set"):
        raise error
    assert str(caught.value).startswith(sentence) and caught.value.__cause__ is error


def test_features_that_find_no_room_are_said_in_a_sentence(tmp_path: Path) -> None:
    from SegClassifyLib.features.cache import FeatureCache

    image = tmp_path / "image.nii.gz"
    image.touch()
    cache = FeatureCache(tmp_path / "features")
    with small_disk(10), pytest.raises(SegClassifyError, match=r"disk of .*features is full"):
        cache.remember_hash([image], "0" * 64)
    assert list((tmp_path / "features").iterdir()) == []
