"""`slicer.app.layoutManager()`: slice views, a 3D view and plot views, in the order that the layout node describes."""

import xml.etree.ElementTree as ET
from typing import Any

import slicer_core
import vtk
from PySide6.QtCore import Property, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from standin.application.plots import PlotWidget
from standin.application.views import SliceWidget, ThreeDWidget
from standin.binding.classes import own_class
from standin.widgets.scene_watch import Observations
from standin.widgets.stored import stored

SLICES = (
    ("Red", "Axial", (0.95, 0.29, 0.2)),
    ("Green", "Coronal", (0.43, 0.69, 0.29)),
    ("Yellow", "Sagittal", (0.93, 0.84, 0.29)),
)
LayoutNode = slicer_core.vtkMRMLLayoutNode


@own_class("slicer.app.layoutManager()")
class LayoutManager(QObject):
    """The views."""

    layoutChanged = Signal(int)
    selectModule = Signal(str)

    def __init__(self, app: Any) -> None:
        super().__init__()
        self._app = app
        scene, logic = app.mrmlScene(), app.applicationLogic()
        slicer_core.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
        self._slices = {entry[0]: SliceWidget(*entry, app) for entry in SLICES}
        self._threed = ThreeDWidget(app)
        self._plots: dict[str, PlotWidget] = {}
        self._shown: list[Any] = []
        self._logics = vtk.vtkCollection()
        for widget in self._slices.values():
            self._logics.AddItem(widget.sliceLogic())
        logic.SetSliceLogics(self._logics)
        self._timer = QTimer(self)
        self._timer.setInterval(15)
        self._timer.timeout.connect(self._render_wanted)
        self._viewport = QWidget()
        layout = QVBoxLayout(self._viewport)
        layout.setContentsMargins(0, 0, 0, 0)
        self._away = QWidget(self._viewport)  # holds views that the layout does not show
        self._away.setObjectName("standin_away")
        self._away.hide()
        self._arrangement: QWidget | None = None
        self._layout_logic = slicer_core.vtkMRMLLayoutLogic()
        self._layout_logic.SetMRMLScene(scene)
        self._node = self._layout_logic.GetLayoutNode()
        self._watch = Observations(self)
        self._watch.add(self._node, vtk.vtkCommand.ModifiedEvent, "on_layout_node")
        self._watch.add(scene, slicer_core.vtkMRMLScene.EndBatchProcessEvent, "on_batch_end")
        self._description = ""
        self._node.SetViewArrangement(LayoutNode.SlicerLayoutFourUpView)

    enabled = stored("enabled", bool, True)
    spacing = stored("spacing", int, 2)

    def read_threeDViewCount(self) -> int:
        """Value of the property `threeDViewCount`."""
        return 1

    def read_tableViewCount(self) -> int:
        """Value of the property `tableViewCount`: the stand-in shows no tables beside the slices."""
        return 0

    def read_plotViewCount(self) -> int:
        """Value of the property `plotViewCount`: plot views are made when a layout first shows one."""
        return len(self._plots)

    def _read_layout(self) -> int:
        return self._node.GetViewArrangement()

    def setLayout(self, layout: int) -> None:
        """Choose a layout by number; an unknown number is the conventional one."""
        if layout == self._read_layout():
            return
        known = self._node.IsLayoutDescription(layout)
        self._node.RemoveAllMaximizedViewNodes()
        self._node.SetViewArrangement(layout if known else LayoutNode.SlicerLayoutConventionalView)

    layout: Any = Property(int, _read_layout, setLayout)

    def on_layout_node(self) -> None:
        """Another layout was chosen: put the views in its order."""
        if not self.enabled or self._app.mrmlScene().IsBatchProcessing():
            return
        description = self._node.GetCurrentLayoutDescription() or ""
        if description and description != self._description:
            self._description = description
            self._arrange(ET.fromstring(description))
        self.layoutChanged.emit(self._read_layout())

    def on_batch_end(self) -> None:
        """The layout may have been changed meanwhile, by a scene that was read or closed."""
        if (self._node.GetCurrentLayoutDescription() or "") != self._description:
            self.on_layout_node()

    def _arrange(self, root: ET.Element) -> None:
        """Build the widgets of a layout's description."""
        for view in self._shown:
            view.setParent(self._away)
        self._shown = []
        before, self._arrangement = self._arrangement, self._build(root)
        self._viewport.layout().addWidget(self._arrangement)
        if before is not None:
            before.hide()
            before.deleteLater()

    def _build(self, element: ET.Element) -> QWidget:
        if element.tag == "view":
            return self._view(element.get("class", ""), element.get("singletontag", ""))
        if element.get("type") == "tab":
            tabs = QTabWidget()
            for item in element.findall("item"):
                tabs.addTab(self._build(item[0]), item.get("name", ""))
            return tabs
        box = QWidget()
        layout: QBoxLayout = QHBoxLayout(box) if element.get("type") == "horizontal" else QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for item in element.findall("item"):
            layout.addWidget(self._build(item[0]), int(item.get("splitSize", "1")))
        return box

    def _view(self, kind: str, tag: str) -> QWidget:
        """The view of a layout, shown; one that the stand-in has not is a grey field with its name."""
        view: Any = None
        if kind == "vtkMRMLSliceNode":
            view = self._slices.get(tag)
        elif kind == "vtkMRMLViewNode" and tag == "1":
            view = self._threed
        elif kind == "vtkMRMLPlotViewNode":
            view = self._plots.get(tag)
            if view is None:
                node = self._app.mrmlScene().GetSingletonNode(tag, kind)
                view = self._plots[tag] = PlotWidget(self._app, node)
        if view is None or view in self._shown:
            field = QLabel(f"{kind} {tag}")
            field.setAlignment(Qt.AlignmentFlag.AlignCenter)
            field.setStyleSheet("background: #808080")
            return field
        self._shown.append(view)
        view.show()
        return view

    def viewport(self) -> QWidget:
        """What holds the views."""
        return self._viewport

    def layoutLogic(self) -> Any:
        """Slicer's logic of layouts."""
        return self._layout_logic

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._app.mrmlScene()

    def sliceViewNames(self) -> list[str]:
        """Names of slice views."""
        return list(self._slices)

    def sliceWidget(self, name: str) -> SliceWidget | None:
        """A slice view by name."""
        return self._slices.get(name)

    def mrmlSliceLogics(self) -> Any:
        """Logics of slice views, a vtkCollection."""
        return self._logics

    def threeDWidget(self, index: int) -> ThreeDWidget | None:
        """The 3D view."""
        return self._threed if index == 0 else None

    def plotWidget(self, index: int) -> PlotWidget | None:
        """A plot view, or None before a layout has shown that many."""
        return list(self._plots.values())[index] if 0 <= index < len(self._plots) else None

    def resetSliceViews(self) -> None:
        """Show all of every volume."""
        for widget in self._slices.values():
            widget.sliceLogic().FitSliceToAll()

    def resetThreeDViews(self) -> None:
        """Look at all of what is in 3D."""
        self._threed.threeDView().resetFocalPoint()

    def pauseRender(self) -> None:
        """See `slicer.app`."""
        self._app.pauseRender()

    def resumeRender(self) -> None:
        """See `slicer.app`."""
        self._app.resumeRender()

    def setRenderPaused(self, paused: bool) -> None:
        """See `slicer.app`."""
        self._app.setRenderPaused(paused)

    def set_live(self, live: bool) -> None:
        """Render views whenever something in them has changed, as Slicer does, or only when asked."""
        if not live:
            self._timer.stop()
            return
        self.render_all()
        self._timer.start()

    def _render_wanted(self) -> None:
        if self._app.is_render_paused():
            return
        for widget in self._shown:
            if widget.is_wanted():
                widget.render_view().forceRender()

    def render_all(self) -> None:
        """Render every view that the layout shows now, for a screenshot."""
        for widget in self._shown:
            widget.render_view().forceRender()
        if self._threed in self._shown:  # what is shown is only known after a first rendering
            self.resetThreeDViews()
            self._threed.render_view().forceRender()
