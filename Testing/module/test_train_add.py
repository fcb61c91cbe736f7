"""The page Train: adding a case from the scene; nothing counts as saved before the worker has said so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import slicer
from panel_fakes import add_volume
from panel_stage import Stage
from set_fakes import set_info
from train_stage import names, rows, settle, small_set, train_page


@pytest.fixture(scope="module")
def page() -> Iterator[Stage]:
    """One page for the tests here."""
    with train_page(small_set()) as shown:
        shown.train.ui.addSection.collapsed = False
        yield shown


@pytest.fixture
def shown(page: Stage) -> Stage:
    """The small set, opened anew."""
    return show(page, small_set())


def show(page: Stage, info: Any) -> Stage:
    """Open a set."""
    worker = page.logic.set_worker
    worker.broken, worker.breaks, worker.held = "", (), ()
    page.train.take(None)
    page.train.say("")
    worker.asked.clear()
    worker.exported.clear()
    worker.put(info)
    page.train.set.open(info.folder)
    settle(page)
    return page


def draw(volume: Any, name: str = "drawing", label: str = "tumour") -> Any:
    """A segmentation of one voxel row on a volume."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = node.GetSegmentation().AddEmptySegment("", label)
    array = np.zeros(slicer.util.arrayFromVolume(volume).shape, np.uint8)
    array[2, 3, 1:5] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, segment, volume)
    return node


