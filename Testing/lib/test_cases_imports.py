"""Imports: CSV tables, class-named folders, Decathlon and nnU-Net folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from cases_data import small_set, write_mask, write_picture, write_volume

from SegClassifyLib.cases.imports.from_csv import plan_csv
from SegClassifyLib.cases.imports.from_decathlon import plan_decathlon
from SegClassifyLib.cases.imports.from_folders import plan_folders
from SegClassifyLib.cases.imports.join_table import join_table
from SegClassifyLib.cases.imports.plan import ImportPlan, grouped_by
from SegClassifyLib.cases.imports.run import run_import
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import Cancelled, TrainingSetError
from SegClassifyLib.progress import Progress


def set_for(plan: ImportPlan, folder: Path) -> TrainingSet:
    return TrainingSet.create(folder, "Imported", plan.channels, plan.labels or ["tumour"])


def csv_source(folder: Path, separator: str = ",") -> Path:
    for name in ("a", "b", "c"):
        write_volume(folder / "img" / f"{name}.nii.gz")
    write_mask(folder / "msk" / "a.nii.gz")
    rows = [
        ["Case_ID", "Image", "mask", "class", "patient_id", "split", "note"],
        ["alpha", "img/a.nii.gz", "msk/a.nii.gz", "ring", "P1", "", f"x{separator}y"],
        ["beta", "img/b.nii.gz", "", "", "P1", "test", ""],
        ["", "img\\c.nii.gz", "", "solid", "", "training", ""],
    ]
    lines = [separator.join(f'"{c}"' if separator in c else c for c in row) for row in rows]
    (folder / "table.csv").write_text("\ufeff" + "\r\n".join(lines) + "\r\n\r\n", encoding="utf-8")
    return folder / "table.csv"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_rows_become_cases(tmp_path: Path, separator: str) -> None:
    plan = plan_csv(csv_source(tmp_path / "in", separator))
    assert plan.problems == ()
    training_set = set_for(plan, tmp_path / "set")
    result = run_import(training_set, plan)
    assert (result.added, result.problems) == (("alpha", "beta", "c"), ())
    alpha, beta, c = (training_set.case(n) for n in ("alpha", "beta", "c"))
    assert (alpha.label_class, alpha.group, alpha.split, alpha.segmentation) == (
        "ring",
        "P1",
        "train",
        "labels/alpha.nii.gz",
    )
    assert (beta.label_class, beta.group, beta.split, beta.segmentation) == (None, "P1", "test", None)
    assert (c.label_class, c.group_name) == ("solid", "c")
    assert training_set.classes == ("ring", "solid")


def test_an_import_can_be_run_again(tmp_path: Path) -> None:
    plan = plan_csv(csv_source(tmp_path / "in"))
    training_set = set_for(plan, tmp_path / "set")
    seen: list[str] = []

    def cancel_at_second() -> bool:
        return len(training_set.cases) == 1

    with pytest.raises(Cancelled):
        run_import(training_set, plan, progress=Progress(lambda e: seen.append(e.note), cancel_at_second))
    assert [c.name for c in training_set.cases] == ["alpha"]
    again = run_import(training_set, plan)
    assert (again.added, again.already_there, again.problems) == (("beta", "c"), ("alpha",), ())


def test_every_bad_row_is_listed_with_its_line(tmp_path: Path) -> None:
    table = csv_source(tmp_path)
    rows = [
        "dora,img/gone.nii.gz,,ring,,,",
        ",,,ring,,,",
        "epsilon,img/b.nii.gz,,ring,,val,",
        "ALPHA,img/b.nii.gz,,ring,,,",
        "fred,img/b.nii.gz,,ring,,,,,surplus",
        "copy,img/a.nii.gz,,ring,,,",
    ]
    table.write_text(table.read_text(encoding="utf-8").rstrip() + "\n" + "\n".join(rows), encoding="utf-8")
    plan = plan_csv(table)
    training_set = set_for(plan, tmp_path / "set")
    stopped = run_import(training_set, plan)
    assert stopped.added == () and training_set.cases == ()
    skipped = run_import(training_set, plan, "skip")
    assert skipped.added == ("alpha", "beta", "c")
    found = {p.where: p.sentence for p in skipped.problems}
    assert "there is no file" in found["line 5"] and "gone.nii.gz" in found["line 5"]
    assert "'Image' is empty" in found["line 6"]
    assert "'val'; it must be one of train, test" in found["line 7"]
    assert "'ALPHA' is taken by line 2" in found["line 8"]
    assert "9 cells for 7 columns" in found["line 9"]
    assert "same image as case 'alpha'" in found["line 10"]
    assert len(found) == 6


def test_csv_with_a_column_for_each_channel(tmp_path: Path) -> None:
    for name in ("t1", "fl"):
        write_volume(tmp_path / f"{name}.nii.gz")
    (tmp_path / "t.csv").write_text("image_flair,image_T1,second\nfl.nii.gz,t1.nii.gz,x\n", encoding="utf-8")
    assert plan_csv(tmp_path / "t.csv").channels == ("flair", "T1")
    plan = plan_csv(tmp_path / "t.csv", ("T1", "FLAIR"))
    assert [p.name for p in plan.cases[0].images] == ["t1.nii.gz", "fl.nii.gz"]
    with pytest.raises(TrainingSetError, match="no column 'image_T2' for the channel 'T2'"):
        plan_csv(tmp_path / "t.csv", ("T1", "T2"))
    with pytest.raises(TrainingSetError, match=r"2 channel\(s\) .* 1 \(T1\)"):
        run_import(small_set(tmp_path / "set"), plan)


def test_csv_columns_can_be_named(tmp_path: Path) -> None:
    write_volume(tmp_path / "a.nii.gz")
    (tmp_path / "t.csv").write_text("scan,cluster\na.nii.gz,7\n", encoding="utf-8")
    with pytest.raises(TrainingSetError, match=r"no column 'image'.*scan, cluster"):
        plan_csv(tmp_path / "t.csv")
    (case,) = plan_csv(tmp_path / "t.csv", columns={"image": "scan", "group": "Cluster"}).cases
    assert (case.name, case.group) == ("a", "7")
    with pytest.raises(TrainingSetError, match="no column 'klass'"):
        plan_csv(tmp_path / "t.csv", columns={"image": "scan", "class": "klass"})
    with pytest.raises(TrainingSetError, match="'colour' is no column SegClassify knows"):
        plan_csv(tmp_path / "t.csv", columns={"colour": "scan"})


def test_what_is_no_table_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("\n", encoding="utf-8")
    (tmp_path / "latin.csv").write_bytes("image,größe\n".encode("latin-1"))
    for name, pattern in (("gone", "no table"), ("empty", "not a CSV table"), ("latin", "not UTF-8")):
        with pytest.raises(TrainingSetError, match=rf"{name}\.csv.*{pattern}|{pattern}.*{name}\.csv"):
            plan_csv(tmp_path / f"{name}.csv")


def test_class_folders_with_masks_beside_or_in_a_folder(tmp_path: Path) -> None:
    root = tmp_path / "in"
    write_volume(root / "ring" / "a.nii.gz")
    write_mask(root / "ring" / "a_mask.nii.gz")
    write_volume(root / "solid" / "a.nii.gz", "another")
    write_volume(root / "solid" / "images" / "b.nii.gz")
    write_mask(root / "solid" / "masks" / "b.nii.gz")
    write_volume(root / "solid" / "c.nii.gz")
    write_mask(root / "masks" / "solid" / "c-seg.nii.gz")
    (root / "notes.txt").write_text("not an image", encoding="utf-8")
    plan = plan_folders(root)
    assert plan.problems == ()
    training_set = set_for(plan, tmp_path / "set")
    assert run_import(training_set, plan).problems == ()
    cases = {c.name: (c.label_class, c.segmentation is not None) for c in training_set.cases}
    assert cases == {
        "ring_a": ("ring", True),
        "solid_a": ("solid", False),
        "b": ("solid", True),
        "c": ("solid", True),
    }
    assert training_set.classes == ("ring", "solid")


def test_case_folders_with_a_file_for_each_channel(tmp_path: Path) -> None:
    root = tmp_path / "in"
    for case in ("p1", "p2"):
        for channel in ("T1", "T1c"):
            write_volume(root / "glioma" / case / f"{case}_{channel}.nii.gz")
        write_mask(root / "glioma" / case / f"{case}_seg.nii.gz")
    assert plan_folders(root).channels == ("T1", "T1c")
    plan = plan_folders(root, ("t1c", "t1"))
    assert [p.name for p in plan.cases[0].images] == ["p1_T1c.nii.gz", "p1_T1.nii.gz"]
    assert plan.cases[0].segmentation == root / "glioma" / "p1" / "p1_seg.nii.gz"
    write_mask(root / "glioma" / "p1" / "mask.nii.gz")
    (root / "glioma" / "p2" / "p2_T1.nii.gz").unlink()
    two, none = plan_folders(root, ("T1", "T1c")).problems
    assert "'p1' has 2 segmentations (mask.nii.gz, p1_seg.nii.gz)" in two.sentence
    assert "no file for the channel 'T1'" in none.sentence and "p2" in none.where


def test_dicom_series_are_cases_of_a_class_folder(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "ring" / "p1"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for z in range(3):
        slice_ = sitk.GetImageFromArray(rng.integers(0, 999, (1, 5, 6)).astype(np.int16))
        entries = {
            "0008|0060": "MR", "0020|000e": "1.2.3.4", "0020|000d": "1.2.3", "0008|0018": f"1.2.3.4.{z}",
            "0020|0032": f"0\\0\\{2 * z}", "0020|0037": "1\\0\\0\\0\\1\\0", "0020|0013": str(z),
            "0010|0010": "Name^Hidden",
        }  # fmt: skip
        for key, value in entries.items():
            slice_.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"{z}.dcm"))
        writer.Execute(slice_)
    plan = plan_folders(tmp_path / "in")
    training_set = set_for(plan, tmp_path / "set")
    assert run_import(training_set, plan).problems == ()
    case = training_set.case("p1")
    assert case.images == ("images/p1.nrrd",)
    assert training_set.load_image(case).geometry.spacing[2] == 2
    assert b"Hidden" not in (training_set.folder / "images" / "p1.nrrd").read_bytes()


def test_folders_without_classes_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingSetError, match="There is no folder"):
        plan_folders(tmp_path / "gone")
    with pytest.raises(TrainingSetError, match="holds no folders"):
        plan_folders(tmp_path)
    (tmp_path / "empty").mkdir()
    assert "holds no images" in plan_folders(tmp_path).problems[0].sentence


def test_groups_come_from_case_names(tmp_path: Path) -> None:
    for name in ("p1_left", "p1_right", "odd"):
        write_volume(tmp_path / "in" / "ring" / f"{name}.nii.gz")
    plan = grouped_by(plan_folders(tmp_path / "in"), r"^(p\d+)_")
    assert [(c.name, c.group) for c in plan.cases] == [("odd", None), ("p1_left", "p1"), ("p1_right", "p1")]
    assert [p.where for p in plan.problems] == [str(Path("ring") / "odd.nii.gz")]
    with pytest.raises(TrainingSetError, match="no regular expression"):
        grouped_by(plan, "(")


def decathlon_source(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    for part, name in (("Tr", "b1"), ("Tr", "b2"), ("Ts", "b3")):
        image = sitk.GetImageFromArray(rng.integers(0, 99, (2, 3, 5, 6)).astype(np.int16), isVector=False)
        image.SetSpacing((1.0, 1.0, 2.0, 1.0))
        (folder / f"images{part}").mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, str(folder / f"images{part}" / f"{name}.nii.gz"))
        if part == "Tr":
            write_mask(folder / "labelsTr" / f"{name}.nii.gz")
    content = {
        "name": "BRATS",
        "modality": {"0": "MRI", "1": "MRI"},
        "labels": {"0": "background", "1": "oedema"},
        "training": [
            {"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"} for n in ("b1", "b2")
        ],
        "test": ["./imagesTs/b3.nii.gz"],
    }
    (folder / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_decathlon_4d_images_are_taken_apart_and_classes_joined(tmp_path: Path) -> None:
    source = decathlon_source(tmp_path / "in")
    (tmp_path / "classes.csv").write_text(
        "name,class,patient\nb1,ring,P1\nb3,solid,P3\nb9,solid,\n", encoding="utf-8"
    )
    plan = join_table(plan_decathlon(source), tmp_path / "classes.csv")
    assert (plan.channels, plan.labels) == (("MRI", "MRI 2"), ("background", "oedema"))
    assert [p.where for p in plan.problems] == ["classes.csv, line 4"]
    training_set = set_for(plan, tmp_path / "set")
    result = run_import(training_set, plan, "skip")
    assert result.added == ("b1", "b2", "b3")
    b1, b2, b3 = (training_set.case(n) for n in result.added)
    assert (b1.label_class, b1.group, b2.label_class, b3.label_class, b3.split) == (
        "ring",
        "P1",
        None,
        "solid",
        "test",
    )
    image = training_set.load_image(b1)
    original = sitk.GetArrayFromImage(sitk.ReadImage(str(source / "imagesTr" / "b1.nii.gz")))
    np.testing.assert_array_equal(image.array, original)
    assert image.geometry.spacing == (1.0, 1.0, 2.0)
    assert training_set.load_segmentation(b1, image).array.any()
    assert run_import(training_set, plan, "skip").already_there == ("b1", "b2", "b3")
    referring = set_for(plan, tmp_path / "reference")
    assert (
        "must be taken apart" in run_import(referring, plan, "skip", mode="reference").problems[-1].sentence
    )


def nnunet_source(folder: Path, **changes: object) -> Path:
    for name in ("x1", "x2"):
        for channel in range(2):
            write_volume(folder / "imagesTr" / f"{name}_{channel:04d}.nrrd")
        write_mask(folder / "labelsTr" / f"{name}.nrrd")
    content = {
        "channel_names": {"0": "T2", "1": "ADC"},
        "labels": {"background": 0, "PZ": 1},
        "file_ending": ".nrrd",
        "numTraining": 2,
        **changes,
    }
    (folder / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_nnunet_folders(tmp_path: Path) -> None:
    source = nnunet_source(tmp_path / "in")
    plan = plan_decathlon(source)
    assert (plan.channels, plan.labels) == (("T2", "ADC"), ("background", "PZ"))
    training_set = set_for(plan, tmp_path / "set")
    assert run_import(training_set, plan).added == ("x1", "x2")
    assert training_set.case("x1").images == ("images/x1_0000.nrrd", "images/x1_0001.nrrd")
    (source / "imagesTr" / "x2_0001.nrrd").unlink()
    (source / "labelsTr" / "x1.nrrd").unlink()
    sentences = [p.sentence for p in plan_decathlon(source).problems]
    assert len(sentences) == 2 and "x1.nrrd" in sentences[0] and "x2_0001.nrrd" in sentences[1]


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({"labels": {"background": 0, "whole": [1, 2]}}, "'whole' is the region"),
        ({"labels": {"background": 0, "ignore": 1}}, "'ignore' is not supported"),
        ({"labels": {"background": 0, "PZ": 2}}, "without a gap"),
        ({"channel_names": None}, 'needs the key "channel_names"'),
        ({"dataset": {"x": {"images": ["../../x.nrrd"], "label": "y.nrrd"}}}, "leads out of the folder"),
        ({"segclassify": {}}, "training set already"),
    ],
)
def test_odd_nnunet_descriptions_are_sentences(
    tmp_path: Path, changes: dict[str, object], pattern: str
) -> None:
    with pytest.raises(TrainingSetError, match=pattern):
        plan_decathlon(nnunet_source(tmp_path, **changes))


def test_no_decathlon_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingSetError, match=r"There is no .*dataset\.json"):
        plan_decathlon(tmp_path)
    (tmp_path / "dataset.json").write_text('{"modality": \n oops}', encoding="utf-8")
    with pytest.raises(TrainingSetError, match="damaged at line 2"):
        plan_decathlon(tmp_path)


def test_pictures_in_colour_can_be_several_channels(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    (tmp_path / "in" / "mole").mkdir(parents=True)
    colour = sitk.GetImageFromArray(rng.integers(0, 255, (7, 8, 3)).astype(np.uint8), isVector=True)
    sitk.WriteImage(colour, str(tmp_path / "in" / "mole" / "a.png"))
    plan = plan_folders(tmp_path / "in", ("red", "green", "blue"))
    training_set = set_for(plan, tmp_path / "set")
    assert run_import(training_set, plan).problems == ()
    assert training_set.load_image(training_set.case("a")).array.shape == (3, 7, 8)
    write_picture(tmp_path / "grey.png")
    with pytest.raises(Exception, match=r"3 channel"):
        training_set.add("grey", [tmp_path / "grey.png"])


@pytest.mark.realdata
def test_the_real_tables_import(real_data: Path, tmp_path: Path) -> None:
    """BUSI (2D) with its near-duplicate groups and 20 LIDC nodules (3D), straight from their tables."""
    busi = plan_csv(real_data / "busi_breast_us2d" / "labels.csv", columns={"group": "near_duplicate_group"})
    assert (len(busi.cases), busi.problems) == (400, ())
    lidc = plan_csv(real_data / "lidc_nodules3d" / "labels.csv")
    for number, plan in enumerate((busi, lidc)):
        few = ImportPlan(plan.source, plan.channels, plan.cases[:20])
        training_set = set_for(few, tmp_path / str(number))
        assert run_import(training_set, few, "skip", mode="reference").problems == ()
        assert [p.sentence for p in training_set.validate("pixels") if p.severity == "error"] == []
