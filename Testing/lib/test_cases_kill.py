"""What holds when processes are killed at any instant, or write at the same time."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from cases_children import IN_PLACE, add_many, die_at, hold_lock, keep_writing
from cases_data import small_set, write_mask, write_volume

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingSetError

# A fork server that has imported everything starts a child in a few milliseconds, without forking this process.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "pytest",
        "SegClassifyLib.cases.training_set",
        "SegClassifyLib.volumes.read",
        "SegClassifyLib.volumes.write",
    ]
)


def promises(receiver: Connection) -> list[tuple[str, str]]:
    received = []
    while True:
        try:
            received.append(receiver.recv())
        except EOFError:
            return received


def start(folder: Path, sources: Path, first: int) -> tuple[BaseProcess, Connection]:
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=keep_writing, args=(folder, sources, first, sender), daemon=True)
    process.start()
    sender.close()
    return process, receiver


def test_a_kill_at_any_instant_loses_no_accepted_case(tmp_path: Path) -> None:
    folder = small_set(tmp_path / "set").folder
    write_mask(tmp_path / "mask.nii.gz")
    chance = random.Random(7)
    added: set[str] = set()
    maybe_removed: set[str] = set()
    for round_number in range(10):
        process, receiver = start(folder, tmp_path, 1000 * round_number)
        receiver.poll(20)
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        process.join()
        for what, name in promises(receiver):
            if what == "removing":
                maybe_removed.add(name)
            else:
                added.add(name)
        training_set = TrainingSet.open(folder)
        present = {c.name for c in training_set.cases}
        assert added - maybe_removed <= present
        assert [p.sentence for p in training_set.validate() if p.severity == "error"] == []
    assert len(added) >= 10
    for name in sorted(added - {c.name for c in training_set.cases}):
        training_set.restore(name)
    training_set.tidy()
    sentences = [
        p.sentence
        for p in training_set.validate("pixels")
        if p.severity == "error" or "belongs to no case" in p.sentence
    ]
    assert sentences == []


def test_two_writers_at_once_both_keep_all_their_cases(tmp_path: Path) -> None:
    folder = small_set(tmp_path / "set").folder
    writers = [
        _CONTEXT.Process(target=add_many, args=(folder, tmp_path, who, 12)) for who in ("left", "right")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    names = [c.name for c in TrainingSet.open(folder).cases]
    assert sorted(names) == sorted(f"{who}{n}" for who in ("left", "right") for n in range(12))


def test_a_second_writer_is_told_who_is_writing_and_readers_are_not_kept(tmp_path: Path) -> None:
    folder = small_set(tmp_path / "set").folder
    ready, sender = _CONTEXT.Pipe(duplex=False)
    waiting, release = _CONTEXT.Pipe(duplex=False)
    holder = _CONTEXT.Process(target=hold_lock, args=(folder, sender, waiting), daemon=True)
    holder.start()
    assert ready.poll(20)
    impatient = TrainingSet.open(folder, lock_timeout=0.1)
    with pytest.raises(
        TrainingSetError, match=rf"is being changed by .* on .*\(process {holder.pid}, since .*again"
    ):
        impatient.add_class("late")
    assert impatient.classes == ("ring", "solid")
    release.send("go")
    holder.join(20)
    impatient.add_class("late")


def test_two_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    training_set = small_set(tmp_path / "set")
    images = [write_volume(tmp_path / f"{n}.nii.gz") for n in range(12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda image: training_set.add(image.name, [image]), images))
    assert len(TrainingSet.open(training_set.folder).cases) == 12


@pytest.mark.slow
def test_every_instant_of_a_change_leaves_a_set_in_order(tmp_path: Path) -> None:
    for name in ("old", "new"):
        write_volume(tmp_path / f"{name}.nii.gz")
    write_mask(tmp_path / "mask.nii.gz")
    write_mask(tmp_path / "mask2.nii.gz", value=0)
    old = small_set(tmp_path / "set").add("old", [tmp_path / "old.nii.gz"], tmp_path / "mask.nii.gz")
    for event in range(200):
        training_set = TrainingSet.open(shutil.copytree(tmp_path / "set", tmp_path / f"set{event}"))
        process = _CONTEXT.Process(target=die_at, args=(event, training_set.folder, tmp_path))
        process.start()
        process.join(60)
        assert process.exitcode != IN_PLACE, "a file was opened for writing under its own name"
        training_set.reload()
        if "old" not in training_set.groups:
            training_set.restore("old")
        training_set.tidy()
        wrong = [
            p.sentence
            for p in training_set.validate("pixels")
            if p.severity == "error" or "no case" in p.sentence
        ]
        assert wrong == [], f"after event {event}"
        assert training_set.case("old").image_hash == old.image_hash
        if process.exitcode == 0:
            break
    assert process.exitcode == 0
    assert event > 30
