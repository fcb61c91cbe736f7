"""Plot view and layouts: chart, series and table nodes are Slicer's own, drawn by VTK's chart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import standin


def loss_chart() -> tuple[Any, Any, Any]:
    """Table, series and chart of a falling line."""
    import slicer

    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "Training")
    slicer.util.updateTableFromArray(table, [np.arange(5.0), np.arange(5.0, 0.0, -1.0)], ["Epoch", "Loss"])
    series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "Loss")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("Epoch")
    series.SetYColumnName("Loss")
    series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
    series.SetLineWidth(4)
    series.SetColor(1.0, 0.0, 0.0)
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "Course")
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetTitle("Training")
    chart.SetYAxisTitle("Loss")
    return table, series, chart


def show(chart: Any) -> Any:
    """Show the chart; the VTK chart of the first plot view."""
    import slicer

    slicer.modules.plots.logic().ShowChartInLayout(chart)
    return slicer.app.layoutManager().plotWidget(0).plotView().chart()


def red_pixels(folder: Path) -> int:
    """Pixels of the red line in a screenshot."""
    from PIL import Image

    picture = np.asarray(Image.open(standin.screenshot(folder / "p.png")).convert("RGB")).astype(int)
    views = picture[:, 450:]
    return int(((views[..., 0] > 200) & (views[..., 1] < 60) & (views[..., 2] < 60)).sum())


def test_showing_a_chart_changes_the_layout_and_draws_it(tmp_path: Path) -> None:
    import slicer

    _, _, chart = loss_chart()
    manager = slicer.app.layoutManager()
    before = manager.layout
    assert before == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    seen: list = []
    manager.connect("layoutChanged(int)", seen.append)
    assert red_pixels(tmp_path) == 0
    drawn = show(chart)
    assert manager.layout == seen[-1] == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView
    assert manager.plotViewCount == 1
    assert manager.plotWidget(0).mrmlPlotViewNode().GetPlotChartNodeID() == chart.GetID()
    assert drawn.GetNumberOfPlots() == 1
    assert drawn.GetTitle() == "Training"
    assert red_pixels(tmp_path) > 300
    manager.setLayout(before)
    assert manager.layout == before
    assert red_pixels(tmp_path) == 0
    assert manager.plotWidget(1) is None


def test_changes_of_the_table_are_drawn() -> None:
    import slicer

    table, series, chart = loss_chart()
    drawn = show(chart)
    slicer.util.updateTableFromArray(table, [np.arange(9.0), np.full(9, 2.0)], ["Epoch", "Loss"])
    assert drawn.GetPlot(0).GetInput().GetNumberOfRows() == 9
    series.SetYColumnName("Dice")  # is not in the table
    assert drawn.GetNumberOfPlots() == 0
    series.SetYColumnName("Loss")
    assert drawn.GetNumberOfPlots() == 1
    series.SetXColumnName("")  # a scatter plot needs one
    assert drawn.GetNumberOfPlots() == 0


def test_columns_of_text_are_not_drawn() -> None:
    import slicer
    import vtk

    table, series, chart = loss_chart()
    words = vtk.vtkStringArray()
    words.SetName("Words")
    for word in "abcde":
        words.InsertNextValue(word)
    table.AddColumn(words)
    drawn = show(chart)
    series.SetYColumnName("Words")
    assert drawn.GetNumberOfPlots() == 0
    series.SetYColumnName("Loss")
    series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeLine)
    assert drawn.GetNumberOfPlots() == 1


def test_a_removed_chart_is_no_longer_drawn(tmp_path: Path) -> None:
    import slicer

    _, _, chart = loss_chart()
    show(chart)
    slicer.mrmlScene.RemoveNode(chart)
    assert red_pixels(tmp_path) == 0
    _, _, chart = loss_chart()
    show(chart)
    slicer.mrmlScene.Clear()
    assert slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode().GetPlotChartNodeID() is None


@pytest.mark.parametrize(
    ("name", "views"),
    [
        ("SlicerLayoutConventionalPlotView", 5),
        ("SlicerLayoutOneUpPlotView", 1),
        ("SlicerLayoutFourUpView", 4),
    ],
)
def test_layouts_show_their_views(name: str, views: int) -> None:
    import slicer

    manager = slicer.app.layoutManager()
    standin.start().window.show()
    manager.setLayout(getattr(slicer.vtkMRMLLayoutNode, name))
    standin.spin()
    shown = [manager.sliceWidget(view) for view in manager.sliceViewNames()] + [manager.threeDWidget(0)]
    if manager.plotViewCount:
        shown.append(manager.plotWidget(0))
    assert sum(view.visible for view in shown) == views
    assert len(manager.viewport().children()) == 2  # the layout, and one arrangement of views
    assert slicer.app.layoutManager().layoutLogic().GetLayoutNode().GetViewArrangement() == manager.layout


def test_unknown_layouts_are_the_conventional_one() -> None:
    import slicer

    manager = slicer.app.layoutManager()
    manager.setLayout(9999)
    assert manager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
    manager.layout = slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    assert manager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    with pytest.raises(TypeError):
        manager.layout()


def test_helper_plots(tmp_path: Path) -> None:
    import slicer

    nodes: dict = {}
    chart = slicer.util.plot(np.array([[0.0, 1.0], [1.0, 3.0]]), 0, ["Epoch", "Dice"], "Course", nodes=nodes)
    assert nodes["series"][0].GetName() == "Course Dice"
    assert slicer.app.layoutManager().plotWidget(0).plotView().chart().GetPlot(0).GetLabel() == "Course Dice"
    assert chart.GetNumberOfPlotSeriesNodes() == 1
    with pytest.raises(AttributeError):
        slicer.app.layoutManager().plotWidget(0).plotView().mrmlPlotViewNode()  # not invokable in C++


def test_layouts_wait_for_the_end_of_a_batch() -> None:
    import slicer

    manager = slicer.app.layoutManager()
    one = slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    standin.start().window.show()
    seen: list = []
    manager.connect("layoutChanged(int)", seen.append)
    slicer.mrmlScene.StartState(slicer.vtkMRMLScene.BatchProcessState)
    manager.setLayout(one)
    standin.spin()
    assert manager.threeDWidget(0).visible
    assert seen == []
    slicer.mrmlScene.EndState(slicer.vtkMRMLScene.BatchProcessState)
    standin.spin()
    assert not manager.threeDWidget(0).visible
    assert seen == [one]
    manager.disconnect("layoutChanged(int)", seen.append)


def test_reset_brings_the_four_views_back() -> None:
    import slicer

    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpPlotView)
    standin.reset()
    assert manager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