def dicom(volume: Any, patient: str) -> None:
    """As if it had been loaded from DICOM."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Doe^Jane")
    names = slicer.vtkMRMLSubjectHierarchyConstants
    hierarchy.SetItemAttribute(item, names.GetDICOMPatientIDAttributeName(), patient)
    hierarchy.SetItemLevel(item, names.GetDICOMLevelPatient())
    study = hierarchy.CreateStudyItem(item, "visit")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)


def asked(shown: Stage) -> Any:
    """The last request to add a case."""
    return shown.logic.set_worker.asked_for("add_case")[-1]


def test_the_form_is_filled_in_from_the_image(shown: Stage) -> None:
    ui = shown.train.add.ui
    assert ui.addButton.enabled is False and ui.addNeeds.text == "Choose a volume for T1c."
    volume = add_volume("gamma_T1c")
    node = draw(volume)
    shown.settle()
    assert shown.train.add.inputs.nodes() == [volume]
    assert (ui.addNameEdit.text, ui.addGroupEdit.text) == ("gamma_T1c", "gamma_T1c")
    assert ui.addNeeds.visible is False and ui.addButton.enabled is True
    assert node is not None
    other = add_volume("delta_T1c")
    dicom(other, "PAT-0042")
    shown.train.add.inputs.set_nodes([other])
    assert (ui.addNameEdit.text, ui.addGroupEdit.text) == ("delta_T1c", "PAT-0042")
    ui.addNameEdit.text = "mine"
    shown.train.add.inputs.set_nodes([volume])
    assert (ui.addNameEdit.text, ui.addGroupEdit.text) == ("mine", "gamma_T1c")  # what was typed stays
    assert shown.train.add.form.segmentation is node


def test_a_case_is_saved_with_all_that_is_known(shown: Stage) -> None:
    ui = shown.train.add.ui
    volume = add_volume("gamma_T1c")
    draw(volume)
    shown.settle()
    shown.train.add.inputs.set_nodes([None])
    shown.train.add.inputs.set_nodes([volume])
    ui.addClassSelector.setEditText("GLIOMA")
    ui.addRoleSelector.setCurrentIndex(2)
    ui.addButton.click()
    assert ui.addProgressFrame.visible is True and ui.addButton.visible is False
    assert len(names(shown)) == 3
    settle(shown)
    request = asked(shown)
    assert (request.name, request.class_name, request.group) == ("gamma_T1c", "glioma", "gamma_T1c")
    assert (request.role, request.split, request.predicted, request.new_class) == (
        "classifier",
        "train",
        False,
        False,
    )
    image, labels = shown.logic.set_worker.exported[-1]
    assert np.array_equal(image, slicer.util.arrayFromVolume(volume))
    assert labels.sum() == 4 and labels[2, 3, 1:5].all()
    assert rows(shown)[3][:5] == ["gamma_T1c", "glioma", "gamma_T1c", "yes", "classifier"]
    assert ui.addResultLabel.text == "“gamma_T1c” is saved in the training set."
    assert shown.train.cases.table.selected == ("gamma_T1c",)
    assert ui.addNameEdit.text == "" and shown.train.add.inputs.nodes() == [None]
    assert ui.addProgressFrame.visible is False


def test_an_image_that_is_in_the_set_is_not_offered_again(shown: Stage) -> None:
    volume = add_volume("gamma_T1c")
    shown.settle()
    shown.train.add.ui.addButton.click()
    settle(shown)
    shown.train.add.inputs.set_nodes([volume])
    assert shown.train.add.ui.addNeeds.text == (
        "“gamma_T1c” is in the training set already, as “gamma_T1c”: choose another volume."
    )
    shown.train.cases.select(["gamma_T1c"])
    shown.train.cases.remove()
    settle(shown)
    assert shown.train.add.needs() == []  # once it is no longer in the set, it may come again


def test_a_new_class_asks_once(shown: Stage) -> None:
    ui = shown.train.add.ui
    add_volume("gamma_T1c")
    shown.settle()
    ui.addClassSelector.setEditText("gliomma")
    ui.addButton.click()
    assert ui.addQuestionFrame.visible is True
    assert "Did you mean “glioma”?" in ui.addQuestionLabel.text
    ui.addQuestionNo.click()
    assert shown.logic.set_worker.asked_for("add_case") == []
    assert ui.addClassSelector.currentText == "gliomma"
    ui.addButton.click()
    ui.addQuestionYes.click()
    settle(shown)
    assert (asked(shown).class_name, asked(shown).new_class) == ("gliomma", True)
    add_volume("delta_T1c")
    shown.settle()
    ui.addClassSelector.setEditText("Gliomma")
    ui.addButton.click()
    settle(shown)
    assert (asked(shown).class_name, asked(shown).new_class) == ("gliomma", False)


def test_a_worker_that_dies_loses_nothing_of_the_form(shown: Stage) -> None:
    ui, worker = shown.train.add.ui, shown.logic.set_worker
    volume = add_volume("gamma_T1c")
    shown.settle()
    ui.addClassSelector.setEditText("glioma")
    ui.addGroupEdit.text = "p9"
    worker.broken, worker.breaks = "The worker was ended by the system.", ("add_case",)
    ui.addButton.click()
    settle(shown)
    assert ui.addResultLabel.text == (
        "“gamma_T1c” was NOT saved in the training set. What you filled in is still here. The worker was ended by the "
        "system."
    )
    assert len(names(shown)) == 3
    assert shown.train.add.inputs.nodes() == [volume]
    assert (ui.addNameEdit.text, ui.addClassSelector.currentText, ui.addGroupEdit.text) == (
        "gamma_T1c",
        "glioma",
        "p9",
    )
    worker.broken = ""
    ui.addButton.click()
    settle(shown)
    assert names(shown)[3] == "gamma_T1c" and "is saved" in ui.addResultLabel.text


def test_a_worker_that_dies_after_saving_is_believed_by_the_folder(shown: Stage) -> None:
    worker = shown.logic.set_worker
    add_volume("gamma_T1c")
    shown.settle()
    worker.held = ("add_case",)
    shown.train.add.ui.addButton.click()
    settle(shown)
    ((params, _done, failed, _progress),) = worker.waiting
    worker._add_case(params)
    worker._fail(failed, "The worker was ended by the system.")
    settle(shown)
    assert names(shown)[3] == "gamma_T1c"
    assert shown.train.add.ui.addResultLabel.text.startswith("“gamma_T1c” is saved in the training set.")


def test_cancel_while_it_is_on_its_way(shown: Stage) -> None:
    ui, worker = shown.train.add.ui, shown.logic.set_worker
    add_volume("gamma_T1c")
    shown.settle()
    worker.held = ("add_case",)
    ui.addButton.click()
    settle(shown)
    ui.addCancelButton.click()
    worker.held = ()
    settle(shown)
    assert "was NOT saved" in ui.addResultLabel.text and len(names(shown)) == 3
    assert ui.addButton.visible and ui.addNameEdit.text == "gamma_T1c"


def test_closing_the_scene_while_adding_is_said(shown: Stage) -> None:
    add_volume("gamma_T1c", (64, 256, 256))
    shown.settle()
    shown.train.add.ui.addButton.click()
    slicer.mrmlScene.Clear(False)
    settle(shown)
    settle(shown)
    assert "was NOT saved" in shown.train.add.ui.addResultLabel.text
    assert "removed from the scene" in shown.train.add.ui.addResultLabel.text


def test_a_name_that_is_taken_gets_a_number(shown: Stage) -> None:
    add_volume("alpha")
    shown.settle()
    shown.train.add.ui.addButton.click()
    settle(shown)
    assert names(shown)[3] == "alpha-2"
    assert "“alpha-2” is saved" in shown.train.add.ui.addResultLabel.text


def test_channels_of_one_patient_are_put_together(page: Stage) -> None:
    shown = show(page, set_info((), folder="/sets/pairs", channels=("T1c", "FLAIR")))
    for name in ("alpha_T1c", "beta_FLAIR", "beta_T1c"):
        add_volume(name)
    shown.settle()
    chosen = [node.GetName() for node in shown.train.add.inputs.nodes()]
    assert chosen == ["beta_T1c", "beta_FLAIR"]
    assert shown.train.add.ui.addNameEdit.text == "beta"
    volume = shown.train.add.inputs.nodes()[0]
    shown.train.add.inputs.set_nodes([volume, volume])
    assert shown.train.add.ui.addNeeds.text == "One volume is chosen twice: choose another one."


def test_an_image_from_elsewhere_fills_the_form(shown: Stage, tmp_path: Any) -> None:
    volume = add_volume("x")
    path = tmp_path / "later.nrrd"
    slicer.util.saveNode(volume, str(path))
    slicer.mrmlScene.Clear(False)
    shown.train.open_files([str(path)], "later", "p3")
    settle(shown)
    form = shown.train.add.form
    assert (form.name, form.group) == ("later", "p3")
    assert shown.train.add.inputs.nodes()[0].GetName() == "later"
    shown.train.open_files([str(tmp_path / "gone.nrrd")], "gone", "")
    settle(shown)
    assert "“gone” cannot be shown." in shown.train.ui.trainMessage.text
