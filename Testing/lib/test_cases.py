"""The training set on disk: adding, changing, removing and restoring."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases_data import small_set, write_mask, write_volume

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.image import Label


def test_added_case_is_on_disk_as_it_was_given(training_set: TrainingSet, tmp_path: Path) -> None:
    image, mask = write_volume(tmp_path / "a.nii.gz"), write_mask(tmp_path / "m.nii.gz")
    training_set.add("alpha 1", [image], mask, "ring", group="alpha", role="classifier", split="test")
    case = TrainingSet.open(training_set.folder).case("ALPHA 1")
    assert (case.name, case.label_class, case.group, case.role, case.split) == (
        "alpha 1",
        "ring",
        "alpha",
        "classifier",
        "test",
    )
    assert case.images == ("images/alpha 1.nii.gz",)
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
    two.add("alpha", files, write_mask(tmp_path / "m.nii.gz"), "ring")
    two.add("beta", [write_volume(tmp_path / "b1.nii.gz"), write_volume(tmp_path / "b2.nii.gz")])
    two.add(
        "cora", [write_volume(tmp_path / "c1.nii.gz"), write_volume(tmp_path / "c2.nii.gz")], split="test"
    )
    alpha, beta = load_decathlon_datalist(two.folder / "dataset.json", data_list_key="training")
    assert alpha["image"] == [str(two.folder / "images" / f"alpha_000{n}.nii.gz") for n in range(2)]
    assert alpha["label"] == str(two.folder / "labels" / "alpha.nii.gz")
    assert (alpha["class"], alpha["name"]) == ("ring", "alpha")
    assert "label" not in beta and "class" not in beta and "group" not in beta
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
