"""Segmenters trained by a real worker: live epochs, pause, kill, resume in another process, and keeping the best."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from worker_data import running_worker

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.main import app
from SegClassifyLib.errors import Cancelled
from SegClassifyLib.package.store import open_package
from SegClassifyLib.phantoms.sets import Counts, write_slice_set
from SegClassifyLib.training.family import open_family
from SegClassifyLib.worker.client import WorkerClient, WorkerEndedError, WorkerError
from SegClassifyLib.worker.protocol import (
    TRAINING_PHASES,
    Code,
    EpochInfo,
    JobProgress,
    KeepSegmenterParams,
    Params,
    PlanSegmenterParams,
    SegmenterRun,
    SegmenterRunsParams,
    TrainSegmenterParams,
)

PARTS = ["", "fold 1 of 2", "fold 2 of 2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Four cases that train both, two the segmenter only."""
    path = tmp_path_factory.mktemp("segmenter") / "set"
    write_slice_set(path, Counts(segmented=1, classified=0, both=2, test=0), shape=(32, 32))
    return str(path)


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerClient]:
    with running_worker() as client:
        yield client


@pytest.fixture(scope="module")
def other() -> Iterator[WorkerClient]:
    """A second process; the last test kills it."""
    with running_worker() as client:
        yield client


def asked(folder: str, epochs: int = 1, folds: int = 2) -> TrainSegmenterParams:
    return TrainSegmenterParams(folder, name="Tiny", patch=(16, 16), epochs=epochs, folds=folds, device="cpu")


def fingerprint(run: SegmenterRun) -> str:
    return open_package(run.package).segmenter.fingerprint


def cancelled_in(worker: WorkerClient, params: TrainSegmenterParams, part: str) -> list[EpochInfo]:
    """Train until ``part`` has ended, then cancel; what was told."""
    told: list[EpochInfo] = []
    identities: list[int | str] = []

    def on_progress(note: JobProgress) -> None:
        if any(e.part == part for e in told) and not identities:
            identities.append(note.id)
            # Not from the thread that reads the answers.
            threading.Thread(target=worker.cancel, args=(note.id,)).start()

    identity = worker.start(params.METHOD, params.to_json(), on_progress, told.append)
    with pytest.raises(Cancelled):
        worker.wait(identity)
    return told


def test_training_tells_every_epoch_and_gives_what_the_command_gives(
    folder: str, worker: WorkerClient, tmp_path: Path
) -> None:
    told: list[EpochInfo] = []
    notes: list[JobProgress] = []
    plan = worker.ask(PlanSegmenterParams(folder))
    assert (plan.cases, plan.network, plan.folds, plan.grid, plan.spacing) == (
        6,
        "VNetDS",
        3,
        (32, 32),
        (1.0, 1.0),
    )
    assert "learns from 6 cases on patches of 32 × 32 voxels of 1 × 1 mm, with 3 fold" in plan.sentence
    run = worker.ask(asked(folder), notes.append, on_epoch=told.append)
    assert worker.ask(SegmenterRunsParams(folder)) == (run,)
    assert [e.part for e in told] == PARTS and run.epochs == tuple(told)
    assert (run.state, run.usable, run.can_keep) == ("finished", True, False)
    assert run.sentence.startswith("Finished after ") and run.dice == told[0].dice
    assert {note.phase for note in notes} <= set(TRAINING_PHASES)
    steps = [note.done for note in notes if note.phase == "Training the segmenter"]
    assert steps == sorted(steps) and steps[0] == 0 and steps[-1] > 0.7, "one progress over all parts"
    command = [
        "train-segmenter",
        folder,
        str(tmp_path / "out"),
        "--name",
        "Tiny",
        "--patch",
        "16,16",
        "--epochs",
        "1",
    ]
    done = CliRunner().invoke(app, [*command, "--folds", "2", "--device", "cpu", "--json"])
    assert done.exit_code == 0, done.output
    known = json.loads(done.stdout)
    assert open_package(known["package"]).segmenter.fingerprint == fingerprint(run)
    assert known["dice"] == run.dice


