"""The page Train with the module's own worker: what the table shows lies in the folder."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import standin
from panel_stage import MODULE
from scene_data import add_volume, bright_boxes
from test_train_set_logic import SHAPE, add_segmentation, boxes


@pytest.fixture
def panel() -> Iterator[Any]:
    """The real panel, on the page Train."""
    import qt

    qt.QSettings().remove("SegClassify")
    standin.load_module(MODULE, show=False)
    slicer.util.mainWindow().show()
    slicer.util.selectModule("SegClassify")
    widget = slicer.util.getModuleWidget("SegClassify")
    widget.panel.classify.setup._complete = True
    widget.panel.ui.tabs.setCurrentIndex(1)
    yield widget.panel
    standin.unload_module("SegClassify")
    assert "SegClassify" in sys.modules


def wait(condition: Any, what: str) -> None:
    """Let the worker answer."""
    standin.wait_until(condition, 60, what)
    standin.raise_recorded()


def on_disk(folder: Path) -> dict[str, Any]:
    """Case name → entry, as ``dataset.json`` has it."""
    content = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    return {
        Path(entry["image"] if isinstance(entry["image"], str) else entry["image"][0]).name: entry
        for entry in content["training"]
    }


def make(panel: Any, folder: Path) -> None:
    """A new set through the form."""
    ui = panel.train.set.ui
    ui.newSetButton.click()
    ui.setFolderEdit.setCurrentPath(str(folder))
    ui.newChannelsEdit.text, ui.newLabelsEdit.text = "CT", "tumour, edema"
    ui.newClassesEdit.text = "large, small"
    ui.createSetButton.click()
    wait(lambda: panel.train.info is not None, "the new set")


def add(panel: Any, name: str, array: np.ndarray, class_name: str) -> None:
    """A case with a segmentation, through the form."""
    add_segmentation(boxes())
    volume = add_volume(array, name)
    section = panel.train.add
    section.inputs.set_nodes([volume])
    section.form.choose_segmentation(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")[-1])
    section.ui.addClassSelector.setEditText(class_name)
    section.ui.addButton.click()


def test_a_set_is_made_filled_corrected_and_undone(panel: Any, tmp_path: Path) -> None:
    folder = tmp_path / "heads"
    make(panel, folder)
    train = panel.train
    for n, name in enumerate(("alpha", "beta")):
        add(panel, name, bright_boxes(SHAPE) + n, ("large", "small")[n])
        wait(lambda: not train.add.line.running, "the case")
        assert f"“{name}” is saved" in train.add.ui.addResultLabel.text
    assert [row.segmentation for row in train.info.cases] == ["drawn", "drawn"]
    assert len(on_disk(folder)) == 2
    wait(lambda: train.guide.guide is not None and train.guide.guide.cases == 2, "the guide")
    assert any("class" in finding.sentence for finding in train.guide.guide.findings)

    slicer.mrmlScene.Clear(False)
    train.edit_case("alpha")
    wait(lambda: slicer.util.selectedModule() == "SegmentEditor", "the editor")
    editor = slicer.util.getModuleWidget("SegmentEditor").editor
    node, volume = editor.segmentationNode(), editor.sourceVolumeNode()
    segment = node.GetSegmentation().GetSegmentIdBySegmentName("edema")
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[0, :2, :3] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, segment, volume)
    slicer.util.selectModule("SegClassify")
    train.ui.saveEditButton.click()
    wait(lambda: not train.ui.editFrame.visible, "the correction")
    import SimpleITK as sitk

    file = train.info.cases[0].segmentation_file
    stored = sitk.GetArrayFromImage(sitk.ReadImage(file))
    wanted = np.where(boxes() == 2, 0, boxes())
    wanted[0, :2, :3] = 2
    assert np.array_equal(stored, wanted)

    train.cases.select(["beta"])
    train.cases.remove()
    wait(lambda: len(train.info.cases) == 1, "removing")
    assert len(on_disk(folder)) == 1
    train.cases.undo()
    wait(lambda: len(train.info.cases) == 2, "undoing")
    assert len(on_disk(folder)) == 2


def test_a_worker_that_is_killed_while_adding(panel: Any, tmp_path: Path) -> None:
    folder = tmp_path / "heads"
    make(panel, folder)
    train, worker = panel.train, panel.train._sets._worker
    add(panel, "alpha", bright_boxes((64, 128, 128)), "large")
    wait(lambda: bool(worker._open), "the request")
    os.kill(worker.pid, signal.SIGKILL)
    wait(lambda: not train.add.line.running, "the end")
    said, shown = train.add.ui.addResultLabel.text, [row.name for row in train.info.cases]
    saved = len(on_disk(folder))
    assert (saved, shown) in ((0, []), (1, ["alpha"]))
    assert ("was NOT saved" in said) == (saved == 0)
    if not saved:
        assert train.add.form.name == "alpha" and train.add.form.class_name == "large"
        train.add.ui.addButton.click()
        wait(lambda: not train.add.line.running, "the second try")
    assert [row.name for row in train.info.cases] == ["alpha"] and len(on_disk(folder)) == 1


def test_a_change_made_elsewhere_is_seen_and_a_folder_that_is_gone_is_said(
    panel: Any, tmp_path: Path
) -> None:
    from SegClassifyLib.cases.training_set import TrainingSet

    folder = tmp_path / "heads"
    make(panel, folder)
    add(panel, "alpha", bright_boxes(SHAPE), "large")
    wait(lambda: not panel.train.add.line.running, "the case")
    TrainingSet.open(folder).change("alpha", label_class="small")
    panel.train.reader.look()
    wait(lambda: panel.train.info.cases[0].class_name == "small", "the change")
    (folder / "dataset.json").unlink()
    panel.train.reader.look()
    wait(lambda: panel.train.ui.trainMessageFrame.visible, "the sentence")
    assert "dataset.json" in panel.train.ui.trainMessage.text
    assert len(panel.train.info.cases) == 1  # the table stays as it was read the last time
