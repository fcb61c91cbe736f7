"""After a training: save the model, compare it, test it, and find the next case to label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from panel_fakes import model_info
from training_fakes import THREE, comparison, evaluation, segmenter_run, set_info, suggestions, trained
from training_stage import TrainingStage, training_stage


@pytest.fixture
def shown() -> Iterator[TrainingStage]:
    """The sections, with a classifier."""
    with training_stage() as shown:
        other = model_info("Last week", classes=THREE, version="2026-02-22 0123abcd")
        shown.host.known = (other, model_info("Lungs", classes=("nodule", "none")))
        shown.open(set_info(cases=90), (segmenter_run(),), (trained(),))
        yield shown


def messages() -> Any:
    from SegClassifyLib.worker import protocol

    return protocol


def test_a_saved_model_is_chosen_on_the_page_classify(shown: TrainingStage) -> None:
    ui = shown.ui("SaveSection")
    assert ui.saveNameEdit.text == "Heads"
    ui.saveNameEdit.text = " Tumour type "
    ui.saveWordsEdit.setPlainText("Three types.\n")
    ui.saveModelButton.click()
    asked = shown.worker.waiting(messages().SaveModelParams)[0].params
    assert (asked.name, asked.description, asked.models) == ("Tumour type", "Three types.", "/models")
    assert not ui.saveModelButton.enabled  # not twice
    shown.worker.answer(messages().SaveModelParams, model_info("Tumour type"))
    assert shown.host.used == ["/models/Tumour type"]
    assert "chosen on the page Classify" in ui.saveMessage.text and ui.saveModelButton.enabled


def test_a_model_without_a_name_is_not_saved(shown: TrainingStage) -> None:
    ui = shown.ui("SaveSection")
    ui.saveNameEdit.text = "  "
    assert not ui.saveModelButton.enabled and ui.saveModelButton.toolTip == "Give the model a name first."


def test_why_it_was_not_saved_is_said(shown: TrainingStage) -> None:
    ui = shown.ui("SaveSection")
    ui.saveModelButton.click()
    shown.worker.fail(messages().SaveModelParams, "The disk is full: make room.")
    assert ui.saveMessage.text == "The disk is full: make room." and ui.saveModelButton.enabled


def test_without_a_classifier_there_is_nothing_to_save() -> None:
    with training_stage() as shown:
        shown.open(set_info())
        assert not shown.section("SaveSection").widget.visible


def test_it_is_compared_with_a_model_for_the_same_classes(shown: TrainingStage) -> None:
    ui = shown.ui("SaveSection")
    ui.compareMore.click()
    assert ui.compareSelector.count == 1 and ui.compareSelector.itemText(0).startswith("Last week (2026")
    ui.compareButton.click()
    asked = shown.worker.waiting(messages().CompareModelsParams)[0].params
    assert asked.first == "/models/Last week" and asked.second.startswith(
        "/data/heads/trainings/classifiers/"
    )
    shown.worker.answer(messages().CompareModelsParams, comparison())
    assert "more than chance" in ui.compareSentence.text
    assert ui.compareTable.item(0, 3).text() == "+8 points\n(+1 to +15)"
    assert ui.compareTable.item(1, 3).text() == "+5 points\n(−1 to +11)"
    ui.wrongTable.cellClicked.emit(1, 0)
    assert shown.host.opened == ["case 017"]


def test_without_another_model_that_is_said(shown: TrainingStage) -> None:
    shown.host.known = ()
    shown.change(set_info(cases=90, revision="2"))
    ui = shown.ui("SaveSection")
    assert not ui.compareButton.enabled and "no other model" in ui.compareButton.toolTip


def test_cases_kept_for_a_test_are_used_where_there_are_some(shown: TrainingStage) -> None:
    ui = shown.ui("SaveSection")
    assert not ui.evaluateButton.enabled and "No case is kept" in ui.evaluateButton.toolTip
    info = set_info(cases=90)
    rows = tuple(replace(c, split="test") if n % 6 == 5 else c for n, c in enumerate(info.cases))
    shown.change(replace(info, cases=rows))
    assert ui.evaluateButton.text == "Test on 12 cases kept for that"
    ui.evaluateButton.click()
    shown.worker.answer(messages().EvaluateModelParams, evaluation())
    assert ui.evaluateTable.item(0, 1).text() == "81 %\n62 – 96 %"
    assert ui.wrongTable.rowCount == 1 and "taken for glioblastoma" in ui.wrongTable.item(0, 1).text()


def test_findings_about_an_earlier_classifier_go(shown: TrainingStage) -> None:
    ui = shown.ui("SaveSection")
    ui.compareMore.click()
    ui.compareButton.click()
    shown.worker.answer(messages().CompareModelsParams, comparison())
    shown.ui("ClassifierSection").trainClassifierButton.click()
    shown.worker.answer(messages().TrainClassifierParams, trained())
    assert not ui.compareSentence.visible and not ui.compareTable.visible


def test_the_next_case_is_opened_ready_to_be_labelled(shown: TrainingStage) -> None:
    ui = shown.ui("NextSection")
    assert ui.unlabelledRadio.text == "Cases of this set without a class (9)"
    ui.findNextButton.click()
    asked = shown.worker.waiting(messages().NextCasesParams)[0].params
    assert (asked.images, asked.count) == ("", 10)
    shown.worker.answer(messages().NextCasesParams, suggestions())
    assert (
        "unsure" in ui.nextTable.item(0, 1).text() and "glioblastoma 40 %" in ui.nextTable.item(0, 1).text()
    )
    assert ui.nextButton.text == "Open the next case: case 009"
    ui.nextButton.click()
    assert shown.host.opened == ["case 009"] and ui.nextButton.text == "Open the next case: case 019"
    ui.nextTable.cellClicked.emit(2, 1)
    ui.nextButton.click()
    assert shown.host.opened == ["case 009", "case 029", "case 019"]
    assert not ui.nextButton.enabled


def test_a_case_that_got_its_class_is_passed_over(shown: TrainingStage) -> None:
    ui = shown.ui("NextSection")
    ui.findNextButton.click()
    shown.worker.answer(messages().NextCasesParams, suggestions())
    info = set_info(cases=90)
    rows = tuple(replace(c, class_name="metastasis") if c.name == "case 009" else c for c in info.cases)
    shown.change(replace(info, cases=rows))
    assert ui.nextButton.text == "Open the next case: case 019"


def test_a_case_of_a_folder_is_opened_with_its_files(shown: TrainingStage, tmp_path: Any) -> None:
    ui = shown.ui("NextSection")
    ui.nextFolderRadio.click()
    assert not ui.findNextButton.enabled and ui.nextNeeds.text == "Choose a folder of images."
    ui.nextFolderEdit.setCurrentPath(str(tmp_path))
    ui.findNextButton.click()
    assert shown.worker.waiting(messages().NextCasesParams)[0].params.images == str(tmp_path)
    shown.worker.answer(messages().NextCasesParams, suggestions(in_set=False))
    ui.nextButton.click()
    assert shown.host.opened == [(("/new/case0.nrrd",), "case 009", "patient 0")]


def test_the_list_is_made_anew_after_a_training(shown: TrainingStage) -> None:
    ui = shown.ui("NextSection")
    shown.ui("ClassifierSection").trainClassifierButton.click()
    shown.worker.answer(messages().TrainClassifierParams, trained())
    assert shown.worker.waiting(messages().NextCasesParams) == []  # nobody has asked for a list yet
    ui.findNextButton.click()
    shown.worker.answer(messages().NextCasesParams, suggestions())
    shown.ui("ClassifierSection").trainClassifierButton.click()
    newer = trained()
    shown.worker.answer(messages().TrainClassifierParams, newer)
    assert shown.worker.waiting(messages().NextCasesParams)[0].params.model == newer.run
