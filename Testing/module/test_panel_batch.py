"""Many cases: rows that fill, a bad case, cancel, export and double-click, with the module's own runner."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
import standin
from panel_fakes import FakeLogic, add_volume, classify_result, model_info
from panel_stage import Stage, stage

THREE = ("glioma", "meningioma", "metastasis")


@pytest.fixture
def shown() -> Iterator[Stage]:
    """The panel with three cases of two channels."""
    with stage(FakeLogic((model_info(),))) as shown:
        for name in ("alpha", "beta", "gamma"):
            for channel in ("T1c", "FLAIR"):
                add_volume(f"{name}_{channel}")
        shown.ui.batchSection.collapsed = False
        shown.settle()
        yield shown


def rows(shown: Stage) -> list[list[str]]:
    """The texts of the table."""
    table = shown.batch_ui.batchTable
    return [[table.item(r, c).text() for c in range(table.columnCount)] for r in range(table.rowCount)]


def done(shown: Stage, probabilities: tuple[float, ...]) -> None:
    """The case that runs is done."""
    shown.logic.job.done(classify_result(THREE, probabilities))
    shown.settle()


def start(shown: Stage) -> None:
    """Click."""
    shown.batch_ui.batchButton.click()
    shown.settle()


def test_cases_are_put_together_by_name(shown: Stage) -> None:
    assert shown.batch_ui.sceneRadio.text == "Volumes of the scene (3 cases)"
    start(shown)
    assert [row[0] for row in rows(shown)] == ["alpha", "beta", "gamma"]
    assert [row[1] for row in rows(shown)] == ["running…", "waiting", "waiting"]


def test_rows_fill_and_a_bad_one_does_not_stop_the_rest(shown: Stage) -> None:
    ui = shown.batch_ui
    start(shown)
    done(shown, (0.1, 0.2, 0.7))
    shown.logic.job.failed("It has only zeros: look at the image.")
    shown.settle()
    assert ui.batchProgress.value == 2
    done(shown, (0.999, 0.0005, 0.0005))
    assert rows(shown) == [
        ["alpha", "metastasis", "70 %"],
        ["beta", "not classified", ""],
        ["gamma", "glioma", "> 99 %"],
    ]
    assert ui.batchStatus.text == "Done: 2 of 3 cases. Not classified: 1; click on such a row to see why."
    assert ui.batchButton.text == "Classify all"
    assert shown.ui.classifyButton.enabled is True
    ui.batchTable.cellClicked.emit(1, 0)
    assert ui.batchStatus.text == "beta: It has only zeros: look at the image."


def test_one_thing_at_a_time(shown: Stage) -> None:
    start(shown)
    assert shown.ui.classifyButton.enabled is False
    assert "Many cases are being classified" in shown.ui.needsLabel.text
    assert shown.ui.modelSelector.enabled is False
    assert shown.batch_ui.folderRadio.enabled is False


def test_cancel_keeps_what_is_done(shown: Stage) -> None:
    start(shown)
    done(shown, (0.1, 0.2, 0.7))
    assert shown.batch_ui.batchButton.text == "Cancel"
    start(shown)
    assert shown.batch_ui.batchButton.enabled is False
    assert shown.logic.job.cancels == 1
    shown.logic.job.cancelled()
    shown.settle()
    assert [row[1] for row in rows(shown)] == ["metastasis", "cancelled", "cancelled"]
    assert shown.batch_ui.batchButton.text == "Classify all"
    assert shown.batch_ui.exportButton.enabled is True


def test_the_table_is_exported(shown: Stage, tmp_path: Path) -> None:
    assert shown.batch_ui.exportButton.enabled is False
    start(shown)
    for probabilities in ((0.1, 0.2, 0.7), (0.6, 0.2, 0.2), (0.1, 0.8, 0.1)):
        done(shown, probabilities)
    file = tmp_path / "answers.csv"
    standin.answer(str(file))
    shown.batch_ui.exportButton.click()
    assert shown.batch_ui.batchStatus.text == f"Saved to {file}."
    with file.open(encoding="utf-8-sig", newline="") as text:
        table = list(csv.DictReader(text))
    assert [row["predicted"] for row in table] == ["metastasis", "glioma", "meningioma"]
    assert float(table[1]["glioma"]) == pytest.approx(0.6)


def test_a_file_that_cannot_be_written_is_said(shown: Stage, tmp_path: Path) -> None:
    start(shown)
    for _ in range(3):
        done(shown, (0.1, 0.2, 0.7))
    standin.answer(str(tmp_path / "nowhere" / "answers.csv"))
    shown.batch_ui.exportButton.click()
    assert "cannot be saved" in shown.batch_ui.batchStatus.text
    assert "choose another place" in shown.batch_ui.batchStatus.text


def test_a_double_click_shows_the_case(shown: Stage) -> None:
    import slicer

    start(shown)
    for probabilities in ((0.1, 0.2, 0.7), (0.6, 0.2, 0.2), (0.1, 0.8, 0.1)):
        done(shown, probabilities)
    shown.batch_ui.batchTable.cellDoubleClicked.emit(1, 0)
    shown.settle()
    assert shown.result_ui.winnerLabel.text == "glioma"
    layers = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert slicer.mrmlScene.GetNodeByID(layers.GetBackgroundVolumeID()).GetName() == "beta_T1c"
    visible = [n for n in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if n.GetDisplayVisibility()]
    assert visible == [shown.tab.result.view.node]


def test_a_folder_has_to_be_chosen_and_to_hold_images(shown: Stage, tmp_path: Path) -> None:
    ui = shown.batch_ui
    ui.folderRadio.click()
    assert (ui.batchButton.enabled, ui.batchNeeds.text) == (False, "Choose a folder of images.")
    ui.folderEdit.setCurrentPath(str(tmp_path))
    assert ui.batchButton.enabled is False
    assert "No case in this folder has all of T1c, FLAIR" in ui.batchNeeds.text
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in ("x_T1c.nrrd", "x_FLAIR.nrrd", "notes.txt"):
        (scans / name).write_bytes(b"")
    ui.folderEdit.setCurrentPath(str(scans))
    assert ui.batchButton.enabled is True
    assert ui.batchButton.toolTip == "Classify 1 case, one after another."
    assert shown.parameters.batchFolder == str(scans)
    ui.folderEdit.setCurrentPath(str(tmp_path / "gone"))
    assert "cannot be read" in ui.batchNeeds.text


def test_folders_that_were_used_are_offered_again(shown: Stage, tmp_path: Path) -> None:
    ui = shown.batch_ui
    ui.folderRadio.click()
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        for channel in ("T1c", "FLAIR"):
            (folder / f"x_{channel}.nrrd").write_bytes(b"")
        ui.folderEdit.setCurrentPath(str(folder))
        ui.batchButton.click()
        assert shown.parameters.batchFolder == ui.folderEdit.currentPath == str(folder)
        start(shown)  # is Cancel now
    offered = ui.folderEdit.comboBox()
    assert [offered.itemText(n) for n in range(2)] == [str(tmp_path / "second"), str(tmp_path / "first")]


def test_an_empty_scene_is_said() -> None:
    with stage(FakeLogic((model_info(),))) as shown:
        shown.settle()
        assert shown.batch_ui.batchButton.enabled is False
        assert "No case in the scene has all of T1c, FLAIR" in shown.batch_ui.batchNeeds.text


def test_closing_the_scene_cancels_all(shown: Stage) -> None:
    import slicer

    start(shown)
    slicer.mrmlScene.Clear(False)
    assert shown.logic.job.cancels >= 1
    shown.logic.job.cancelled()
    shown.settle()
    assert [row[1] for row in rows(shown)] == ["cancelled"] * 3
