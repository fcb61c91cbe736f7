"""Step 2 of the page Train and its result: scores, mistakes, doubts, baselines, warnings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from training_fakes import NINE, baseline, segmenter_run, set_info, trained
from training_stage import TrainingStage, training_stage


@pytest.fixture
def shown() -> Iterator[TrainingStage]:
    """The sections, with a set that has a network."""
    with training_stage() as shown:
        shown.open(set_info(cases=90), (segmenter_run(),))
        yield shown


def messages() -> Any:
    from SegClassifyLib.worker import protocol

    return protocol


def train(shown: TrainingStage, result: Any) -> None:
    """Train, to the end."""
    shown.ui("ClassifierSection").trainClassifierButton.click()
    shown.worker.answer(messages().TrainClassifierParams, result)
    shown.settle()


def table_texts(table: Any) -> list[list[str]]:
    return [[table.item(r, c).text() for c in range(table.columnCount)] for r in range(table.rowCount)]


def test_the_defaults_are_automatic_and_honest(shown: TrainingStage) -> None:
    shown.ui("ClassifierSection").trainClassifierButton.click()
    asked = shown.worker.waiting(messages().TrainClassifierParams)[0].params
    assert (asked.head, asked.seen, asked.segmenter) == ("auto", "crossfit", segmenter_run().path)
    assert asked.further == (50,)


def test_what_was_chosen_is_asked_for_and_explained(shown: TrainingStage) -> None:
    ui = shown.ui("ClassifierSection")
    ui.headSelector.setCurrentIndex(1)
    ui.seenSelector.setCurrentIndex(2)
    assert "better than they are" in ui.seenNote.text
    ui.trainClassifierButton.click()
    asked = shown.worker.waiting(messages().TrainClassifierParams)[0].params
    assert (asked.head, asked.seen) == ("linear", "include")


def test_progress_has_time_left_and_cancel_leaves_the_earlier_result(shown: TrainingStage) -> None:
    train(shown, trained())
    before = shown.ui("TrainingResult").headlineLabel.text
    ui = shown.ui("ClassifierSection")
    ui.trainClassifierButton.click()
    shown.worker.tell(messages().TrainClassifierParams, "Reading features", 30, 90, 125)
    assert (
        ui.classifierPhase.text == "Reading what the network sees in each image, 30 of 90, about 2 min left"
    )
    assert ui.classifierBar.value == 333
    ui.trainClassifierButton.click()
    assert ui.classifierPhase.text == "Cancelling…" and not ui.trainClassifierButton.enabled
    shown.worker.fail(messages().TrainClassifierParams, "Cancelled.", cancelled=True)
    assert ui.trainClassifierButton.text == "Train classifier" and ui.trainClassifierButton.enabled
    assert not ui.classifierErrorFrame.visible
    assert shown.ui("TrainingResult").headlineLabel.text == before


@pytest.mark.parametrize(
    ("keep", "need"),
    [
        (("glioblastoma",), "at least two classes"),
        (("glioblastoma", "metastasis"), "only one case of metastasis"),
    ],
)
def test_what_is_missing_is_said(shown: TrainingStage, keep: tuple[str, ...], need: str) -> None:
    info = set_info(cases=90)
    first = next(case for case in info.cases if case.class_name == keep[-1])
    rows = tuple(c for c in info.cases if c.class_name == keep[0] or (len(keep) > 1 and c is first))
    shown.change(replace(info, cases=rows))
    ui = shown.ui("ClassifierSection")
    assert need in ui.classifierNeeds.text and not ui.trainClassifierButton.enabled
    assert need in ui.trainClassifierButton.toolTip


def test_test_cases_and_segmenters_cases_do_not_count(shown: TrainingStage) -> None:
    info = set_info(cases=90)
    rows = tuple(
        replace(c, split="test") if c.class_name == "metastasis" else replace(c, role="segmenter")
        if c.class_name == "meningioma" else c
        for c in info.cases
    )  # fmt: skip
    shown.change(replace(info, cases=rows))
    assert "at least two classes" in shown.ui("ClassifierSection").classifierNeeds.text


def test_the_result_says_how_good_it_is_with_intervals(shown: TrainingStage) -> None:
    train(shown, trained())
    ui = shown.ui("TrainingResult")
    assert "78 % (95 % interval 69 to 86 %)" in ui.headlineLabel.text and "33 %" in ui.headlineLabel.text
    texts = table_texts(ui.scoreTable)
    assert texts[0] == ["Balanced accuracy", "78 %\n69 – 86 %"]
    assert texts[2] == ["AUC, mean", "0.90\n0.84 – 0.95"]
    assert texts[3][0] == "AUC of glioblastoma"
    assert shown.host.reloads == 1  # the table of the set shows what was predicted
    assert not ui.doubtFrame.visible


def test_a_number_that_is_not_defined_is_said_to_be_so(shown: TrainingStage) -> None:
    result = trained()
    scores = (replace(result.scores[0], value=None, low=None, high=None), *result.scores[1:])
    train(shown, replace(result, scores=scores))
    ui = shown.ui("TrainingResult")
    assert table_texts(ui.scoreTable)[0][1] == "not defined"
    assert "cannot be said" in ui.headlineLabel.text


def test_warnings_come_first(shown: TrainingStage) -> None:
    train(shown, trained(warnings=("Class meningioma has 3 patients.",)))
    ui = shown.ui("TrainingResult")
    assert ui.doubtFrame.visible and "3 patients" in ui.doubtLabel.text
    assert ui.doubtFrame.y < ui.headlineLabel.y


def test_a_cell_of_the_matrix_lists_its_cases_and_a_click_opens_one(shown: TrainingStage) -> None:
    result = trained()
    train(shown, result)
    ui = shown.ui("TrainingResult")
    true, said = result.classes[0], result.classes[2]
    names = [a.case for a in result.answers if (a.class_name, a.predicted) == (true, said)]
    assert ui.confusionTable.item(0, 2).text() == str(len(names)) and names
    ui.confusionTable.cellClicked.emit(0, 2)
    assert shown.host.selected[-1] == tuple(names)
    assert [row[0] for row in table_texts(ui.caseTable)] == names
    assert ui.listSelector.currentText == f"{true}, taken for {said} ({len(names)})"
    ui.caseTable.cellClicked.emit(1, 0)
    assert shown.host.opened == [names[1]]


def test_doubts_are_one_click_away(shown: TrainingStage) -> None:
    result = trained()
    train(shown, result)
    ui = shown.ui("TrainingResult")
    assert ui.listSelector.currentText == "Labels that look wrong (3)"
    ui.caseTable.cellClicked.emit(0, 1)
    assert shown.host.opened == [result.suspects[0].case]
    ui.listSelector.setCurrentIndex(1)
    ui.listSelector.activated.emit(1)
    assert table_texts(ui.caseTable)[0] == [result.doubtful[0].case, result.doubtful[0].sentence]


def test_why_no_label_can_be_suspected_is_said(shown: TrainingStage) -> None:
    train(
        shown,
        trained(
            suspects=(), doubtful=(), suspects_note="With fewer than 5 cases a class none can be suspected."
        ),
    )
    ui = shown.ui("TrainingResult")
    ui.listSelector.setCurrentIndex(0)
    ui.listSelector.activated.emit(0)
    assert "fewer than 5 cases" in ui.listNote.text and not ui.caseTable.visible


def test_many_classes_have_numbers_for_columns(shown: TrainingStage) -> None:
    train(shown, trained(NINE, 108))
    table = shown.ui("TrainingResult").confusionTable
    assert table.horizontalHeaderItem(8).text() == "9"
    assert table.verticalHeaderItem(8).text() == f"9  {NINE[8]}"


def test_shape_alone_is_compared_after_a_training_and_from_scratch_on_demand(shown: TrainingStage) -> None:
    train(shown, trained())
    ui = shown.ui("TrainingResult")
    assert shown.worker.waiting(messages().BaselineParams)[0].params.kind == "shape"
    shown.worker.answer(messages().BaselineParams, baseline())
    assert ui.scoreTable.columnCount == 3 and table_texts(ui.scoreTable)[0][2] == "61 %\n51 – 71 %"
    assert "more than chance" in ui.baselineLabel.text and not ui.shapeButton.visible
    ui.scratchButton.click()
    assert shown.background.waiting(messages().BaselineParams)[0].params.kind == "scratch"
    assert ui.scratchButton.text == "Cancel"
    shown.background.answer(messages().BaselineParams, baseline("scratch"))
    assert ui.scoreTable.columnCount == 4 and not ui.scratchButton.visible


def test_a_baseline_of_an_earlier_classifier_is_not_shown_beside_the_new_one(shown: TrainingStage) -> None:
    train(shown, trained())
    ui = shown.ui("TrainingResult")
    ui.scratchButton.click()
    train(shown, trained())
    shown.background.answer(messages().BaselineParams, baseline("scratch"))  # it was asked to stop too late
    assert ui.scoreTable.columnCount == 2


def test_the_last_result_is_there_when_the_set_is_opened_again() -> None:
    with training_stage() as shown:
        shown.open(set_info(cases=90), (segmenter_run(),), (trained(),))
        assert shown.ui("TrainingResult").resultBody.visible
        assert shown.worker.waiting(messages().BaselineParams) == []  # only when asked for
        shown.change(set_info(folder="/data/other"))
        assert not shown.ui("TrainingResult").resultBody.visible


def test_a_result_of_a_set_that_was_left_is_not_shown(shown: TrainingStage) -> None:
    shown.ui("ClassifierSection").trainClassifierButton.click()
    shown.change(set_info(folder="/data/other"))
    shown.worker.answer(messages().TrainClassifierParams, trained())
    assert not shown.ui("TrainingResult").resultBody.visible