def test_a_paused_run_can_be_kept_and_goes_on_in_another_process(
    folder: str, worker: WorkerClient, other: WorkerClient
) -> None:
    told = cancelled_in(worker, asked(folder), "fold 1 of 2")
    paused = worker.ask(SegmenterRunsParams(folder))[0]
    assert [e.part for e in told] == PARTS[:2] and paused.epochs == tuple(told)
    assert (paused.state, paused.usable, paused.can_keep, paused.package) == ("paused", False, True, "")
    kept = worker.ask(KeepSegmenterParams(folder, paused.path))
    assert (kept.state, kept.usable, kept.can_keep) == ("paused", True, True)
    assert "kept without 1 of 2 fold segmenters" in kept.sentence
    family = open_family(Path(kept.path))
    assert len(family.folds) == 1 and len(family.seen) == 6
    again: list[EpochInfo] = []
    resumed = other.ask(TrainSegmenterParams(folder, resume=paused.path, device="cpu"), on_epoch=again.append)
    assert again[:2] == told and [e.part for e in again] == PARTS
    assert resumed.state == "finished" and resumed.path == paused.path
    assert len(open_family(Path(resumed.path)).folds) == 2
    through = next(run for run in other.ask(SegmenterRunsParams(folder)) if run.path != resumed.path)
    assert fingerprint(resumed) == fingerprint(through), "as if it had never stopped"
    with pytest.raises(WorkerError, match="The training of Tiny has ended"):
        worker.ask(TrainSegmenterParams(folder, resume=paused.path))


def test_what_cannot_be_done_is_a_sentence(folder: str, worker: WorkerClient, tmp_path: Path) -> None:
    empty = TrainingSet.create(tmp_path / "empty", "Empty", ["US"], ["lesion"])
    wrong: list[tuple[Params[Any], str]] = [
        (PlanSegmenterParams(str(empty.folder)), "no case with a corrected segmentation"),
        (PlanSegmenterParams(str(tmp_path)), "is not a training set"),
        (KeepSegmenterParams(folder, str(tmp_path)), "holds no training of a segmenter"),
        (TrainSegmenterParams(folder, resume=str(tmp_path)), "holds no training of a segmenter"),
        (TrainSegmenterParams(folder, start_from=str(tmp_path)), "hashes.json"),
        (TrainSegmenterParams(folder, network="Unet9"), "no network called 'Unet9'"),
        (TrainSegmenterParams(folder, patch=(3, 3)), "must be multiples of"),
        (TrainSegmenterParams(folder, minutes=-1), "minutes"),
    ]
    for params, words in wrong:
        with pytest.raises(WorkerError, match=words) as error:
            worker.ask(params)
        assert error.value.code == Code.USER_ERROR, params
    assert worker.ask(SegmenterRunsParams(str(empty.folder))) == ()


def test_a_run_is_seen_from_another_process_and_survives_a_kill(
    folder: str, worker: WorkerClient, other: WorkerClient
) -> None:
    begun = threading.Event()
    params = asked(folder, epochs=5, folds=0)
    identity = other.start(params.METHOD, params.to_json(), on_epoch=lambda _: begun.set())
    assert begun.wait(300)
    running = worker.ask(SegmenterRunsParams(folder))[0]
    assert running.state == "running" and running.sentence.startswith("Being trained")
    with pytest.raises(WorkerError, match="is being trained, here or in another 3D Slicer"):
        worker.ask(KeepSegmenterParams(folder, running.path))
    other.kill()
    with pytest.raises(WorkerEndedError):
        other.wait(identity)
    killed = worker.ask(SegmenterRunsParams(folder))[0]
    assert (killed.path, killed.state, killed.can_keep) == (running.path, "paused", True)
    training_set = TrainingSet.open(folder)
    gone = next(c for c in training_set.cases if c.segmentation)
    training_set.change(gone.name, role="classifier")
    resume = TrainSegmenterParams(folder, resume=killed.path, device="cpu")
    with pytest.raises(WorkerError, match=f"began with the case '{gone.name}'"):
        worker.ask(resume)
    training_set.change(gone.name, role=gone.role)
    done = worker.ask(resume)
    assert done.state == "finished" and [e.epoch for e in done.epochs] == [1, 2, 3, 4, 5]
