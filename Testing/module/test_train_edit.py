"""The page Train: correcting segmentations in Segment Editor, and showing cases; with a set that lies in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from panel_fakes import FakeLogic, add_volume, classify_result, model_info
from panel_stage import Stage, stage
from set_fakes import case_row, set_info
from train_stage import settle, small_set, train_page

SHAPE = (6, 8, 10)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of three cases, one with a label map, one with a segmentation file."""
    folder = tmp_path_factory.mktemp("heads")
    for name in ("alpha", "beta", "gamma"):
        slicer.util.saveNode(add_volume(name, SHAPE), str(folder / f"{name}.nrrd"))
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:3, 2:5, 3:7] = 1
    labels[4, 4, 4] = 2
    node = slicer.util.addVolumeFromArray(labels, name="labels", nodeClassName="vtkMRMLLabelMapVolumeNode")
    slicer.util.saveNode(node, str(folder / "alpha_labels.nrrd"))
    slicer.mrmlScene.Clear(False)
    return folder


@pytest.fixture
def shown(files: Path) -> Iterator[Stage]:
    """The page with these cases."""
    rows = [
        case_row(name, "glioma", images=(str(files / f"{name}.nrrd"),)) for name in ("alpha", "beta", "gamma")
    ]
    rows[0] = replace(rows[0], segmentation="predicted", segmentation_file=str(files / "alpha_labels.nrrd"))
    rows[2] = replace(rows[2], images=(str(files / "gone.nrrd"),))
    with train_page(set_info(rows, folder=str(files))) as shown:
        yield shown


def volumes() -> list[str]:
    """Names of the volumes in the scene."""
    return [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")]


def background() -> str:
    """Name of the volume in the slice views."""
    layers = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    node = slicer.mrmlScene.GetNodeByID(layers.GetBackgroundVolumeID() or "")
    return node.GetName() if node is not None else ""


def double_click(shown: Stage, number: int) -> None:
    """A row of the table."""
    table = shown.train.cases.ui.casesTable
    table.doubleClicked.emit(table.model().index(number, 1))
    settle(shown)


def segmentations() -> list[Any]:
    """Of the scene."""
    return list(slicer.util.getNodesByClass("vtkMRMLSegmentationNode"))


def edit(shown: Stage, name: str) -> Any:
    """Select a case and click Edit; the editor."""
    shown.train.cases.select([name])
    shown.train.cases.ui.editCaseButton.click()
    settle(shown)
    assert slicer.util.selectedModule() == "SegmentEditor"
    return slicer.util.getModuleWidget("SegmentEditor").editor


def back(shown: Stage) -> None:
    """To the page."""
    slicer.util.selectModule("SegClassify")
    settle(shown)


def test_a_double_click_shows_a_case_once(shown: Stage) -> None:
    double_click(shown, 0)
    assert background() == "alpha"
    (node,) = segmentations()
    segmentation = node.GetSegmentation()
    names = [segmentation.GetNthSegment(n).GetName() for n in range(segmentation.GetNumberOfSegments())]
    assert names == ["tumour", "edema"]  # of the set, not of the file
    double_click(shown, 1)
    assert background() == "beta" and not node.GetDisplayVisibility()
    double_click(shown, 0)
    assert background() == "alpha" and node.GetDisplayVisibility()
    assert volumes() == ["alpha", "beta"] and segmentations() == [node]


def test_a_saved_scene_still_knows_its_cases(shown: Stage, tmp_path: Path) -> None:
    double_click(shown, 0)
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    shown.settle()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    shown.settle()
    double_click(shown, 0)
    assert volumes() == ["alpha"] and len(segmentations()) == 1


def test_a_file_that_is_gone_is_said(shown: Stage) -> None:
    double_click(shown, 2)
    assert "“gamma” cannot be shown." in shown.train.ui.trainMessage.text
    assert shown.train.ui.trainMessageIcon.visible is True


def test_a_newer_file_is_loaded_and_the_older_segmentation_is_kept(shown: Stage, files: Path) -> None:
    import os

    double_click(shown, 0)
    file = files / "alpha_labels.nrrd"
    os.utime(file, ns=(1, file.stat().st_mtime_ns + 1_000_000_000))
    double_click(shown, 0)
    assert len(segmentations()) == 2
    assert [n.GetDisplayVisibility() for n in segmentations()] == [0, 1]
    assert "(older)" in segmentations()[0].GetName()


def test_a_correction_is_saved_to_its_case(shown: Stage) -> None:
    ui = shown.train.ui
    assert ui.editFrame.visible is False
    editor = edit(shown, "alpha")
    node, volume = editor.segmentationNode(), editor.sourceVolumeNode()
    assert (node.GetName(), volume.GetName()) == ("alpha correction", "alpha")
    original = next(n for n in segmentations() if n is not node)
    assert not original.GetDisplayVisibility() and node.GetDisplayVisibility()
    segment = node.GetSegmentation().GetSegmentIdBySegmentName("edema")
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume).copy()
    array[0, 0, :3] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, segment, volume)
    assert not slicer.util.arrayFromSegmentBinaryLabelmap(original, "Label_2", volume)[0, 0, :3].any()
    back(shown)
    assert ui.editFrame.visible is True and "It is not saved yet." in ui.editLabel.text
    assert shown.train.cases.ui.editCaseButton.enabled is False
    ui.saveEditButton.click()
    assert "Saving" in ui.editLabel.text and ui.saveEditButton.enabled is False
    settle(shown)
    _image, labels = shown.logic.set_worker.exported[-1]
    assert (labels[0, 0, :3] == 2).all() and (labels == 1).sum() == 24 and labels[4, 4, 4] == 2
    assert ui.editFrame.visible is False
    assert ui.trainMessage.text == "The segmentation of “alpha” is saved."
    assert segmentations() == [node]
    assert shown.train.info.cases[0].segmentation == "drawn"


