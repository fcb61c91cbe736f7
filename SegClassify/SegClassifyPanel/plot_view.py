"""Curves in a plot view beside the images: made when they are shown, gone with the scene, and made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import slicer
import vtk

_PLOT_LAYOUTS = {
    slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView: slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView,
    slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView: slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView,
}
_WITH_PLOT = (
    slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView,
    slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView,
    slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpPlotView,
    slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView,
    slicer.vtkMRMLLayoutNode.SlicerLayoutThreeOverThreePlotView,
)
COLOURS = (
    (0.12, 0.47, 0.71),
    (0.89, 0.47, 0.10),
    (0.17, 0.63, 0.17),
    (0.58, 0.40, 0.74),
    (0.55, 0.34, 0.29),
    (0.89, 0.47, 0.76),
    (0.09, 0.75, 0.81),
    (0.74, 0.74, 0.13),
)
"""For lines beside each other; readable on light and dark."""
GREY = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Line:
    """A curve.

    Args:
        name: in the legend.
        x, y: of its points.
        colour: red, green, blue, 0 to 1.
        dashed: rather than drawn through.
        points: with a mark at every point.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: tuple[float, float, float]
    dashed: bool = False
    points: bool = False


class PlotView:
    """A chart that is shown in the first plot view, in a layout that has one; the layout from before comes back.

    Of several charts the one that was shown last is seen; when it is hidden, the one before.

    Args:
        title: name of the chart.
        x, y: titles of the axes.
        legend: whether the names of the lines are shown.
    """

    def __init__(self, title: str, x: str, y: str, legend: bool = True) -> None:
        self._title, self._x, self._y, self._legend = title, x, y, legend
        self._lines: tuple[Line, ...] = ()
        self._chart_id = ""
        self._series: list[str] = []
        self._tables: list[str] = []
        self.shown = False

    _shown: ClassVar[list[PlotView]] = []
    _layouts: ClassVar[tuple[int, int] | None] = None
    """The layout before the first chart was shown, and the one with a plot."""

    def set_lines(self, lines: Sequence[Line], title: str = "") -> None:
        """Draw these from now on."""
        if tuple(lines) == self._lines and (title or self._title) == self._title:
            return
        self._lines, self._title = tuple(lines), title or self._title
        if self.shown:
            self._draw()

    def show(self) -> None:
        """Show it, in a layout with a plot."""
        self.shown = True
        PlotView._shown = [*(view for view in PlotView._shown if view is not self), self]
        self._draw()
        manager = slicer.app.layoutManager()
        now = manager.layout
        if now not in _WITH_PLOT:
            wanted = _PLOT_LAYOUTS.get(now, slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView)
            PlotView._layouts = (now, wanted)
            manager.setLayout(wanted)
        manager.plotWidget(0).mrmlPlotViewNode().SetPlotChartNodeID(self._chart_id)

    def hide(self) -> None:
        """Take it out of the scene; the layout is as before, unless the user has chosen another meanwhile."""
        if not self.shown:
            return
        self.shown = False
        self._remove()
        PlotView._shown.remove(self)
        manager = slicer.app.layoutManager()
        if manager is None:  # Slicer is closing
            return
        if PlotView._shown:
            if manager.layout in _WITH_PLOT:
                PlotView._shown[-1].show()
            return
        layouts, PlotView._layouts = PlotView._layouts, None
        if layouts is not None and manager.layout == layouts[1]:
            manager.setLayout(layouts[0])

    def restore(self) -> None:
        """Make what was removed with a scene again."""
        if self.shown and self._node(self._chart_id) is None:
            self._chart_id, self._series, self._tables = "", [], []
            self.show()

    def _draw(self) -> None:
        chart = self._node(self._chart_id)
        if chart is None:
            self._remove()
            chart = self._add("vtkMRMLPlotChartNode", self._title)
            self._chart_id = chart.GetID()
            chart.SetXAxisTitle(self._x)
            chart.SetYAxisTitle(self._y)
            chart.SetLegendVisibility(self._legend)
            chart.SetTitleFontSize(16)
            for set_size in (chart.SetLegendFontSize, chart.SetAxisTitleFontSize, chart.SetAxisLabelFontSize):
                set_size(13)
        changing = chart.StartModify()
        chart.SetName(self._title)
        chart.SetTitle(self._title)
        while len(self._series) > len(self._lines):
            self._drop(self._series.pop())
            self._drop(self._tables.pop())
        for index, line in enumerate(self._lines):
            if index == len(self._series):
                self._add_series(chart)
            self._fill(index, line)
        chart.EndModify(changing)
        chart.Modified()  # a view may otherwise not notice that a table was filled

    def _add_series(self, chart: Any) -> None:
        table = self._add("vtkMRMLTableNode", self._title)
        series = self._add("vtkMRMLPlotSeriesNode", self._title)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName("x")
        series.SetYColumnName("y")
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
        self._tables.append(table.GetID())
        self._series.append(series.GetID())

    def _fill(self, index: int, line: Line) -> None:
        table, series = self._node(self._tables[index]), self._node(self._series[index])
        if table is None or series is None:  # somebody deleted it by hand
            return
        values = vtk.vtkTable()
        times = 2 if len(line.x) == 1 else 1  # VTK complains of a line through one point
        for name, numbers in (("x", line.x * times), ("y", line.y * times)):
            column = vtk.vtkDoubleArray()
            column.SetName(name)
            for number in numbers:
                column.InsertNextValue(number)
            values.AddColumn(column)
        kind = slicer.vtkMRMLPlotSeriesNode
        series.SetName(line.name)
        series.SetColor(*line.colour)
        series.SetLineStyle(kind.LineStyleDash if line.dashed else kind.LineStyleSolid)
        with_marks = line.points or len(line.x) == 1  # it would not be seen
        series.SetMarkerStyle(kind.MarkerStyleCircle if with_marks else kind.MarkerStyleNone)
        table.SetAndObserveTable(values)

    def _remove(self) -> None:
        for node_id in (self._chart_id, *self._series, *self._tables):
            self._drop(node_id)
        self._chart_id, self._series, self._tables = "", [], []

    @staticmethod
    def _add(kind: str, name: str) -> Any:
        node = slicer.mrmlScene.CreateNodeByClass(kind)
        node.UnRegister(None)
        node.SetName(name)
        node.SetSaveWithScene(False)  # it belongs to the training set, not to the scene
        return slicer.mrmlScene.AddNode(node)

    @staticmethod
    def _node(node_id: str) -> Any:
        return slicer.mrmlScene.GetNodeByID(node_id) if node_id else None

    def _drop(self, node_id: str) -> None:
        node = self._node(node_id)
        if node is not None:
            slicer.mrmlScene.RemoveNode(node)
