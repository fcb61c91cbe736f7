"""The button Classify: what happens from click to result, to Cancel and to an error, and with the scene meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
import standin
from panel_fakes import FakeLogic, add_volume, classify_result, model_info
from panel_stage import Stage, stage

THREE = ("glioma", "meningioma", "metastasis")


def test_a_click_asks_for_what_was_chosen(shown: Stage) -> None:
    import slicer

    shown.ui.keepEarlierCheckBox.click()
    shown.ui.classifyButton.click()
    job = shown.logic.job
    names = [slicer.mrmlScene.GetNodeByID(node_id).GetName() for node_id in job.volumes]
    assert names == ["alpha_T1c", "alpha_FLAIR"]
    assert (job.model, job.device, job.keep_earlier) == ("/models/Brain tumour type", "auto", True)


def test_while_it_runs_the_button_is_cancel(shown: Stage) -> None:
    ui = shown.ui
    ui.classifyButton.click()
    assert (ui.classifyButton.text, ui.classifyButton.enabled) == ("Cancel", True)
    assert ui.progressFrame.visible is True
    assert ui.progressBar.maximum == 0  # to and fro until something is known
    assert ui.elapsedLabel.text == "0:00"
    for widget in (ui.modelSelector, ui.deviceSelector, ui.addButton, *shown.tab.inputs.selectors):
        assert widget.enabled is False
    shown.logic.job.on_phase("Segmenting", 0.4)
    assert (ui.phaseLabel.text, ui.progressBar.value, ui.progressBar.maximum) == ("Segmenting", 400, 1000)
    assert shown.batch_ui.batchButton.enabled is False


def test_the_result_is_shown(shown: Stage) -> None:
    shown.ui.resultSection.collapsed = True
    shown.ui.classifyButton.click()
    outcome = shown.logic.job.done(classify_result(THREE, (0.2, 0.7, 0.1)), notes=("Converted to grey.",))
    assert shown.ui.resultSection.collapsed is False
    assert shown.result_ui.winnerLabel.text == "meningioma"
    assert shown.result_ui.percentLabel.text == "70 %"
    assert shown.result_ui.notesLabel.text == "Converted to grey."
    assert shown.result_ui.timeLabel.text == "3.2 s on Processor"
    assert shown.tab.result.view.node.GetID() == outcome.segmentation
    assert (shown.ui.classifyButton.text, shown.ui.progressFrame.visible) == ("Classify", False)
    assert shown.result_ui.undoButton.enabled is True


def test_cancel_asks_once_and_waits_for_the_end(shown: Stage) -> None:
    ui = shown.ui
    ui.classifyButton.click()
    ui.classifyButton.click()
    assert shown.logic.job.cancels == 1
    assert (ui.classifyButton.enabled, ui.phaseLabel.text) == (False, "Cancelling…")
    shown.logic.job.on_phase("Segmenting", 0.5)  # what was on its way
    assert ui.phaseLabel.text == "Cancelling…"
    shown.logic.job.cancelled()
    assert (ui.classifyButton.text, ui.classifyButton.enabled) == ("Classify", True)
    assert ui.errorFrame.visible is False
    assert shown.result_ui.emptyLabel.visible is True


def test_an_error_is_said_until_the_next_try(shown: Stage) -> None:
    ui = shown.ui
    ui.classifyButton.click()
    shown.logic.job.failed("The image has only zeros: look at it.")
    assert (ui.errorFrame.visible, ui.errorLabel.text) == (True, "The image has only zeros: look at it.")
    assert (ui.classifyButton.text, ui.classifyButton.enabled) == ("Classify", True)
    ui.classifyButton.click()
    assert ui.errorFrame.visible is False
    assert len(shown.logic.jobs) == 2


def test_a_refusal_at_once_is_an_error_too(shown: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_values: object, **_more: object) -> None:
        raise ValueError("No image is chosen.")

    monkeypatch.setattr(shown.logic, "start_classify", refuse)
    shown.ui.classifyButton.click()
    assert shown.ui.errorLabel.text == "No image is chosen."
    assert shown.ui.classifyButton.text == "Classify"


def test_undo_takes_the_result_out_of_the_scene(shown: Stage) -> None:
    import slicer

    before = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    shown.ui.classifyButton.click()
    shown.logic.job.done(classify_result(THREE, (0.2, 0.7, 0.1)))
    shown.settle()
    shown.result_ui.undoButton.click()
    shown.settle()
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == before
    assert shown.result_ui.emptyLabel.visible is True
    assert shown.result_ui.undoButton.enabled is False


def test_undo_shows_the_result_before(shown: Stage) -> None:
    for probabilities in ((0.2, 0.7, 0.1), (0.8, 0.1, 0.1)):
        shown.ui.classifyButton.click()
        shown.logic.job.done(classify_result(THREE, probabilities))
        shown.settle()
    assert shown.result_ui.winnerLabel.text == "glioma"
    shown.result_ui.undoButton.click()
    shown.settle()
    assert shown.result_ui.winnerLabel.text == "meningioma"


def test_closing_the_scene_cancels(shown: Stage) -> None:
    import slicer

    shown.ui.classifyButton.click()
    slicer.mrmlScene.Clear(False)
    assert shown.logic.job.cancels == 1
    shown.logic.job.cancelled()
    shown.settle()
    assert shown.ui.classifyButton.text == "Classify"
    assert shown.tab.inputs.nodes() == [None, None]


def test_closing_the_scene_takes_the_result_off_the_panel(shown: Stage) -> None:
    import slicer

    shown.ui.classifyButton.click()
    shown.logic.job.done(classify_result(THREE, (0.2, 0.7, 0.1)))
    slicer.mrmlScene.Clear(False)
    shown.settle()
    assert shown.result_ui.body.visible is False
    assert shown.ui.modelSelector.currentText == "Brain tumour type"


def test_a_loaded_scene_shows_its_result_and_its_choice(shown: Stage, tmp_path: Path) -> None:
    import slicer

    first, second = shown.tab.inputs.nodes()
    for selector, node in zip(shown.tab.inputs.selectors, (second, first), strict=True):
        selector.setCurrentNode(node)
    shown.ui.classifyButton.click()
    shown.logic.job.done(classify_result(THREE, (0.2, 0.7, 0.1)))
    shown.result_ui.opacitySlider.value = 0.25
    shown.settle()
    file = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(file)
    slicer.mrmlScene.Clear(False)
    shown.settle()
    assert shown.result_ui.body.visible is False
    slicer.util.loadScene(file)
    shown.tab.inputs.prefill()  # as when the user comes to the module right now: must not overwrite what was loaded
    shown.settle()
    assert shown.result_ui.winnerLabel.text == "meningioma"
    assert shown.result_ui.opacitySlider.value == 0.25
    assert [node.GetName() for node in shown.tab.inputs.nodes()] == ["alpha_FLAIR", "alpha_T1c"]


def test_a_scene_that_was_there_first_goes_before_names() -> None:
    with stage(FakeLogic((model_info(),))) as shown:
        first, second = add_volume("alpha_T1c"), add_volume("alpha_FLAIR")
        shown.parameters.model = "/models/Brain tumour type"
        shown.parameters.inputs = [second, first]
        shown.widget.initializeParameterNode()
        shown.settle()
        assert [node.GetName() for node in shown.tab.inputs.nodes()] == ["alpha_FLAIR", "alpha_T1c"]


def test_the_log_is_read_when_it_is_open(shown: Stage) -> None:
    ui = shown.ui
    shown.logic.worker.say("first line")
    shown.settle()
    assert ui.logText.toPlainText() == ""
    ui.logSection.collapsed = False
    assert ui.logText.toPlainText() == "first line"
    shown.logic.worker.say("second line")
    standin.wait_until(lambda: ui.logText.toPlainText() == "first line\nsecond line", 5)


def test_reloading_while_it_runs_leaves_nothing_behind() -> None:
    logic = FakeLogic((model_info(),))
    with stage(logic) as shown:
        add_volume("alpha_T1c")
        add_volume("alpha_FLAIR")
        shown.settle()
        shown.ui.classifyButton.click()
    assert logic.worker.log_changed is None
    add_volume("late")  # nobody listens any more
    standin.spin(0.6)
    standin.raise_recorded()


def test_sections_stay_as_they_were_left(shown: Stage) -> None:
    from SegClassifyPanel.settings import Settings

    shown.ui.modelSection.collapsed = True
    shown.ui.batchSection.collapsed = False
    assert Settings().expanded("modelSection", True) is False
    assert Settings().expanded("batchSection", False) is True
    assert Settings().expanded("inputsSection", True) is True
