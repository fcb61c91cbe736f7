"""The plot view: a plot chart node drawn by VTK's chart, as qMRMLPlotView draws it."""

from typing import Any

import slicer_core
import vtk
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from standin.application.picture import Picture, grabbed
from standin.binding.classes import own_class
from standin.widgets.scene_watch import Observations
from standin.widgets.scene_widgets import qMRMLWidget
from standin.widgets.stored import stored

Series = slicer_core.vtkMRMLPlotSeriesNode
LINE_STYLES = {
    Series.LineStyleNone: vtk.vtkPen.NO_PEN,
    Series.LineStyleSolid: vtk.vtkPen.SOLID_LINE,
    Series.LineStyleDash: vtk.vtkPen.DASH_LINE,
    Series.LineStyleDot: vtk.vtkPen.DOT_LINE,
    Series.LineStyleDashDot: vtk.vtkPen.DASH_DOT_LINE,
    Series.LineStyleDashDotDot: vtk.vtkPen.DASH_DOT_DOT_LINE,
}
MARKERS = {
    Series.MarkerStyleNone: vtk.vtkPlotPoints.NONE,
    Series.MarkerStyleCross: vtk.vtkPlotPoints.CROSS,
    Series.MarkerStylePlus: vtk.vtkPlotPoints.PLUS,
    Series.MarkerStyleSquare: vtk.vtkPlotPoints.SQUARE,
    Series.MarkerStyleCircle: vtk.vtkPlotPoints.CIRCLE,
    Series.MarkerStyleDiamond: vtk.vtkPlotPoints.DIAMOND,
}
TEXT = (vtk.VTK_STRING, vtk.VTK_BIT)


def numeric_column(table: Any, name: str) -> Any:
    """A column that can be drawn, or None: there is none of that name, or it holds text."""
    column = table.GetColumnByName(name) if name else None
    return None if column is None or column.GetDataType() in TEXT else column


def plot_of(series: Any) -> Any:
    """The vtkPlot of a series node, or None where Slicer draws none: table or column missing, or of text."""
    node = series.GetTableNode()
    table = node.GetTable() if node is not None else None
    if table is None or numeric_column(table, series.GetYColumnName()) is None:
        return None
    needs_x = series.IsXColumnRequired()
    if needs_x and numeric_column(table, series.GetXColumnName()) is None:
        return None
    bars = series.GetPlotType() in (Series.PlotTypeBar, Series.PlotTypeScatterBar)
    plot = vtk.vtkPlotBar() if bars else vtk.vtkPlotLine()
    plot.SetWidth(series.GetLineWidth())
    plot.SetColorF(*series.GetColor())
    plot.SetOpacity(series.GetOpacity())
    plot.GetPen().SetOpacityF(series.GetOpacity())
    solid = series.GetPlotType() == Series.PlotTypeBar
    plot.GetPen().SetLineType(vtk.vtkPen.SOLID_LINE if solid else LINE_STYLES[series.GetLineStyle()])
    if not bars:
        plot.SetMarkerSize(series.GetMarkerSize())
        plot.SetMarkerStyle(MARKERS[series.GetMarkerStyle()])
    plot.SetUseIndexForXSeries(not needs_x)
    plot.SetInputData(
        table, series.GetXColumnName() if needs_x else series.GetYColumnName(), series.GetYColumnName()
    )
    plot.SetLabel(series.GetName() or series.GetYColumnName())
    return plot


def set_axis(axis: Any, chart: Any, letter: str) -> None:
    """Title, range and grid of an axis.

    Args:
        axis: a vtkAxis.
        chart: the vtkMRMLPlotChartNode.
        letter: X or Y.
    """

    def asked(name: str) -> Any:
        return getattr(chart, f"Get{letter}Axis{name}")()

    axis.SetTitle((asked("Title") or "") if asked("TitleVisibility") else "")
    axis.SetLogScale(bool(asked("LogScale")))
    if asked("RangeAuto"):
        axis.SetBehavior(vtk.vtkAxis.AUTO)
    else:
        axis.SetBehavior(vtk.vtkAxis.FIXED)
        axis.SetUnscaledRange(*asked("Range"))
    axis.SetGridVisible(bool(chart.GetGridVisibility()))
    axis.GetTitleProperties().SetFontSize(chart.GetAxisTitleFontSize())
    axis.GetLabelProperties().SetFontSize(chart.GetAxisLabelFontSize())


