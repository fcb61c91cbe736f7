"""Curves in the plot view: drawn, gone with the scene and back again, the layout as before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import slicer
import standin
from training_fakes import epochs, outlook, segmenter_run, set_info, trained
from training_stage import TrainingStage, training_stage


@pytest.fixture
def shown() -> Iterator[TrainingStage]:
    """The sections, with a training that has told of five epochs."""
    from SegClassifyLib.worker.segmenter_messages import PlanSegmenterParams

    with training_stage() as shown:
        shown.open(set_info())
        ui = shown.ui("SegmenterSection")
        ui.newRadio.click()
        shown.background.answer(PlanSegmenterParams, outlook())
        ui.trainSegmenterButton.click()
        for epoch in epochs(5):
            shown.background.tell_epoch(epoch)
        yield shown


def charts() -> list[Any]:
    return list(slicer.util.getNodesByClass("vtkMRMLPlotChartNode"))


def series(chart: Any) -> dict[str, list[tuple[float, float]]]:
    """Points of every line by its name."""
    found = {}
    for index in range(chart.GetNumberOfPlotSeriesNodes()):
        node = chart.GetNthPlotSeriesNode(index)
        table = node.GetTableNode().GetTable()
        x, y = table.GetColumnByName("x"), table.GetColumnByName("y")
        found[node.GetName()] = [(x.GetValue(i), y.GetValue(i)) for i in range(x.GetNumberOfTuples())]
    return found


def layout() -> int:
    return int(slicer.app.layoutManager().layout)


def test_loss_and_dice_are_drawn_as_they_come(shown: TrainingStage) -> None:
    (chart,) = charts()
    lines = series(chart)
    assert list(lines) == ["loss", "Dice tumour", "Dice oedema"]
    told = epochs(5)
    assert lines["loss"] == [(e.epoch, e.loss) for e in told]
    assert lines["Dice oedema"][-1] == (5, told[-1].dice["oedema"])
    shown.background.tell_epoch(epochs(6)[5])
    assert len(series(charts()[0])["loss"]) == 6
    assert charts() == [chart]


def test_the_chart_is_in_the_plot_view_and_the_layout_comes_back(shown: TrainingStage) -> None:
    kinds = slicer.vtkMRMLLayoutNode
    assert layout() == kinds.SlicerLayoutFourUpPlotView
    view = slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode()
    assert view.GetPlotChartNodeID() == charts()[0].GetID()
    shown.ui("SegmenterSection").curvesBox.click()
    assert layout() == kinds.SlicerLayoutFourUpView and charts() == []
    assert len(slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode")) == 0


def test_the_layout_changes_with_the_click_and_not_with_the_first_epoch() -> None:
    with training_stage() as shown:
        shown.open(set_info(), (segmenter_run("paused", count=0, epochs=()),))
        assert layout() == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
        shown.ui("SegmenterSection").resumeButton.click()
        assert layout() == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView
        assert shown.ui("SegmenterSection").curvesBox.visible


def test_a_layout_that_the_user_chose_meanwhile_stays(shown: TrainingStage) -> None:
    kinds = slicer.vtkMRMLLayoutNode
    slicer.app.layoutManager().setLayout(kinds.SlicerLayoutOneUpRedSliceView)
    shown.ui("SegmenterSection").curvesBox.click()
    assert layout() == kinds.SlicerLayoutOneUpRedSliceView


def test_hidden_curves_stay_hidden(shown: TrainingStage) -> None:
    shown.ui("SegmenterSection").curvesBox.click()
    shown.background.tell_epoch(epochs(6)[5])
    assert charts() == [] and shown.ui("SegmenterSection").epochLabel.text.startswith("Epoch 6")


def test_closing_the_scene_does_not_stop_the_training_and_the_curves_come_back(shown: TrainingStage) -> None:
    from SegClassifyLib.worker.segmenter_messages import TrainSegmenterParams

    slicer.mrmlScene.Clear(0)
    shown.settle()
    assert not shown.background.waiting(TrainSegmenterParams)[0].cancelled
    assert len(series(charts()[0])["loss"]) == 5
    shown.background.tell_epoch(epochs(6)[5])
    assert len(series(charts()[0])["loss"]) == 6
    view = slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode()
    assert view.GetPlotChartNodeID() == charts()[0].GetID()


def test_curves_are_not_saved_with_the_scene(shown: TrainingStage, tmp_path: Any) -> None:
    path = tmp_path / "scene.mrml"
    assert slicer.util.saveScene(str(path))
    assert "PlotSeries" not in path.read_text(encoding="utf-8")


def test_extra_networks_are_drawn_by_themselves(shown: TrainingStage) -> None:
    shown.background.tell_epoch(epochs(1, "fold 1 of 3")[0])
    (chart,) = charts()
    assert "fold 1 of 3" in chart.GetTitle() and set(series(chart)["loss"]) == {(1.0, epochs(1)[0].loss)}


def test_the_learning_curve_has_what_was_measured_and_what_may_come() -> None:
    with training_stage() as shown:
        result = trained()
        shown.open(set_info(cases=90), (segmenter_run(),), (result,))
        ui = shown.ui("TrainingResult")
        assert ui.outlookLabel.text == result.outlook[0]
        ui.curveBox.click()
        lines = series(charts()[0])
        assert lines["measured"] == [(p.cases, 100 * p.value) for p in result.curve]
        perhaps = lines["with more cases, perhaps"]
        assert perhaps[0] == lines["measured"][-1] and perhaps[-1] == pytest.approx((140, 81))
        band = lines["with more cases, perhaps, 95 % interval"]
        assert band[2] == pytest.approx((140, 77)) and band[3] == pytest.approx((140, 85))
        ui.curveBox.click()
        assert charts() == []


def test_without_a_curve_there_is_no_box() -> None:
    with training_stage() as shown:
        few = trained(curve=(), outlook=("Too few cases.",), outlook_curve=())
        shown.open(set_info(), (segmenter_run(),), (few,))
        ui = shown.ui("TrainingResult")
        assert not ui.curveBox.visible and ui.outlookLabel.text == "Too few cases."


def test_the_page_takes_its_curves_with_it(shown: TrainingStage) -> None:
    shown.close()
    shown.background.tell_epoch(epochs(6)[5])
    standin.spin(0.02)
    assert charts() == []


def test_of_two_charts_the_last_is_seen_and_then_the_one_before(shown: TrainingStage) -> None:
    shown.section("ClassifierSection")._state.take_classifier(trained())
    box = shown.ui("TrainingResult").curveBox
    box.click()
    view = slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode()
    seen = [slicer.mrmlScene.GetNodeByID(view.GetPlotChartNodeID()).GetTitle()]
    box.click()
    seen.append(slicer.mrmlScene.GetNodeByID(view.GetPlotChartNodeID()).GetTitle())
    assert seen == ["Heads: measured, and with more cases", "Training of the network: Heads"]
    assert layout() == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView
    shown.ui("SegmenterSection").curvesBox.click()
    assert layout() == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
