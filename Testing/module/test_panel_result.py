"""How a result is shown: words, bars, doubts, opacity, 3D, and the choice between several results."""

from __future__ import annotations

import pytest
from panel_fakes import classify_result
from panel_stage import Stage

THREE = ("glioma", "meningioma", "metastasis")
THIRTY = tuple(f"class {n:02d}" for n in range(30))


def show(shown: Stage, **changes: object) -> None:
    """Classify with this result."""
    classes = changes.pop("classes", THREE)
    probabilities = changes.pop("probabilities", (0.2, 0.7, 0.1))
    shown.ui.classifyButton.click()
    shown.logic.job.done(classify_result(classes, probabilities, **changes))  # type: ignore[arg-type]
    shown.settle()


def bars(shown: Stage) -> list[tuple[str, int, str]]:
    """What can be seen of the bars."""
    rows = shown.tab.result.view._bars._rows
    return [(name.text, bar.value, share.text) for name, bar, share in rows if bar.visible]


def test_classes_stand_in_the_order_of_their_probability(shown: Stage) -> None:
    show(shown)
    assert bars(shown) == [("meningioma", 700, "70 %"), ("glioma", 200, "20 %"), ("metastasis", 100, "10 %")]
    assert shown.result_ui.winnerLabel.text == "meningioma"
    assert shown.result_ui.winnerLabel.font.pointSizeF() > 1.5 * shown.result_ui.timeLabel.font.pointSizeF()
    assert shown.result_ui.allClassesButton.visible is False


def test_two_classes_after_three_leave_no_bar_behind(shown: Stage) -> None:
    show(shown)
    show(shown, classes=("no", "yes"), probabilities=(0.4, 0.6))
    assert bars(shown) == [("yes", 600, "60 %"), ("no", 400, "40 %")]


def test_of_thirty_classes_the_first_eight_are_shown_until_asked(shown: Stage) -> None:
    probabilities = [0.03] * 30
    probabilities[17] = 0.13
    show(shown, classes=THIRTY, probabilities=probabilities)
    assert len(bars(shown)) == 8
    assert bars(shown)[0] == ("class 17", 130, "13 %")
    assert shown.result_ui.allClassesButton.text == "All 30 classes"
    shown.result_ui.allClassesButton.click()
    assert len(bars(shown)) == 30


@pytest.mark.parametrize(
    "probability, text",
    [
        (0.0, "0 %"),
        (0.001, "< 1 %"),
        (0.005, "< 1 %"),
        (0.5, "50 %"),
        (0.821, "82 %"),
        (0.998, "> 99 %"),
        (1.0, "100 %"),
    ],
)
def test_per_cent_never_claims_what_is_not_so(probability: float, text: str) -> None:
    from SegClassifyPanel.class_bars import percent

    assert percent(probability) == text


def test_doubts_are_listed_in_words(shown: Stage) -> None:
    show(shown, warnings=("The voxels are coarse.", "The image is cropped."))
    assert shown.result_ui.warningsFrame.visible is True
    assert shown.result_ui.warningsLabel.text.splitlines() == [
        "Trust this less:",
        "•  The voxels are coarse.",
        "•  The image is cropped.",
    ]
    assert not shown.result_ui.warningsIcon.pixmap.isNull()
    show(shown)
    assert shown.result_ui.warningsFrame.visible is False


def test_classes_that_cannot_be_ruled_out_are_told_in_the_words_of_the_library(shown: Stage) -> None:
    two = ("meningioma", "glioma")
    show(shown, prediction_set=two, set_sentence="at 90 % confidence: meningioma or glioma", confidence=0.9)
    assert shown.result_ui.setLabel.text == "At 90 % confidence: meningioma or glioma"
    assert shown.result_ui.setLabel.visible is True
    show(shown, prediction_set=two[:1], set_sentence="at 90 % confidence: meningioma", confidence=0.9)
    assert shown.result_ui.setLabel.visible is False, "one class is the answer itself"
    show(shown)
    assert shown.result_ui.setLabel.visible is False, "a model without sets"


