"""The panel with the real logic and a real worker: what a user does on the first day."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import qt
import slicer
import standin
from panel_stage import MODULE
from scene_data import add_volume, bright_boxes


@pytest.fixture(scope="module")
def widget(models: Path) -> Iterator[Any]:
    """The module's widget; its user's models are the small test models."""
    qt.QSettings().remove("SegClassify")
    before = os.environ.get("SEGCLASSIFY_MODELS")
    os.environ["SEGCLASSIFY_MODELS"] = str(models)
    widget = standin.load_module(MODULE)
    standin.wait_until(lambda: widget.panel.classify.ui.deviceSelector.count > 1, 60, "models and devices")
    yield widget
    standin.unload_module("SegClassify")
    if before is None:
        del os.environ["SEGCLASSIFY_MODELS"]
    else:
        os.environ["SEGCLASSIFY_MODELS"] = before


def listed(widget: Any) -> tuple[Any, ...]:
    """The models in the list."""
    return widget.panel.classify.models._models


def choose(widget: Any, name: str) -> None:
    """Another model, as a user does."""
    selector = widget.panel.classify.ui.modelSelector
    index = [Path(model.path).name for model in listed(widget)].index(name)
    selector.setCurrentIndex(index)
    selector.activated.emit(index)
    standin.spin(0.05)


def classify(widget: Any) -> Any:
    """Click, wait for the end, and give the widgets of the result."""
    tab = widget.panel.classify
    assert tab.ui.classifyButton.enabled is True, tab.ui.needsLabel.text
    tab.ui.classifyButton.click()
    standin.wait_until(lambda: not tab.running, 60, "the result")
    standin.spin(0.05)
    return tab.result.ui


def test_models_say_what_they_want(widget: Any) -> None:
    ui = widget.panel.classify.ui
    names = [ui.modelSelector.itemText(i) for i in range(ui.modelSelector.count)]
    assert names == [model.name for model in listed(widget)]
    assert {"volume", "pair", "picture"} <= {Path(model.path).name for model in listed(widget)}
    choose(widget, "volume")
    assert "Tells small tumours from large ones" in ui.modelSummary.text
    ui.moreButton.checked = True
    assert "small, large" in ui.modelFacts.text
    ui.moreButton.checked = False
    choose(widget, "pair")
    assert len(widget.panel.classify.inputs.selectors) == 2


def test_a_volume_is_classified_and_undone(widget: Any) -> None:
    choose(widget, "volume")
    add_volume(bright_boxes())
    standin.spin(0.05)
    result = classify(widget)
    assert result.winnerLabel.text in ("small", "large")
    assert result.volumesLabel.text.startswith("Segmented: organ")
    assert " s on " in result.timeLabel.text
    node = widget.panel.classify.result.view.node
    segments = node.GetSegmentation()
    assert [segments.GetNthSegment(n).GetName() for n in range(segments.GetNumberOfSegments())] == [
        "organ",
        "tumour",
    ]
    assert node.GetDisplayNode().GetOpacity2DFill() == pytest.approx(0.5)
    result.show3dCheckBox.checked = True
    standin.wait_until(lambda: not result.viewMessage.visible, 60, "surfaces")
    assert node.GetDisplayNode().GetVisibility3D()
    result.show3dCheckBox.checked = False
    result.undoButton.click()
    standin.spin(0.05)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    assert result.emptyLabel.visible is True


def test_a_second_run_updates_its_own_result(widget: Any) -> None:
    choose(widget, "volume")
    add_volume(bright_boxes())
    standin.spin(0.05)
    classify(widget)
    classify(widget)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
    widget.panel.classify.ui.keepEarlierCheckBox.checked = True
    result = classify(widget)
    widget.panel.classify.ui.keepEarlierCheckBox.checked = False
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 2
    assert result.choiceRow.visible is True


def test_cancel_gives_the_panel_back(widget: Any) -> None:
    tab = widget.panel.classify
    choose(widget, "volume")
    add_volume(bright_boxes())
    standin.spin(0.05)
    tab.ui.classifyButton.click()
    tab.ui.classifyButton.click()
    standin.wait_until(lambda: not tab.running, 10, "the end")
    assert tab.ui.errorFrame.visible is False
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_an_image_that_cannot_be_used_is_explained(widget: Any, tmp_path: Path) -> None:
    tab = widget.panel.classify
    choose(widget, "volume")
    (tmp_path / "broken.nrrd").write_text("no image", encoding="utf-8")
    tab.batch.ui.folderRadio.checked = True
    tab.batch.ui.folderEdit.setCurrentPath(str(tmp_path))
    standin.spin(0.05)
    assert tab.batch.ui.batchButton.enabled is True, tab.batch.ui.batchNeeds.text
    tab.batch.ui.batchButton.click()
    standin.wait_until(lambda: not tab.batch.running, 60, "the batch")
    table = tab.batch.ui.batchTable
    assert table.item(0, 1).text() == "not classified"
    table.cellClicked.emit(0, 1)
    assert "broken.nrrd" in tab.batch.ui.batchStatus.text
    tab.batch.ui.sceneRadio.checked = True


def test_all_volumes_of_the_scene(widget: Any) -> None:
    tab = widget.panel.classify
    choose(widget, "volume")
    for name in ("alpha", "beta"):
        add_volume(bright_boxes(), name)
    standin.spin(0.05)
    assert tab.batch.ui.sceneRadio.text == "Volumes of the scene (2 cases)"
    tab.batch.ui.batchButton.click()
    standin.wait_until(lambda: not tab.batch.running, 60, "the batch")
    table = tab.batch.ui.batchTable
    assert [table.item(row, 0).text() for row in range(2)] == ["alpha", "beta"]
    assert all(table.item(row, 1).text() in ("small", "large") for row in range(2))
    table.cellDoubleClicked.emit(1, 0)
    standin.spin(0.05)
    assert tab.result.view.result.name == "beta"


def test_removing_what_does_not_belong_to_the_user_is_refused_in_words(widget: Any) -> None:
    tab = widget.panel.classify
    said: list[str] = []
    widget.logic.remove_model("/somewhere/else", lambda *_nothing: said.append("removed"), said.append)
    standin.wait_until(lambda: said, 30)
    assert said != ["removed"]
    assert tab.ui.modelSelector.count >= 3


def test_the_log_tells_what_the_worker_did(widget: Any) -> None:
    ui = widget.panel.classify.ui
    ui.logSection.collapsed = False
    assert "models" in ui.logText.toPlainText()
    ui.logSection.collapsed = True