@own_class("slicer.qMRMLPlotView")
class PlotView(Picture):
    """Draws the chart that its view node names."""

    empty = QColor(255, 255, 255)
    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QWidget, scene: Any, node: Any) -> None:
        super().__init__(parent)
        self._scene, self._node = scene, node
        self._context: Any = None
        self._chart = vtk.vtkChartXY()
        self._wanted = True
        self._node_watch, self._chart_watch = Observations(self), Observations(self)
        self.setMRMLPlotViewNode(node)

    title = stored("title", str, "")

    def setMRMLPlotViewNode(self, node: Any) -> None:
        """Show what this view node names."""
        self._node_watch.clear()
        self._node = node
        if node is not None:
            self._node_watch.add(node, slicer_core.vtkMRMLPlotViewNode.PlotChartNodeChangedEvent, "on_chart")
            self._node_watch.add(node, vtk.vtkCommand.ModifiedEvent, "on_modified")
        self.on_chart()

    def chart_node(self) -> Any:
        """The chart that is shown, or None."""
        identifier = self._node.GetPlotChartNodeID() if self._node is not None else None
        return self._scene.GetNodeByID(identifier) if identifier else None

    def on_chart(self) -> None:
        """Another chart is shown, or its data are others."""
        self._chart_watch.clear()
        chart = self.chart_node()
        if chart is not None:
            self._chart_watch.add(chart, vtk.vtkCommand.ModifiedEvent, "on_modified")
        self.on_modified()

    def on_modified(self) -> None:
        """Make the plots anew from the nodes."""
        self._wanted = True
        self._chart.ClearPlots()
        node = self.chart_node()
        if node is None:
            return
        series = [node.GetNthPlotSeriesNode(index) for index in range(node.GetNumberOfPlotSeriesNodes())]
        for plot in filter(None, (plot_of(entry) for entry in series if entry is not None)):
            self._chart.AddPlot(plot)
        self._chart.SetTitle((node.GetTitle() or "") if node.GetTitleVisibility() else "")
        self._chart.GetTitleProperties().SetFontSize(node.GetTitleFontSize())
        self._chart.SetShowLegend(bool(node.GetLegendVisibility()))
        self._chart.GetLegend().GetLabelProperties().SetFontSize(node.GetLegendFontSize())
        set_axis(self._chart.GetAxis(vtk.vtkAxis.BOTTOM), node, "X")
        set_axis(self._chart.GetAxis(vtk.vtkAxis.LEFT), node, "Y")

    def is_wanted(self) -> bool:
        """Whether something has changed since the last picture."""
        return self._wanted

    def take_picture(self, width: int, height: int) -> QImage:
        """Render the chart; without one a white page."""
        self._wanted = False
        self._chart.SetVisible(self.chart_node() is not None)
        return grabbed(self.renderWindow(), width, height)

    def chart(self) -> Any:
        """The vtkChartXY."""
        return self._chart

    def renderWindow(self) -> Any:
        """The VTK window, made when it is first asked for, for that takes a while."""
        if self._context is None:
            self._context = vtk.vtkContextView()
            self._context.GetRenderer().SetBackground(1.0, 1.0, 1.0)
            self._context.GetRenderWindow().SetOffScreenRendering(1)
            self._context.GetScene().AddItem(self._chart)
        return self._context.GetRenderWindow()

    def fitToContent(self) -> None:
        """Let the axes reach as far as the data."""
        self._chart.RecalculateBounds()
        self._wanted = True

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene."""
        if scene is not self._scene:
            self._scene = scene
            self.on_chart()
            self.mrmlSceneChanged.emit(scene)


@own_class("slicer.qMRMLPlotWidget")
class PlotWidget(qMRMLWidget):
    """A plot view below its bar."""

    def __init__(self, app: Any, node: Any) -> None:
        super().__init__()
        self._node = node
        self.setObjectName(f"qMRMLPlotWidget{node.GetLayoutName()}")
        bar = QLabel(node.GetLayoutName(), self)
        bar.setStyleSheet("background: #e1e1e1; padding: 1px 6px; color: black")
        self._view = PlotView(self, app.mrmlScene(), node)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(bar)
        layout.addWidget(self._view, 1)

    def mrmlPlotViewNode(self) -> Any:
        """The view's node."""
        return self._node

    mrmlAbstractViewNode = mrmlPlotViewNode

    def setMRMLPlotViewNode(self, node: Any) -> None:
        """Show what this view node names."""
        self._node = node
        self._view.setMRMLPlotViewNode(node)

    setMRMLAbstractViewNode = setMRMLPlotViewNode

    def plotView(self) -> PlotView:
        """What draws the chart."""
        return self._view

    viewWidget = plotView

    def is_wanted(self) -> bool:
        """Whether something has changed since the last picture."""
        return self._view.is_wanted()

    def render_view(self) -> PlotView:
        """What shows the picture."""
        return self._view
