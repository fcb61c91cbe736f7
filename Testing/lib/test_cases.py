"""The training set on disk: adding, changing, removing, and every sentence for what can be wrong."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from cases_data import small_set, write_mask, write_picture, write_volume

from SegClassifyLib.cases.names import MAX_BYTES, safe_name
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import ImageError, SegClassifyError, TrainingSetError
from SegClassifyLib.volumes.image import Label


@pytest.fixture
def training_set(tmp_path: Path) -> TrainingSet:
    return small_set(tmp_path / "set")


def test_added_case_is_on_disk_as_it_was_given(training_set: TrainingSet, tmp_path: Path) -> None:
    image, mask = write_volume(tmp_path / "a.nii.gz"), write_mask(tmp_path / "m.nii.gz")
    training_set.add("anna 1", [image], mask, "ring", group="anna", role="classifier", split="test")
    case = TrainingSet.open(training_set.folder).case("ANNA 1")
    assert (case.name, case.label_class, case.group, case.role, case.split) == (
        "anna 1",
        "ring",
        "anna",
        "classifier",
        "test",
    )
    assert case.images == ("images/anna 1.nii.gz",)
    assert (training_set.folder / case.images[0]).read_bytes() == image.read_bytes()
    loaded = training_set.load_image(case)
    assert loaded.array.shape == (1, 3, 5, 6)
    assert case.image_hash == loaded.content_hash()
    segmentation = training_set.load_segmentation(case, loaded)
    assert segmentation.array.sum() == 12
    assert [x.name for x in segmentation.labels] == ["background", "tumour"]


def test_dataset_json_is_a_decathlon_datalist_that_monai_reads(tmp_path: Path) -> None:
    from monai.data import load_decathlon_datalist

    two = small_set(tmp_path / "set", channels=("T1", "FLAIR"))
    files = [write_volume(tmp_path / "a1.nii.gz"), write_volume(tmp_path / "a2.nii.gz")]
    two.add("anna", files, write_mask(tmp_path / "m.nii.gz"), "ring")
    two.add("bert", [write_volume(tmp_path / "b1.nii.gz"), write_volume(tmp_path / "b2.nii.gz")])
    two.add(
        "cora", [write_volume(tmp_path / "c1.nii.gz"), write_volume(tmp_path / "c2.nii.gz")], split="test"
    )
    anna, bert = load_decathlon_datalist(two.folder / "dataset.json", data_list_key="training")
    assert anna["image"] == [str(two.folder / "images" / f"anna_000{n}.nii.gz") for n in range(2)]
    assert anna["label"] == str(two.folder / "labels" / "anna.nii.gz")
    assert (anna["class"], anna["name"]) == ("ring", "anna")
    assert "label" not in bert and "class" not in bert and "group" not in bert
    (cora,) = load_decathlon_datalist(two.folder / "dataset.json", data_list_key="test")
    assert Path(cora["image"][1]).is_file()
    content = json.loads((two.folder / "dataset.json").read_text(encoding="utf-8"))
    assert content["modality"] == {"0": "T1", "1": "FLAIR"}
    assert content["labels"] == {"0": "background", "1": "tumour"}
    assert (content["numTraining"], content["numTest"], content["tensorImageSize"]) == (2, 1, "3D")
    assert content["segclassify"]["format"] == 1


def test_keys_of_other_tools_survive_changes(training_set: TrainingSet, tmp_path: Path) -> None:
    training_set.add("a", [write_volume(tmp_path / "a.nii.gz")])
    path = training_set.folder / "dataset.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["release"] = "1.0"
    content["segclassify"]["colour"] = "blue"
    content["training"][0]["fold"] = 3
    path.write_text(json.dumps(content), encoding="utf-8")
    training_set.change("a", label_class="solid")
    training_set.add("b", [write_volume(tmp_path / "b.nii.gz")])
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["release"] == "1.0"
    assert content["segclassify"]["colour"] == "blue"
    assert content["training"][0]["fold"] == 3
    assert content["training"][0]["class"] == "solid"


def test_change_replaces_only_what_is_given(training_set: TrainingSet, tmp_path: Path) -> None:
    first, second = write_mask(tmp_path / "m1.nii.gz"), write_mask(tmp_path / "m2.nii.gz", value=0)
    training_set.add(
        "a", [write_volume(tmp_path / "a.nii.gz")], first, "ring", "g", segmentation_is_prediction=True
    )
    training_set.change("a", split="test")
    assert training_set.case("a").segmentation_is_prediction
    changed = training_set.change("a", segmentation=second, label_class=None)
    assert (changed.label_class, changed.group, changed.split) == (None, "g", "test")
    assert not changed.segmentation_is_prediction
    image = training_set.load_image(changed)
    assert training_set.load_segmentation(changed, image).array.sum() == 0
    kept = list((training_set.folder / ".trash" / ".replaced").iterdir())
    assert [p.read_bytes() for p in kept] == [first.read_bytes()]
    training_set.change("a", segmentation=None)
    assert training_set.case("a").segmentation is None
    assert not list((training_set.folder / "labels").iterdir())
    with pytest.raises(TrainingSetError, match="no segmentation"):
        training_set.load_segmentation(training_set.case("a"), image)


def test_removed_case_comes_back_whole(training_set: TrainingSet, tmp_path: Path) -> None:
    image, mask = write_volume(tmp_path / "a.nii.gz"), write_mask(tmp_path / "m.nii.gz")
    added = training_set.add("a", [image], mask, "ring", "g", split="test")
    training_set.remove("a")
    assert training_set.cases == ()
    assert not (training_set.folder / "images" / "a.nii.gz").exists()
    assert training_set.restore("A") == added
    assert TrainingSet.open(training_set.folder).cases == (added,)
    assert (training_set.folder / "labels" / "a.nii.gz").read_bytes() == mask.read_bytes()
    with pytest.raises(TrainingSetError, match="No removed case 'a'"):
        training_set.restore("a")


def test_restore_after_the_name_was_used_again(training_set: TrainingSet, tmp_path: Path) -> None:
    training_set.add("a", [write_volume(tmp_path / "one.nii.gz")])
    first = training_set.case("a").image_hash
    training_set.remove("a")
    training_set.add("a", [write_volume(tmp_path / "two.nii.gz")])
    with pytest.raises(TrainingSetError, match="has a case 'a' already"):
        training_set.restore("a")
    training_set.remove("a")
    assert training_set.restore("a").image_hash != first
    training_set.remove("a")
    assert [p.name for p in sorted((training_set.folder / ".trash").iterdir())] == ["a", "a.2"]


def test_removal_killed_before_its_files_moved_is_finished(
    training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_set.add("a", [write_volume(tmp_path / "a.nii.gz")])
    training_set.add("b", [write_volume(tmp_path / "b.nii.gz")])
    with monkeypatch.context() as patch:
        patch.setattr("SegClassifyLib.cases.trash.move_files", lambda *_: None)
        training_set.remove("a")
        training_set.remove("b")
    assert training_set.restore("b").images == ("images/b.nii.gz",)
    assert training_set.load_image(training_set.case("b")).array.shape == (1, 3, 5, 6)
    assert training_set.tidy() == ()
    assert not (training_set.folder / "images" / "a.nii.gz").exists()
    assert training_set.load_image(training_set.restore("a")).array.shape == (1, 3, 5, 6)


def test_tidy_deletes_orphans_and_nothing_else(training_set: TrainingSet, tmp_path: Path) -> None:
    training_set.add("a", [write_volume(tmp_path / "a.nii.gz")], write_mask(tmp_path / "m.nii.gz"))
    training_set.add("b", [write_volume(tmp_path / "b.nii.gz")])
    training_set.remove("b")
    orphan = write_volume(training_set.folder / "images" / "x.nii.gz")
    half = training_set.folder / "images" / ".arriving-1234-y.nii.gz"
    half.write_bytes(b"half")
    assert set(training_set.tidy()) == {orphan, half}
    assert [p.sentence for p in training_set.validate() if p.severity == "error"] == []
    training_set.restore("b")
    training_set.remove("b")
    training_set.tidy("everything")
    with pytest.raises(TrainingSetError, match="No removed case"):
        training_set.restore("b")
    assert training_set.load_image(training_set.case("a"))


def test_classes_can_be_added_renamed_and_removed(training_set: TrainingSet, tmp_path: Path) -> None:
    training_set.add("a", [write_volume(tmp_path / "a.nii.gz")], label_class="ring")
    training_set.add("b", [write_volume(tmp_path / "b.nii.gz")], label_class="odd", new_class="add")
    training_set.rename_class("ring", "enhancing")
    assert training_set.classes == ("enhancing", "solid", "odd")
    assert training_set.case("a").label_class == "enhancing"
    assert training_set.class_counts == {"enhancing": 1, "solid": 0, "odd": 1}
    training_set.remove_class("solid")
    with pytest.raises(TrainingSetError, match="'odd' is that of 1 case"):
        training_set.remove_class("odd")
    with pytest.raises(TrainingSetError, match="'Odd' is named twice"):
        training_set.add_class("Odd")
    with pytest.raises(TrainingSetError, match="'solid' is not a class"):
        training_set.rename_class("solid", "x")


def test_link_and_reference_do_not_copy(training_set: TrainingSet, tmp_path: Path) -> None:
    linked, far = write_volume(tmp_path / "in" / "l.nii.gz"), write_volume(tmp_path / "in" / "f.nii.gz")
    training_set.add("linked", [linked], mode="link")
    assert linked.samefile(training_set.folder / "images" / "linked.nii.gz")
    case = training_set.add("far", [far], mode="reference")
    assert case.images == ("../in/f.nii.gz",)
    reopened = TrainingSet.open(training_set.folder)
    assert reopened.load_image(reopened.case("far")).content_hash() == case.image_hash
    reopened.remove("far")
    reopened.remove("linked")
    assert far.is_file() and linked.is_file()
    assert reopened.restore("far") == case


def test_formats_of_several_files_become_one(training_set: TrainingSet, tmp_path: Path) -> None:
    pair = write_volume(tmp_path / "a.mhd", "pair")
    case = training_set.add("pair", [pair])
    assert case.images == ("images/pair.mha",)
    assert training_set.load_image(case).content_hash() == case.image_hash
    with pytest.raises(TrainingSetError, match=r"a\.mhd is more than one file"):
        training_set.add("again", [pair], mode="link", duplicates="allow")


def test_values_of_a_segmentation_are_translated(training_set: TrainingSet, tmp_path: Path) -> None:
    mask = write_mask(tmp_path / "m.nii.gz", value=200)
    images = [write_volume(tmp_path / "a.nii.gz")]
    with pytest.raises(TrainingSetError, match=r"'a'.*m\.nii\.gz holds the value 200.*1 tumour"):
        training_set.add("a", images, mask)
    with pytest.raises(TrainingSetError, match="must be copied"):
        training_set.add("a", images, mask, label_values={200: 1}, mode="reference")
    case = training_set.add("a", images, mask, label_values={200: 1})
    assert np.unique(
        sitk.GetArrayFromImage(sitk.ReadImage(str(training_set.segmentation_path(case))))
    ).tolist() == [0, 1]


def test_segments_are_matched_by_name(tmp_path: Path) -> None:
    from SegClassifyLib.volumes.geometry import Geometry
    from SegClassifyLib.volumes.image import LabelMap
    from SegClassifyLib.volumes.write import write_label_map

    training_set = TrainingSet.create(tmp_path / "set", "Two", ["T1"], ["core", "oedema"])
    array = np.zeros((3, 5, 6), np.uint8)
    array[1, 1, 1:4] = (1, 1, 2)
    drawn = LabelMap(
        array, Geometry.plain((6, 5, 3), (1.0, 1.0, 2.0)), (Label(1, "Oedema"), Label(2, "Core"))
    )
    write_label_map(drawn, tmp_path / "m.seg.nrrd")
    case = training_set.add("a", [write_volume(tmp_path / "a.nii.gz")], tmp_path / "m.seg.nrrd")
    stored = training_set.load_segmentation(case, training_set.load_image(case)).array
    assert np.bincount(stored.ravel()).tolist() == [87, 1, 2]


def test_picture_masks_of_255_are_stored_as_labels(tmp_path: Path) -> None:
    training_set = small_set(tmp_path / "set")
    mask = write_mask(tmp_path / "m.png", value=255, shape=(7, 8))
    case = training_set.add("a", [write_picture(tmp_path / "a.png")], mask)
    assert training_set.ndim == 2
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(training_set.segmentation_path(case)))).max() == 1
    with pytest.raises(TrainingSetError, match=r"'b' is 3D .* training set is 2D"):
        training_set.add("b", [write_volume(tmp_path / "b.nii.gz")])


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
    from SegClassifyLib.cases import training_set as module

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


def test_labels_keep_their_colours(tmp_path: Path) -> None:
    labels = [Label(1, "core", (0.25, 0.5, 0.75))]
    TrainingSet.create(tmp_path / "a", "A", ["T1"], labels)
    assert TrainingSet.open(tmp_path / "a").labels[1] == labels[0]
    assert TrainingSet.open(tmp_path / "a").labels[0].value == 0


def test_content_hash_follows_what_training_depends_on(training_set: TrainingSet, tmp_path: Path) -> None:
    training_set.add("a", [write_volume(tmp_path / "a.nii.gz")], write_mask(tmp_path / "m.nii.gz"))
    training_set.add("b", [write_volume(tmp_path / "b.nii.gz")])
    seen = {training_set.content_hash()}
    for change in (
        lambda: training_set.change("a", label_class="ring"),
        lambda: training_set.change("a", group="g"),
        lambda: training_set.change("a", segmentation=write_mask(tmp_path / "n.nii.gz", value=0)),
        lambda: training_set.remove("b"),
        lambda: training_set.rename_class("ring", "rim"),
    ):
        change()
        assert training_set.content_hash() not in seen
        seen.add(training_set.content_hash())
    before = training_set.content_hash()
    training_set.restore("b")
    training_set.remove("b")
    assert training_set.content_hash() == before


@pytest.mark.parametrize(
    "text", ["a/b", "CON", "nul.txt", " .x. ", "x" * 300, "é" * 90, 'a<>:"|?*b', "tab\tnew\nline"]
)
def test_case_names_are_file_names_everywhere(text: str) -> None:
    name = safe_name(text)
    assert not set(name) & set('<>:"/\\|?*\t\n')
    assert len(name.encode()) <= MAX_BYTES
    assert name == name.strip(" .")
    assert name.split(".")[0].lower() not in {"con", "nul"}
    assert safe_name(name) == name


def test_long_names_stay_different() -> None:
    assert safe_name("x" * 300 + "a") != safe_name("x" * 300 + "b")


def test_errors_are_of_the_one_family() -> None:
    assert issubclass(TrainingSetError, SegClassifyError)
