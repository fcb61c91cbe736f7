"""Whatever is wrong with a training set, a case or the disk is a sentence, and nothing is changed."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest
from cases_data import small_set, write_mask, write_volume

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import ImageError, SegClassifyError, TrainingSetError
from SegClassifyLib.volumes.image import Label


def bad_cases(tmp_path: Path) -> dict[str, tuple[dict[str, object], str]]:
    image = write_volume(tmp_path / "new.nii.gz")
    cut = tmp_path / "cut.nii.gz"
    cut.write_bytes(image.read_bytes()[:60])
    other = write_mask(tmp_path / "other.nii.gz", shape=(4, 4, 4))
    return {
        "duplicate name": ({"name": "OLD", "images": [image]}, r"has a case 'old' already"),
        "class": (
            {"label_class": "rong"},
            r"'new': 'rong' is not a class of the training set \(ring, solid\)",
        ),
        "class case": ({"label_class": "Ring", "new_class": "add"}, "'Ring' is named twice"),
        "channels": ({"images": [image, image]}, r"'new' has 2 image\(s\).* 1 channel\(s\) \(T1\)"),
        "missing": ({"images": [tmp_path / "gone.nii.gz"]}, r"'new': there is no file .*gone\.nii\.gz"),
        "missing mask": (
            {"segmentation": tmp_path / "gone.nii.gz"},
            r"'new': there is no file .*gone\.nii\.gz",
        ),
        "damaged": ({"images": [cut]}, r"Case 'new': .*cut\.nii\.gz"),
        "grid": ({"segmentation": other}, r"Case 'new': .*other\.nii\.gz"),
        "same image": ({"images": [tmp_path / "old.nii.gz"]}, "'new' holds the same image as case 'old'"),
        "role": ({"role": "teacher"}, "'new': role: .*'teacher'"),
        "split": ({"split": "val"}, "split must be 'train' or 'test', not 'val'"),
        "name": ({"name": "///"}, "'///' cannot be a case name"),
    }


BAD = (
    "duplicate name", "class", "class case", "channels", "missing", "missing mask", "damaged", "grid", "same image",
    "role", "split", "name",
)  # fmt: skip


@pytest.mark.parametrize("which", BAD)
def test_bad_input_is_a_sentence_and_changes_nothing(
    training_set: TrainingSet, tmp_path: Path, which: str
) -> None:
    training_set.add("old", [write_volume(tmp_path / "old.nii.gz")])
    given, pattern = bad_cases(tmp_path)[which]
    before = sorted(p for p in training_set.folder.rglob("*") if p.is_file())
    text = (training_set.folder / "dataset.json").read_text(encoding="utf-8")
    arguments = {"name": "new", "images": [tmp_path / "new.nii.gz"], **given}
    with pytest.raises((TrainingSetError, ImageError), match=pattern) as caught:
        training_set.add(**arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert sorted(p for p in training_set.folder.rglob("*") if p.is_file()) == before
    assert (training_set.folder / "dataset.json").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("failing_call", [0, 1, 2])
def test_disk_refusing_any_write_leaves_the_set_as_it_was(
    training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing_call: int, number: int
) -> None:
    """An add makes three durable files: image, segmentation, dataset.json; each may be the one that fails."""
    image, mask = write_volume(tmp_path / "a.nii.gz"), write_mask(tmp_path / "m.nii.gz")
    text = (training_set.folder / "dataset.json").read_text(encoding="utf-8")
    calls: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            calls.append(descriptor)
            if len(calls) == failing_call + 1:
                raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr("os.fsync", fsync)
    wanted = "disk of .*set is full" if number == errno.ENOSPC else "may not be read or written"
    with pytest.raises(TrainingSetError, match=wanted):
        training_set.add("a", [image], mask)
    assert (training_set.folder / "dataset.json").read_text(encoding="utf-8") == text
    assert not [p for own in ("images", "labels") for p in (training_set.folder / own).glob("*")]
    monkeypatch.undo()
    training_set.add("a", [image], mask)


def test_interrupt_after_dataset_json_was_replaced_keeps_the_case(
    training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from SegClassifyLib.cases import writer as module

    def write_then_interrupt(folder: Path, document: object, write=module.write_document) -> None:
        write(folder, document)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_document", write_then_interrupt)
    with pytest.raises(KeyboardInterrupt):
        training_set.add("a", [write_volume(tmp_path / "a.nii.gz")])
    reopened = TrainingSet.open(training_set.folder)
    assert reopened.load_image(reopened.case("a"))


def damaged(folder: Path, how: str) -> None:
    path = folder / "dataset.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    if how == "cut":
        path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:9]))
        return
    if how == "newer":
        content["segclassify"]["format"] = 2
    elif how == "foreign":
        del content["segclassify"]
    elif how == "role":
        content["training"] = [{"name": "x", "image": "images/x.nii.gz", "role": "teacher"}]
    elif how == "twice":
        content["training"] = [{"name": n, "image": "images/x.nii.gz"} for n in ("x", "X")]
    elif how == "gap":
        content["labels"] = {"0": "background", "2": "tumour"}
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("how", "pattern"),
    [
        ("cut", r"dataset\.json is damaged at line 9, column"),
        ("newer", r"newer SegClassify \(format 2, this one reads up to 1\); update"),
        ("foreign", "not made by SegClassify .*import-decathlon"),
        ("role", "case 'x', key 'role'"),
        ("twice", "two cases named 'x' and 'X'"),
        ("gap", "labels: .*without a gap"),
    ],
)
def test_damaged_dataset_json_is_a_sentence(training_set: TrainingSet, how: str, pattern: str) -> None:
    damaged(training_set.folder, how)
    with pytest.raises(TrainingSetError, match=pattern):
        TrainingSet.open(training_set.folder)


def test_paths_may_not_leave_the_folder_unasked(training_set: TrainingSet, tmp_path: Path) -> None:
    write_volume(tmp_path / "secret.nii.gz")
    path = training_set.folder / "dataset.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for text in (
        "../secret.nii.gz",
        "images/../../secret.nii.gz",
        "/etc/passwd",
        "C:\\secret.nii.gz",
        "..\\secret.nii.gz",
    ):
        content["training"] = [{"name": "x", "image": text}]
        path.write_text(json.dumps(content), encoding="utf-8")
        opened = TrainingSet.open(training_set.folder)
        with pytest.raises(TrainingSetError, match=r"'x': the path .* leads out of the training set"):
            opened.load_image(opened.case("x"))
        opened.remove("x")
        assert (tmp_path / "secret.nii.gz").is_file()


def test_creating_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(TrainingSetError, match="at least one channel"):
        TrainingSet.create(tmp_path / "a", "A", [], ["tumour"])
    with pytest.raises(TrainingSetError, match="'t1' is named twice"):
        TrainingSet.create(tmp_path / "a", "A", ["T1", "t1"], ["tumour"])
    with pytest.raises(TrainingSetError, match="without a gap, not 0, 1, 4"):
        TrainingSet.create(tmp_path / "a", "A", ["T1"], [Label(1, "core"), Label(4, "ring")])
    with pytest.raises(TrainingSetError, match="A label name is empty"):
        TrainingSet.create(tmp_path / "a", "A", ["T1"], ["background", " "])
    assert not (tmp_path / "a").exists()
    small_set(tmp_path / "b")
    with pytest.raises(TrainingSetError, match=r"already holds a dataset\.json"):
        small_set(tmp_path / "b")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(TrainingSetError):
        small_set(tmp_path / "file")
    with pytest.raises(TrainingSetError, match="is not a training set"):
        TrainingSet.open(tmp_path)


def test_errors_are_of_the_one_family() -> None:
    assert issubclass(TrainingSetError, SegClassifyError)
