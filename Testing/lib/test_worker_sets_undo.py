"""Taking changes of a training set back, in order, without touching what somebody else did."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases_data import write_mask, write_volume
from sets_data import a_case, classes, drawn, new_set, segmentation, volume
from worker_data import running_worker

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.worker.client import WorkerClient, WorkerError
from SegClassifyLib.worker.protocol import (
    AddCaseParams,
    ChangeCasesParams,
    ImportCasesParams,
    OpenSetParams,
    RemoveCasesParams,
    RenameClassParams,
    SaveSegmentationParams,
    UndoSetParams,
)


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerClient]:
    with running_worker() as worker:
        yield worker


@pytest.fixture
def folder(worker: WorkerClient, tmp_path: Path) -> Path:
    """Of an open set with the cases a and b."""
    folder = tmp_path / "set"
    worker.ask(new_set(folder))
    for seed, name in enumerate(("a", "b")):
        worker.ask(a_case(folder, tmp_path, name, seed))
    return folder


def by_name(folder: Path) -> dict[str, Case]:
    return {case.name: case for case in TrainingSet.open(folder).cases}


def undo(worker: WorkerClient, folder: Path, words: str) -> tuple[str, ...]:
    """Take the last change back, which should be called so."""
    assert worker.ask(OpenSetParams(str(folder))).undo == words
    return worker.ask(UndoSetParams(str(folder))).cases


def mask_of(folder: Path, name: str) -> bytes:
    training_set = TrainingSet.open(folder)
    case = training_set.case(name)
    return training_set.load_segmentation(case, training_set.load_image(case)).array.tobytes()


def test_everything_is_taken_back_in_order_to_an_empty_set(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in" / "cyst"
    write_volume(source / "c.nii.gz")
    write_mask(source / "c_mask.nii.gz")
    write_volume(source / "d.nii.gz")
    at = str(folder)
    steps = [
        (ChangeCasesParams(at, ("a", "b"), "halo", True, role="segmenter", split="test"), "change 2 cases"),
        (ChangeCasesParams(at, ("b",), group="ann"), "change b"),
        (SaveSegmentationParams(at, "a", segmentation(tmp_path, 7)), "segmentation of a"),
        (SaveSegmentationParams(at, "a", segmentation(tmp_path, 8)), "segmentation of a"),
        (RenameClassParams(at, "halo", "corona"), "rename class halo"),
        (RenameClassParams(at, "ring", ""), "remove class ring"),
        (AddCaseParams(at, "e", (volume(tmp_path, 9),), None, "new", True), "add e"),
        (SaveSegmentationParams(at, "e", segmentation(tmp_path, 9)), "segmentation of e"),
        (RemoveCasesParams(at, ("b", "a")), "remove 2 cases"),
        (ImportCasesParams(at, str(tmp_path / "in")), "import 2 cases"),
        (RemoveCasesParams(at, ("c",)), "remove c"),
    ]
    states = [(by_name(folder), TrainingSet.open(folder).classes)]
    for params, _ in steps:
        worker.ask(params)
        states.append((by_name(folder), TrainingSet.open(folder).classes))
    states.pop()
    for (_, words), (cases, class_names) in zip(reversed(steps), reversed(states), strict=True):
        undo(worker, folder, words)
        assert (by_name(folder), TrainingSet.open(folder).classes) == (cases, class_names), words
        errors = [f.sentence for f in TrainingSet.open(folder).validate("pixels") if f.severity == "error"]
        assert errors == [], words
    assert mask_of(folder, "a") == (drawn(0) > 0).tobytes()
    assert undo(worker, folder, "add b") == ("b",)
    assert undo(worker, folder, "add a") == ("a",)
    assert by_name(folder) == {}
    with pytest.raises(WorkerError, match="nothing to undo"):
        worker.ask(UndoSetParams(at))


def test_thirty_changes_are_remembered(worker: WorkerClient, folder: Path) -> None:
    for n in range(30):
        worker.ask(ChangeCasesParams(str(folder), ("a",), group=f"group {n}"))
    for n in reversed(range(29)):
        undo(worker, folder, "change a")
        assert by_name(folder)["a"].group == f"group {n}"
    undo(worker, folder, "change a")
    assert by_name(folder)["a"].group == "a"


def refuse(worker: WorkerClient, folder: Path, sentence: str) -> None:
    before = by_name(folder)
    with pytest.raises(WorkerError, match=sentence):
        worker.ask(UndoSetParams(str(folder)))
    assert by_name(folder) == before


def test_what_somebody_else_changed_is_not_overwritten(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    other = TrainingSet.open(folder)
    worker.ask(ChangeCasesParams(str(folder), ("a", "b"), "solid"))
    other.change("b", label_class="ring")
    refuse(worker, folder, "class of case 'b' was changed by somebody else meanwhile; it stays as it is")
    assert worker.ask(OpenSetParams(str(folder))).undo == "add b"
    worker.ask(SaveSegmentationParams(str(folder), "a", segmentation(tmp_path, 7)))
    other.change("a", segmentation=tmp_path / "set" / "labels" / "b.seg.nrrd")
    refuse(worker, folder, "segmentation of case 'a' was changed by somebody else")
    worker.ask(ChangeCasesParams(str(folder), ("a",), group="x"))
    other.change("a", label_class="ring")  # another field
    assert undo(worker, folder, "change a") == ("a",)
    case = by_name(folder)["a"]
    assert (case.group, case.label_class) == ("a", "ring")
    worker.ask(ChangeCasesParams(str(folder), ("b",), group="x"))
    other.remove("b")
    refuse(worker, folder, "has no case 'b'")


def test_a_removed_case_whose_name_is_taken_stays_in_the_trash(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    worker.ask(RemoveCasesParams(str(folder), ("a", "b")))
    TrainingSet.open(folder).add("a", [write_volume(tmp_path / "x.nii.gz")])
    done = worker.ask(UndoSetParams(str(folder)))
    assert done.cases == ("b",) and len(done.notes) == 1 and "has a case 'a' already" in done.notes[0]
    assert classes(done) == {"a": "", "b": "ring"}


def test_an_import_is_taken_back_but_for_what_others_changed(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    for name in "cde":
        write_volume(tmp_path / "in" / "cyst" / f"{name}.nii.gz")
    worker.ask(ImportCasesParams(str(folder), str(tmp_path / "in")))
    TrainingSet.open(folder).change("d", label_class="ring")
    done = worker.ask(UndoSetParams(str(folder)))
    assert done.cases == ("c", "e") and "class of case 'd'" in done.notes[0]
    assert sorted(classes(done)) == ["a", "b", "d"] and "cyst" not in done.set.classes


def test_a_disk_that_refuses_does_not_cost_the_step(worker: WorkerClient, folder: Path) -> None:
    worker.ask(RemoveCasesParams(str(folder), ("a",)))
    shutil.move(folder / "images", folder / "away")
    (folder / "images").write_text("in the way", encoding="utf-8")
    with pytest.raises(WorkerError, match="images"):
        worker.ask(UndoSetParams(str(folder)))
    (folder / "images").unlink()
    shutil.move(folder / "away", folder / "images")
    assert undo(worker, folder, "remove a") == ("a",)
