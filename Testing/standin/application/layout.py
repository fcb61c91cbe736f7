"""`slicer.app.layoutManager()`: three slice views and a 3D view, always in the conventional or four-up order."""

from typing import Any

import slicer_core
import vtk
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from standin.application.views import SliceWidget, ThreeDWidget
from standin.binding.classes import own_class
from standin.widgets.stored import stored

SLICES = (
    ("Red", "Axial", (0.95, 0.29, 0.2)),
    ("Green", "Coronal", (0.43, 0.69, 0.29)),
    ("Yellow", "Sagittal", (0.93, 0.84, 0.29)),
)


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
        self._logics = vtk.vtkCollection()
        for widget in self._slices.values():
            self._logics.AddItem(widget.sliceLogic())
        logic.SetSliceLogics(self._logics)
        self._timer = QTimer(self)
        self._timer.setInterval(15)
        self._timer.timeout.connect(self._render_wanted)
        self._layout_logic = slicer_core.vtkMRMLLayoutLogic()
        self._layout_logic.SetMRMLScene(scene)
        self._viewport = QWidget()
        grid = QGridLayout(self._viewport)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        for place, view in enumerate(
            (self._slices["Red"], self._threed, self._slices["Green"], self._slices["Yellow"])
        ):
            grid.addWidget(view, place // 2, place % 2)

    enabled = stored("enabled", bool, True)
    layout = stored("layout", int, 3, lambda self: self.setLayout(self._layout))
    spacing = stored("spacing", int, 2)
    threeDViewCount = stored("threeDViewCount", int, 1)
    tableViewCount = stored("tableViewCount", int, 0)
    plotViewCount = stored("plotViewCount", int, 0)

    def setLayout(self, layout: int) -> None:
        """Choose a layout by number; the stand-in notes it in the layout node and goes on showing four views."""
        self._layout = layout
        self._layout_logic.GetLayoutNode().SetViewArrangement(layout)
        self.layoutChanged.emit(layout)

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
        for widget in (*self._slices.values(), self._threed):
            if widget.rendering().wanted:
                widget.render_view().forceRender()

    def render_all(self) -> None:
        """Render every view now, for a screenshot."""
        for widget in self._slices.values():
            widget.sliceView().forceRender()
        self._threed.threeDView().forceRender()  # what is shown is only known after a first rendering
        self.resetThreeDViews()
        self._threed.threeDView().forceRender()
