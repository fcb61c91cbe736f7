"""Two programs on one training set: each knows of the other, both keep their changes, and who is gone is gone."""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cases_data import write_volume
from sets_data import a_case, new_set
from worker_data import running_worker

from SegClassifyLib.cases.presence import FOLDER, GONE_AFTER
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.progress import Progress
from SegClassifyLib.worker.client import WorkerClient, WorkerError
from SegClassifyLib.worker.protocol import (
    ChangeCasesParams,
    CloseSetParams,
    HelloParams,
    OpenSetParams,
    ReadSetParams,
    SetInfo,
)
from SegClassifyLib.worker.set_methods import SetMethods


@contextmanager
def worker_of_another_program() -> Iterator[WorkerClient]:
    """One that works for another process than this."""
    with running_worker("--parent-pid", str(os.getppid())) as worker:
        yield worker


@pytest.fixture(scope="module")
def here() -> Iterator[WorkerClient]:
    with running_worker() as worker:
        yield worker


@pytest.fixture
def folder(here: WorkerClient, tmp_path: Path) -> Path:
    here.ask(new_set(tmp_path / "set"))
    return tmp_path / "set"


def others(worker: WorkerClient, folder: Path) -> str:
    return worker.ask(OpenSetParams(str(folder))).others


def newer(worker: WorkerClient, info: SetInfo) -> SetInfo:
    look = worker.ask(ReadSetParams(info.folder, info.revision)).set
    assert look is not None
    return look


def test_each_sees_the_other_and_what_it_does(here: WorkerClient, folder: Path, tmp_path: Path) -> None:
    first = here.ask(a_case(folder, tmp_path, "a", 1)).set
    assert first.others == ""
    with worker_of_another_program() as there:
        pid = there.ask(HelloParams()).pid
        theirs = there.ask(OpenSetParams(str(folder)))
        assert f"process {here.ask(HelloParams()).pid}) since" in theirs.others
        second = newer(here, first)
        assert "another program on this computer" in second.others and f"process {pid})" in second.others
        there.ask(ChangeCasesParams(str(folder), ("a",), "solid"))
        here.ask(ChangeCasesParams(str(folder), ("a",), group="ann"))
        row = newer(there, theirs).cases[0]
        assert (row.class_name, row.group) == ("solid", "ann")
        there.ask(CloseSetParams(str(folder)))
        assert newer(here, second).others == ""
        assert others(there, folder) and others(here, folder)
        there.kill()  # it has no chance to say goodbye
        there.process.wait()
        assert others(here, folder) == ""
    with worker_of_another_program() as there:  # and sweeps up what the killed one left
        there.ask(OpenSetParams(str(folder)))
        assert len(list((folder / FOLDER).glob("*.json"))) == 2
    assert len(list((folder / FOLDER).iterdir())) == 2  # it said goodbye: one note and one lock are left


def test_two_workers_of_one_program_are_no_strangers(here: WorkerClient, folder: Path) -> None:
    with running_worker() as background:
        assert others(background, folder) == "" == others(here, folder)


def test_both_add_at_once_and_nothing_is_lost(here: WorkerClient, folder: Path, tmp_path: Path) -> None:
    with worker_of_another_program() as there:
        names: list[str] = []

        def add(worker: WorkerClient, first: int) -> None:
            (tmp_path / str(first)).mkdir()
            for seed in range(first, first + 8):
                # All of one name: each must see what the other took.
                names.extend(worker.ask(a_case(folder, tmp_path / str(first), "case", seed)).cases)

        threads = [threading.Thread(target=add, args=(w, n)) for w, n in ((here, 0), (there, 100))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(names) == sorted(["case", *(f"case-{n}" for n in range(2, 17))])
        assert {c.name for c in here.ask(OpenSetParams(str(folder))).cases} == set(names)
        assert {c.name for c in there.ask(OpenSetParams(str(folder))).cases} == set(names)


def test_a_name_that_another_takes_at_the_last_moment_is_not_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, methods = tmp_path / "set", SetMethods(1)
    methods.create_set(new_set(folder), Progress())
    add = TrainingSet.add

    def late(self: TrainingSet, name: str, *args: Any, **options: Any) -> Case:
        if len(TrainingSet.open(folder).cases) < 2:  # another is faster, twice
            add(TrainingSet.open(folder), name, [write_volume(tmp_path / f"{name}.nii.gz")])
        return add(self, name, *args, **options)

    monkeypatch.setattr(TrainingSet, "add", late)
    changed = methods.add_case(a_case(folder, tmp_path, "a", 1), Progress())
    assert changed.cases == ("a-3",) and [c.name for c in changed.set.cases] == ["a", "a-2", "a-3"]


def test_a_program_on_another_computer_is_gone_when_its_note_grows_old(
    here: WorkerClient, folder: Path
) -> None:
    note = folder / FOLDER / "7-abc.json"
    visitor = {"host": "radiology-3", "user": "ann", "pid": 7, "program": 1, "since": time.time()}
    note.write_text(json.dumps(visitor), encoding="utf-8")
    assert "ann on radiology-3 since" in others(here, folder)
    old = time.time() - GONE_AFTER - 60
    os.utime(note, (old, old))
    assert others(here, folder) == ""
    note.write_text(json.dumps({**visitor, "host": platform.node()}), encoding="utf-8")
    assert others(here, folder) == ""  # on this one, the lock that nobody holds tells at once
    note.write_text("{", encoding="utf-8")
    assert others(here, folder) == ""


def test_a_set_that_cannot_be_written_can_be_read(here: WorkerClient, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    TrainingSet.create(folder, "Closed", ["T1"], ["tumour"], ["ring"])
    # What a folder without permission does, for those whom no permission stops too.
    for name in (FOLDER, ".incoming"):
        (folder / name).write_text("in the way", encoding="utf-8")
    (folder / ".lock").unlink(missing_ok=True)
    (folder / ".lock").mkdir()
    info = here.ask(OpenSetParams(str(folder)))
    assert (info.name, info.others) == ("Closed", "")
    with pytest.raises(WorkerError, match=r"\.incoming.*check"):
        here.ask(a_case(folder, tmp_path, "a", 1))
    with pytest.raises(WorkerError, match=r"set.*(permission|check|may not)"):
        here.ask(ChangeCasesParams(str(folder), ("a",), "x", True))


def test_what_a_killed_program_left_waiting_is_swept_up(
    here: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    living = next((folder / FOLDER).glob("*.json")).stem
    for owner in (living, "1234-dead"):
        home = folder / ".incoming" / f"{owner}.1"
        home.mkdir(parents=True)
        (home / "image.nrrd").write_bytes(b"half a file")
    sentences = [f.sentence for f in TrainingSet.open(folder).validate()]
    assert not any("belongs to no case" in s for s in sentences)
    deleted = TrainingSet.open(folder).tidy()
    assert [p.parent.name for p in deleted] == ["1234-dead.1"]
    assert [p.name for p in (folder / ".incoming").iterdir()] == [f"{living}.1"]
    here.ask(CloseSetParams(str(folder)))
    here.ask(OpenSetParams(str(folder)))
    assert not list((folder / ".incoming").iterdir())
