"""Training sets through the worker: what is answered is on the disk, and what is refused is refused in a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cases_data import write_mask, write_picture, write_volume
from sets_data import (
    GRID,
    SHAPE,
    TUMOUR,
    a_case,
    classes,
    drawn,
    new_set,
    pixels,
    segmentation,
    states,
    volume,
)
from worker_data import map_source, running_worker

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import Cancelled
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.worker.client import WorkerClient, WorkerError
from SegClassifyLib.worker.protocol import (
    AddCaseParams,
    ChangeCasesParams,
    CheckSetParams,
    CloseSetParams,
    FileSource,
    ImportCasesParams,
    JobProgress,
    LabelInfo,
    OpenSetParams,
    ReadSetParams,
    RemoveCasesParams,
    RenameClassParams,
    SaveSegmentationParams,
    SetInfo,
)

ONE_SLICE = Geometry((14, 1, 12), (0.7, 3.0, 0.8), (5.0, -6.0, 7.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
"""A coronal one."""


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerClient]:
    with running_worker() as worker:
        yield worker


@pytest.fixture
def folder(worker: WorkerClient, tmp_path: Path) -> Path:
    """Of an open, empty set."""
    worker.ask(new_set(tmp_path / "set"))
    return tmp_path / "set"


def refused(worker: WorkerClient, params: object, sentence: str) -> None:
    with pytest.raises(WorkerError, match=sentence):
        worker.ask(params)  # type: ignore[arg-type]


def test_a_set_is_made_opened_and_closed(worker: WorkerClient, tmp_path: Path) -> None:
    made = worker.ask(new_set(tmp_path / "Heads"))
    assert (made.name, made.folder) == ("Heads", str(tmp_path / "Heads"))
    assert [(x.value, x.name) for x in made.labels] == [(1, "tumour")]
    assert (made.channels, made.classes, made.cases) == (("T1",), ("ring", "solid"), ())
    refused(worker, new_set(tmp_path / "Heads"), "already holds a dataset.json")
    assert worker.ask(OpenSetParams(str(tmp_path / "Heads" / "dataset.json"))) == made
    assert len(list((tmp_path / "Heads" / ".open").glob("*.json"))) == 1
    worker.ask(CloseSetParams(made.folder))
    worker.ask(CloseSetParams(made.folder))
    assert not list((tmp_path / "Heads" / ".open").iterdir())
    refused(worker, OpenSetParams(str(tmp_path)), "is not a training set: it has no dataset.json")


def test_a_volume_and_its_segmentation_are_on_the_disk_as_they_were(
    worker: WorkerClient, tmp_path: Path
) -> None:
    worker.ask(new_set(tmp_path / "set", ("tumour", "edema")))
    array = np.zeros(SHAPE, np.int16)
    array[2:4], array[5:7] = 9, 4
    labels = (
        LabelInfo(4, "Tumour ", (1.0, 0, 0)),
        LabelInfo(9, "EDEMA", (0, 1.0, 0)),
        LabelInfo(2, "cyst", (0, 0, 1.0)),
    )
    source = segmentation(tmp_path, 0, GRID, array, *labels)
    params = AddCaseParams(str(tmp_path / "set"), "a/b", (volume(tmp_path, 3),), source, "ring", group="ann")
    changed = worker.ask(params)
    (row,) = changed.set.cases
    assert changed.cases == ("a_b",) == (row.name,)
    assert (row.class_name, row.group, row.segmentation, row.role, row.split) == (
        "ring", "ann", "drawn", "both", "train",
    )  # fmt: skip
    assert Path(row.images[0]).is_file() and row.segmentation_file.endswith(".seg.nrrd")
    training_set = TrainingSet.open(tmp_path / "set")
    image = training_set.load_image(training_set.case("a_b"))
    assert (image.array == pixels(3)[None]).all() and image.array.dtype == np.int16
    assert image.geometry.is_close(GRID, 1e-9)
    mask = training_set.load_segmentation(training_set.case("a_b"), image).array
    assert (mask == np.select([array == 4, array == 9], [1, 2])).all()
    assert not list((tmp_path / "set" / ".incoming").iterdir())
    assert [f.sentence for f in training_set.validate("pixels")] == []


def test_names_are_made_unique_and_the_same_image_is_refused(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    names = [worker.ask(a_case(folder, tmp_path, "Head", seed)).cases[0] for seed in range(2)]
    names.append(worker.ask(a_case(folder, tmp_path, "head", 2)).cases[0])
    assert names == ["Head", "Head-2", "head-3"]
    refused(worker, a_case(folder, tmp_path, "other", 1), "'other' holds the same image as case 'Head-2'")
    assert not list((folder / ".incoming").iterdir())


def test_a_class_that_the_set_does_not_know_is_asked_for(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    params = a_case(folder, tmp_path, "alpha", 1, "glioma")
    refused(worker, params, r"Case 'alpha': 'glioma' is not a class of the training set \(ring, solid\)")
    assert worker.ask(replace(params, new_class=True)).set.classes == ("ring", "solid", "glioma")
    refused(worker, ChangeCasesParams(str(folder), ("alpha",), class_name="cyst"), "'cyst' is not a class")
    refused(
        worker, replace(params, name="b", class_name="Ring", new_class=True), "class 'Ring' is named twice"
    )


def test_a_segmentation_with_a_label_that_the_set_does_not_have_is_refused(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    cyst = LabelInfo(2, "cyst", (0, 0, 1.0))
    two = drawn(1)
    two[0, 0, 0] = 2
    params = a_case(folder, tmp_path, "alpha", 1)
    for array, labels, sentence in (
        (two, (TUMOUR, cyst), r"segment 'cyst' of Segmentation is no label of the training set \(tumour\)"),
        (two, (TUMOUR,), "holds the value 2, which none of its segments has"),
        (
            two,
            (TUMOUR, replace(cyst, name="Tumour")),
            r"Two segments of Segmentation \(tumour, Tumour\) are the",
        ),
        (drawn(1)[:-1], (TUMOUR,), "Segmentation does not lie on the image's grid"),
        (drawn(1) - 1, (TUMOUR,), "holds the value -1"),
    ):
        grid = (
            GRID
            if len(array) == len(two)
            else Geometry((14, 12, 9), GRID.spacing, GRID.origin, GRID.direction)
        )
        bad = segmentation(tmp_path, 9, grid, array, *labels)
        refused(worker, replace(params, segmentation=bad), sentence)
    assert worker.ask(OpenSetParams(str(folder))).cases == ()
    empty = segmentation(tmp_path, 9, GRID, np.zeros(SHAPE, np.int16))
    assert states(worker.ask(replace(params, segmentation=empty))) == {"alpha": "drawn"}


def test_a_single_slice_is_a_2d_image_in_a_set_of_these(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    for seed, name in enumerate(("first", "second")):
        params = AddCaseParams(
            str(folder), name, (volume(tmp_path, seed, ONE_SLICE),), segmentation(tmp_path, seed, ONE_SLICE)
        )
        assert worker.ask(params).set.ndim == 2
    training_set = TrainingSet.open(folder)
    image = training_set.load_image(training_set.case("second"))
    assert (image.array == pixels(1, ONE_SLICE)[:, 0][None]).all() and image.geometry.spacing == (0.7, 0.8)
    mask = training_set.load_segmentation(training_set.case("second"), image)
    assert (mask.array == drawn(1, ONE_SLICE)[:, 0]).all() and mask.array.any()
    # As the panel sees it again: the 2D file as a slice in the plane of x and y.
    flat = image.geometry
    seen = Geometry(
        (*flat.size, 1), (*flat.spacing, 1.0), (*flat.origin, 0.0),
        (*flat.direction[:2], 0.0, *flat.direction[2:], 0.0, 0.0, 0.0, 1.0),
    )  # fmt: skip
    again = segmentation(tmp_path, 8, seen, drawn(8, seen))
    worker.ask(SaveSegmentationParams(str(folder), "second", again))
    training_set.reload()
    mask = training_set.load_segmentation(training_set.case("second"), image)
    assert (mask.array == drawn(8, seen)[0]).all()
    refused(
        worker, a_case(folder, tmp_path, "deep", 5), "T1 is a volume and the training set holds 2D images"
    )
    assert [f.sentence for f in training_set.validate("pixels") if f.severity == "error"] == []


def test_files_are_copied_and_pictures_need_no_place(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    picture = write_picture(tmp_path / "p.png")
    grid = Geometry.plain((8, 7, 1))
    mask = segmentation(tmp_path, 1, Geometry((8, 7, 1), (0.2, 0.2, 1.0), (3.0, 4.0, 0.0), grid.direction))
    changed = worker.ask(AddCaseParams(str(folder), "p", (FileSource(str(picture)),), mask))
    assert changed.set.cases[0].images == (str(folder / "images" / "p.png"),) and picture.is_file()
    missing = AddCaseParams(str(folder), "q", (FileSource(str(tmp_path / "no.png")),))
    refused(worker, missing, "no.png does not exist")
    two = AddCaseParams(str(folder), "q", (FileSource(str(picture)),) * 2)
    refused(worker, two, r"2 image\(s\) given where the training set has 1 channel\(s\) \(T1\)")


def test_many_cases_are_changed_or_none(worker: WorkerClient, folder: Path, tmp_path: Path) -> None:
    for seed, name in enumerate(("a", "b", "c")):
        worker.ask(a_case(folder, tmp_path, name, seed))
    changed = worker.ask(
        ChangeCasesParams(str(folder), ("a", "C"), "", group="ann", role="segmenter", split="test")
    )
    assert changed.cases == ("a", "c")
    rows = {row.name: row for row in changed.set.cases}
    assert [row.name for row in changed.set.cases] == ["b", "a", "c"]  # test cases come after the others
    for name in "ac":
        row = rows[name]
        assert (row.class_name, row.group, row.role, row.split) == ("", "ann", "segmenter", "test")
    assert (rows["b"].class_name, rows["b"].group) == ("ring", "b")
    before = (folder / "dataset.json").read_bytes()
    refused(worker, ChangeCasesParams(str(folder), ("b", "nobody"), "solid"), "has no case 'nobody'")
    refused(worker, ChangeCasesParams(str(folder), ("b",), role="teacher"), "role: .* not 'teacher'")
    assert worker.ask(ChangeCasesParams(str(folder), ("b",))).cases == ()
    assert (folder / "dataset.json").read_bytes() == before
    assert states(worker.ask(ChangeCasesParams(str(folder), ("b",), predicted=True)))["b"] == "predicted"


def test_a_corrected_segmentation_replaces_the_predicted_one(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    worker.ask(replace(a_case(folder, tmp_path, "a", 1), predicted=True))
    changed = worker.ask(SaveSegmentationParams(str(folder), "a", segmentation(tmp_path, 7)))
    assert states(changed) == {"a": "drawn"} and changed.cases == ("a",)
    training_set = TrainingSet.open(folder)
    case = training_set.case("a")
    mask = training_set.load_segmentation(case, training_set.load_image(case)).array
    assert (mask == drawn(7)).all()
    assert len(list((folder / ".trash").rglob("*.nrrd"))) == 1
    refused(worker, SaveSegmentationParams(str(folder), "b", segmentation(tmp_path)), "has no case 'b'")


def test_cases_are_removed_and_classes_renamed(worker: WorkerClient, folder: Path, tmp_path: Path) -> None:
    for seed, name in enumerate(("a", "b")):
        worker.ask(a_case(folder, tmp_path, name, seed))
    refused(worker, RemoveCasesParams(str(folder), ("a", "x")), "has no case 'x'")
    changed = worker.ask(RenameClassParams(str(folder), "ring", "halo"))
    assert changed.cases == ("a", "b") and classes(changed) == {"a": "halo", "b": "halo"}
    refused(worker, RenameClassParams(str(folder), "halo", ""), r"'halo' is that of 2 case\(s\)")
    refused(worker, RenameClassParams(str(folder), "solid", " "), "class name is empty")
    assert worker.ask(RenameClassParams(str(folder), "solid", "")).set.classes == ("halo",)
    changed = worker.ask(RemoveCasesParams(str(folder), ("a", "b")))
    assert changed.cases == ("a", "b") and changed.set.cases == ()
    assert not list((folder / "images").iterdir())


def test_a_read_is_answered_when_anybody_changed_the_set(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    first = worker.ask(a_case(folder, tmp_path, "a", 1)).set
    assert worker.ask(ReadSetParams(str(folder), first.revision)).set is None
    TrainingSet.open(folder).change("a", label_class="solid")
    second = worker.ask(ReadSetParams(str(folder), first.revision)).set
    assert second is not None and second.cases[0].class_name == "solid"
    image_hash = TrainingSet.open(folder).case("a").image_hash
    said = {"image_hash": image_hash, "predicted": "ring", "probability": 0.75, "model": "m"}
    told = folder / "trainings" / "predictions.json"
    told.parent.mkdir()
    for entry, wanted in ((said, ("ring", 0.75)), ({**said, "image_hash": "of another"}, ("", 0.0))):
        told.write_text(json.dumps({"a": entry}), encoding="utf-8")
        third = worker.ask(ReadSetParams(str(folder), second.revision)).set
        assert third is not None and (third.cases[0].predicted, third.cases[0].probability) == wanted
    told.write_text("{", encoding="utf-8")
    assert worker.ask(OpenSetParams(str(folder))).cases[0].predicted == ""
    assert "belongs to no case" not in str(worker.ask(CheckSetParams(str(folder), pixels=True)))


def test_opening_five_hundred_cases_reads_none_of_their_files(worker: WorkerClient, folder: Path) -> None:
    content = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    content["training"] = [
        {"name": f"c{n}", "image": f"images/c{n}.nrrd", "label": f"labels/c{n}.nrrd", "class": "ring"}
        for n in range(499)
    ]
    content["training"].append({"name": "out", "image": "../../out.nrrd"})
    (folder / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    info = worker.ask(OpenSetParams(str(folder)))
    assert len(info.cases) == 500
    assert info.cases[7].segmentation_file == str(folder / "labels" / "c7.nrrd")
    assert info.cases[-1].images == ("",)  # it leads out of the folder
    assert worker.ask(ReadSetParams(str(folder), info.revision)).set is None


def imported(
    worker: WorkerClient, folder: Path, source: Path, **options: object
) -> tuple[SetInfo, tuple[str, ...]]:
    changed = worker.ask(ImportCasesParams(str(folder), str(source), **options))  # type: ignore[arg-type]
    return changed.set, changed.notes


def test_an_import_tells_by_looking_and_says_what_it_passed_over(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    home = tmp_path / "in"
    for name, kind in (("a", "ring"), ("b", "new"), ("c", "new")):
        write_volume(home / kind / f"{name}.nii.gz")
    write_mask(home / "new" / "b_mask.nii.gz")
    (home / "new" / "bad.nii.gz").write_bytes(b"no image")
    info, notes = imported(worker, folder, home)
    assert [(c.name, c.class_name, c.segmentation) for c in info.cases] == [
        ("b", "new", "drawn"), ("c", "new", "none"), ("a", "ring", "none"),
    ]  # fmt: skip
    assert len(notes) == 1 and "bad.nii.gz" in notes[0] and info.undo == "import 3 cases"
    table = home / "table.csv"
    write_volume(home / "d.nii.gz")
    table.write_text("image,class\nring/a.nii.gz,ring\nd.nii.gz,solid\nno.nii.gz,ring\n", encoding="utf-8")
    info, notes = imported(worker, folder, table, copy=False)
    assert info.cases[-1].name == "d" and Path(info.cases[-1].images[0]).samefile(home / "d.nii.gz")
    assert notes[0] == "1 of the cases was in the set already (a)." and "line 4" in notes[1]
    refused(worker, ImportCasesParams(str(folder), str(home), "pictures"), "no import of the kind 'pictures'")
    refused(worker, ImportCasesParams(str(folder), str(home / "none")), "There is no file or folder")
    content = {"modality": {"0": "T1"}, "labels": {"0": "background", "1": "tumour"}}
    write_volume(tmp_path / "msd" / "imagesTr" / "e.nii.gz")
    write_mask(tmp_path / "msd" / "labelsTr" / "e.nii.gz")
    entry = {"image": "./imagesTr/e.nii.gz", "label": "./labelsTr/e.nii.gz"}
    text = json.dumps({**content, "training": [entry], "test": []})
    (tmp_path / "msd" / "dataset.json").write_text(text, encoding="utf-8")
    info, notes = imported(worker, folder, tmp_path / "msd")
    assert (info.cases[-1].name, info.cases[-1].segmentation, notes) == ("e", "drawn", ())


def test_an_import_that_is_cancelled_keeps_what_is_in(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    for n in range(40):
        write_volume(tmp_path / "in" / "ring" / f"{n:02d}.nii.gz")
    params = ImportCasesParams(str(folder), str(tmp_path / "in"))
    seen: list[JobProgress] = []
    identity = worker.start(params.METHOD, params.to_json(), seen.append)
    for _ in range(60_000):
        if any((note.done or 0) > 1 for note in seen):
            break
        time.sleep(0.001)
    assert worker.cancel(identity)
    with pytest.raises(Cancelled):
        worker.wait(identity)
    info = worker.ask(OpenSetParams(str(folder)))
    assert 1 < len(info.cases) < 40 and info.undo == f"import {len(info.cases)} cases"
    assert {note.phase for note in seen} == {"Importing cases"} and seen[-1].total == 40


def test_a_check_says_what_is_missing(worker: WorkerClient, folder: Path, tmp_path: Path) -> None:
    worker.ask(a_case(folder, tmp_path, "a", 1))
    guide = worker.ask(CheckSetParams(str(folder)))
    assert [(c.name, c.cases, c.groups) for c in guide.classes] == [("ring", 1, 1), ("solid", 0, 0)]
    assert (guide.cases, guide.segmented, guide.segmenter_lacks) == (1, 1, ())
    assert any("'solid' has no training case" in sentence for sentence in guide.classifier_lacks)
    Path(worker.ask(OpenSetParams(str(folder))).cases[0].images[0]).unlink()
    first = worker.ask(CheckSetParams(str(folder), pixels=True)).findings[0]
    assert (first.severity, first.kind, first.cases) == ("error", "file gone", ("a",))


CODE = """
import sys
from pathlib import Path
import numpy as np
from SegClassifyLib.progress import Progress
from SegClassifyLib.worker.protocol import (
    AddCaseParams, ChangeCasesParams, CheckSetParams, CreateSetParams, LabelInfo, SaveSegmentationParams,
    SegmentationSource, VolumeSource,
)
from SegClassifyLib.worker.set_methods import SetMethods