def test_a_set_that_promises_nothing_is_not_shown(shown: Stage) -> None:
    show(shown, prediction_set=("meningioma", "glioma"), novel=True, novelty=100.0)
    assert shown.result_ui.novelFrame.visible is True
    assert shown.result_ui.setLabel.visible is False
    assert "confidence" not in shown.result_ui.setLabel.text


def test_an_image_unlike_the_training_cases_is_said_so_before_its_probabilities(shown: Stage) -> None:
    show(shown, novel=True, novelty=100.0, warnings=("This image is less like the training cases than all.",))
    frame, bars_shown = shown.result_ui.novelFrame, shown.result_ui.bars
    assert frame.visible is True and "do not rely" in shown.result_ui.novelLabel.text
    assert frame.y < shown.result_ui.winnerLabel.y < bars_shown.y
    assert not shown.result_ui.novelIcon.pixmap.isNull()
    show(shown, novel=False, novelty=60.0)
    assert shown.result_ui.novelFrame.visible is False


def test_sizes_of_labels_have_their_unit(shown: Stage) -> None:
    show(shown, label_volumes={"tumour": 12.34, "CSF": 310.25, "cyst": 0.0})
    assert shown.result_ui.volumesLabel.text == "Segmented: tumour 12.3 ml, CSF 310 ml"
    show(shown, label_volumes={"lesion": 4.5}, volume_unit="mm2")
    assert shown.result_ui.volumesLabel.text == "Segmented: lesion 4.5 mm²"
    show(shown, label_volumes={"lesion": 0.0})
    assert shown.result_ui.volumesLabel.text == "Segmented: nothing"


def test_a_model_without_classes_only_segments(shown: Stage) -> None:
    show(shown, classes=(), probabilities=())
    assert shown.result_ui.winnerLabel.text == "Segmented"
    assert shown.result_ui.percentLabel.text == ""
    assert bars(shown) == []


def test_opacity_reaches_the_slice_views_and_the_scene(shown: Stage) -> None:
    show(shown)
    shown.result_ui.opacitySlider.value = 0.2
    display = shown.tab.result.view.node.GetDisplayNode()
    assert display.GetOpacity2DFill() == pytest.approx(0.2)
    assert shown.parameters.opacity == pytest.approx(0.2)
    shown.ui.keepEarlierCheckBox.click()  # new nodes, which begin with Slicer's own opacity
    show(shown, probabilities=(0.6, 0.3, 0.1))
    assert shown.tab.result.view.node.GetDisplayNode().GetOpacity2DFill() == pytest.approx(0.2)


def test_show_in_3d_stays_on_for_the_next_result(shown: Stage) -> None:
    show(shown)
    shown.result_ui.show3dCheckBox.click()
    assert shown.result_ui.viewMessage.text == "Making surfaces…"
    shown.settle()
    assert shown.result_ui.viewMessage.visible is False
    assert shown.parameters.show3d is True
    show(shown)
    assert shown.logic.calls.count(("show_3d", True)) == 2
    shown.result_ui.show3dCheckBox.click()
    assert shown.logic.calls[-1] == ("show_3d", False)


def test_one_of_several_results_is_chosen(shown: Stage) -> None:
    show(shown)
    assert shown.result_ui.choiceRow.visible is False
    first = shown.tab.result.view.node
    shown.ui.keepEarlierCheckBox.click()
    show(shown, probabilities=(0.8, 0.1, 0.1))
    assert shown.result_ui.choiceRow.visible is True
    assert shown.result_ui.winnerLabel.text == "glioma"
    shown.result_ui.resultSelector.setCurrentNode(first)
    shown.result_ui.resultSelector.nodeActivated.emit(first)
    assert shown.result_ui.winnerLabel.text == "meningioma"


def test_segmentations_that_are_no_results_are_not_offered(shown: Stage) -> None:
    import slicer

    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "by hand")
    show(shown)
    assert shown.result_ui.resultSelector.nodeCount() == 1
    assert shown.result_ui.choiceRow.visible is False


def test_a_removed_result_is_shown_no_longer(shown: Stage) -> None:
    import slicer

    show(shown)
    slicer.mrmlScene.RemoveNode(shown.tab.result.view.node)
    shown.settle()
    assert shown.result_ui.body.visible is False
    assert shown.result_ui.emptyLabel.visible is True