def test_a_case_without_segmentation_begins_with_the_labels_of_the_set(shown: Stage) -> None:
    node = edit(shown, "beta").segmentationNode()
    segmentation = node.GetSegmentation()
    assert [segmentation.GetNthSegment(n).GetName() for n in range(2)] == ["tumour", "edema"]


def test_what_could_not_be_saved_is_still_there(shown: Stage) -> None:
    worker, ui = shown.logic.set_worker, shown.train.ui
    node = edit(shown, "alpha").segmentationNode()
    back(shown)
    worker.broken, worker.breaks = "The disk is full: free space on it.", ("save_segmentation",)
    ui.saveEditButton.click()
    settle(shown)
    assert ui.trainMessage.text == (
        "The segmentation of “alpha” was NOT saved; it is still in the scene. The disk is full: free space on it."
    )
    assert ui.editFrame.visible and ui.saveEditButton.enabled
    ui.continueEditButton.click()
    assert slicer.util.getModuleWidget("SegmentEditor").editor.segmentationNode() is node


def test_discarding_leaves_case_and_drawing_alone(shown: Stage) -> None:
    node = edit(shown, "alpha").segmentationNode()
    back(shown)
    shown.train.ui.discardEditButton.click()
    settle(shown)
    assert shown.train.ui.editFrame.visible is False
    assert node in segmentations() and not node.GetDisplayVisibility()
    assert shown.logic.set_worker.asked_for("save_segmentation") == []
    assert "still in the scene, hidden, as “alpha correction”" in shown.train.ui.trainMessage.text
    assert edit(shown, "alpha").segmentationNode() is not node


def test_an_edit_survives_a_reload_of_the_module_and_ends_with_the_scene(shown: Stage) -> None:
    edit(shown, "alpha")
    back(shown)
    from SegClassifyPanel.edit_case import CaseEdit

    assert CaseEdit(shown.train.ui, shown.train).case == "alpha"
    slicer.mrmlScene.Clear(False)
    shown.settle()
    assert shown.train.ui.editFrame.visible is False


def test_a_result_is_corrected_and_added() -> None:
    with stage(FakeLogic((model_info(channels=model_info().channels[:1]),))) as shown:
        add_volume("gamma_T1c")
        shown.settle()
        assert shown.result_ui.addToSetButton.enabled is False
        shown.ui.classifyButton.click()
        labels = np.zeros((6, 8, 10), np.uint8)
        labels[2:4, 2:4, 2:4] = 5
        shown.logic.job.done(classify_result(("glioma", "meningioma"), (0.7, 0.3)), labels)
        shown.settle()
        shown.result_ui.addToSetButton.click()
        assert shown.widget.panel.ui.tabs.currentIndex == 1
        assert "Open a training set first" in shown.train.ui.trainMessage.text
        shown.logic.set_worker.put(small_set())
        shown.train.set.open("/sets/heads")
        settle(shown)
        add, ui = shown.train.add, shown.train.add.ui
        shown.train.ui.addSection.collapsed = False
        result = shown.tab.result.view.node
        assert add.inputs.nodes()[0].GetName() == "gamma_T1c" and add.form.segmentation is result
        assert ui.addClassSelector.lineEdit().placeholderText == "predicted: glioma"
        assert ui.addClassSelector.currentText == ""  # a prediction is no class
        assert (ui.checkedBox.visible, add.form.predicted) == (True, True)
        ui.checkedBox.click()
        assert add.form.predicted is False
        assert ui.drawButton.text == "Correct"
        ui.drawButton.click()
        shown.settle()
        assert slicer.util.selectedModule() == "SegmentEditor"
        copy = add.form.segmentation
        assert copy is not result and copy.GetName() == "gamma_T1c correction"
        editor = slicer.util.getModuleWidget("SegmentEditor").editor
        assert editor.segmentationNode() is copy
        assert editor.sourceVolumeNode().GetName() == "gamma_T1c"
        assert result.GetDisplayVisibility() == 0
        slicer.util.selectModule("SegClassify")
        settle(shown)
        assert (ui.checkedBox.visible, add.form.predicted, ui.drawButton.text) == (True, False, "Edit")
