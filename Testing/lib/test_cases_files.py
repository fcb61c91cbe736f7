"""How the files of a case get into the training set: copied, linked, referred to, their values and names made fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from cases_data import small_set, write_mask, write_picture, write_volume

from SegClassifyLib.cases.names import MAX_BYTES, safe_name
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.image import Label


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