home, methods, silent = Path(sys.argv[1]), SetMethods(1), Progress()
folder = str(home / "set")
np.save(home / "a.npy", np.arange(60.0).reshape(3, 4, 5))
np.save(home / "m.npy", np.ones((3, 4, 5), np.uint8))
image, mask = (
    VolumeSource(n, str(home / f"{n}.npy"), (1.0,) * 3, (0.0,) * 3, (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)) for n in "am"
)
drawn = SegmentationSource(mask, (LabelInfo(1, "tumour", (0, 0, 0)),))
methods.create_set(CreateSetParams(folder, "", ("T1",), ("tumour",)), silent)
methods.add_case(AddCaseParams(folder, "a", (image,), drawn), silent)
methods.change_cases(ChangeCasesParams(folder, ("a",), "solid", True), silent)
methods.save_segmentation(SaveSegmentationParams(folder, "a", drawn), silent)
methods.check_set(CheckSetParams(folder, True), silent)
print(sorted({"torch", "monai", "sklearn", "scipy"} & {m.split(".")[0] for m in sys.modules}))
"""


def test_no_network_library_is_loaded_for_a_training_set(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_one_slice_volume_stays_one_in_a_set_of_volumes(
    worker: WorkerClient, folder: Path, tmp_path: Path
) -> None:
    worker.ask(a_case(folder, tmp_path, "deep", 1))
    thin = map_source(pixels(2, ONE_SLICE), ONE_SLICE, tmp_path / "thin.npy", "thin")
    params = AddCaseParams(str(folder), "thin", (thin,), segmentation(tmp_path, 2, ONE_SLICE))
    assert worker.ask(params).set.ndim == 3
    training_set = TrainingSet.open(folder)
    image = training_set.load_image(training_set.case("thin"))
    assert image.geometry.is_close(ONE_SLICE, 1e-9) and (image.array[0] == pixels(2, ONE_SLICE)).all()
    assert training_set.load_segmentation(training_set.case("thin"), image).array.any()
