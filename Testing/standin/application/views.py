"""Slice views and 3D view: Slicer's own pipelines and displayable managers, rendered without a screen on demand."""

from typing import Any

import slicer_core
import vtk
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel, QVBoxLayout

from standin.application.picture import Picture, grabbed
from standin.binding.classes import own_class
from standin.widgets.scene_widgets import qMRMLWidget

SLICE_MANAGERS = ("vtkMRMLSegmentationsDisplayableManager2D", "vtkMRMLModelSliceDisplayableManager")
THREED_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
)


class Rendering:
    """An offscreen render window with the displayable managers of one view."""

    def __init__(
        self,
        factory: Any,
        managers: tuple[str, ...],
        application_logic: Any,
        view_node: Any,
        backdrop: Any = None,
    ) -> None:
        before = vtk.vtkObject.GetGlobalWarningDisplay()
        vtk.vtkObject.GlobalWarningDisplayOff()  # VTK tells of every kind of window that it cannot open
        self.renderer = vtk.vtkRenderer()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.AddRenderer(self.renderer)
        if backdrop is not None:  # before the managers' actors, which are to lie above it
            self.renderer.AddViewProp(backdrop)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self.window)
        factory.SetMRMLApplicationLogic(application_logic)
        for manager in managers:
            if not factory.IsDisplayableManagerRegistered(manager):
                factory.RegisterDisplayableManager(manager)
        self._group = factory.InstantiateDisplayableManagers(self.renderer)
        self._group.SetMRMLDisplayableNode(view_node)
        self.wanted = False
        self._group.AddObserver(vtk.vtkCommand.UpdateEvent, self._on_wanted)
        vtk.vtkObject.SetGlobalWarningDisplay(before)

    def _on_wanted(self, caller: Any, event: str) -> None:
        self.wanted = True

    def image(self, width: int, height: int) -> QImage:
        """Render now.

        Args:
            width: of the picture, in pixels.
            height: of the picture, in pixels.
        """
        self.wanted = False
        return grabbed(self.window, width, height)


@own_class("slicer.ctkVTKRenderView")
class RenderView(Picture):
    """Shows the last picture of a view."""

    def __init__(self, parent: "ViewWidget") -> None:
        super().__init__(parent)
        self._view = parent

    def take_picture(self, width: int, height: int) -> QImage:
        """Render the view."""
        return self._view.rendering().image(width, height)

    def scheduleRender(self) -> None:
        """Render; here at once."""
        self.forceRender()

    def renderWindow(self) -> Any:
        """The VTK window."""
        return self._view.rendering().window

    def resetFocalPoint(self) -> None:
        """Look at what is there, the box left aside."""
        node, renderer = self._view.mrmlViewNode(), self._view.rendering().renderer
        before = node.GetBoxVisible(), node.GetAxisLabelsVisible()
        node.SetBoxVisible(False)
        node.SetAxisLabelsVisible(False)
        renderer.ResetCamera()
        node.SetBoxVisible(before[0])
        node.SetAxisLabelsVisible(before[1])
        renderer.ResetCameraClippingRange()

    resetCamera = resetFocalPoint

    def resizeEvent(self, event: Any) -> None:
        """A slice view asks for another piece of the volume."""
        self._view.on_resized(self.width(), self.height())


class ViewWidget(qMRMLWidget):
    """A view below a coloured bar with its name."""

    def __init__(self, title: str, color: tuple[float, float, float]) -> None:
        super().__init__()
        self.setObjectName(f"qMRML{title}View")
        self._rendering: Rendering | None = None
        bar = QLabel(title, self)
        bar.setStyleSheet(f"background: {QColor.fromRgbF(*color).name()}; padding: 1px 6px; color: black")
        self._view = RenderView(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(bar)
        layout.addWidget(self._view, 1)

    def make_rendering(self) -> Rendering:
        """Build the pipeline; only when it is first looked at, for it takes a second."""
        raise TypeError("A view says how it is rendered.")

    def rendering(self) -> Rendering:
        """The pipeline."""
        if self._rendering is None:
            self._rendering = self.make_rendering()
        return self._rendering

    def render_view(self) -> RenderView:
        """What shows the picture."""
        return self._view

    def is_wanted(self) -> bool:
        """Whether something has changed since the last picture."""
        return self.rendering().wanted

    def on_resized(self, width: int, height: int) -> None:
        """The view has another size."""

    def mrmlViewNode(self) -> Any:
        """The node of a 3D view; a slice view has no camera to reset."""
        raise TypeError("Only 3D views have a view node.")


@own_class("slicer.qMRMLSliceWidget")
class SliceWidget(ViewWidget):
    """One slice view: Red, Yellow or Green."""

    def __init__(self, name: str, orientation: str, color: tuple[float, float, float], app: Any) -> None:
        super().__init__(name, color)
        self._name, self._app = name, app
        self._logic = slicer_core.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(app.applicationLogic())
        self._logic.SetMRMLScene(app.mrmlScene())
        node = self._logic.AddSliceNode(name)
        node.SetOrientation(orientation)
        node.SetLayoutColor(*color)
        node.SetLayoutLabel(name[0])
        self._logic.ResizeSliceNode(400, 400)

    def read_sliceViewName(self) -> str:
        """Value of the property `sliceViewName`."""
        return self._name

    def make_rendering(self) -> Rendering:
        """The slice's image below the segments' outlines."""
        factory = slicer_core.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        mapper.SetInputConnection(self._logic.GetImageDataConnection())
        actor = vtk.vtkActor2D()
        actor.SetMapper(mapper)
        actor.GetProperty().SetDisplayLocationToBackground()

        def on_slice(caller: Any, event: str) -> None:
            mapper.SetInputConnection(self._logic.GetImageDataConnection())
            rendering.wanted = True

        self._logic.AddObserver(vtk.vtkCommand.ModifiedEvent, on_slice)
        rendering = Rendering(
            factory, SLICE_MANAGERS, self._app.applicationLogic(), self.mrmlSliceNode(), actor
        )
        return rendering

    def on_resized(self, width: int, height: int) -> None:
        """The slice node takes the view's size."""
        self._logic.ResizeSliceNode(width, height)

    def sliceLogic(self) -> Any:
        """Slicer's logic of the slice."""
        return self._logic

    def mrmlSliceNode(self) -> Any:
        """Where the slice lies."""
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        """Which volumes it shows."""
        return self._logic.GetSliceCompositeNode()

    def sliceView(self) -> RenderView:
        """The picture."""
        return self._view

    def fitSliceToBackground(self) -> None:
        """Show the whole background volume."""
        self._logic.FitSliceToBackground()


@own_class("slicer.qMRMLThreeDWidget")
class ThreeDWidget(ViewWidget):
    """The 3D view."""

    activated = Signal()

    def __init__(self, app: Any) -> None:
        super().__init__("3D", (0.5, 0.55, 0.8))
        self._app = app
        scene = app.mrmlScene()
        self._node = slicer_core.vtkMRMLViewNode()
        self._node.SetSingletonTag("1")
        self._node.SetName("View1")
        self._node.SetLayoutName("1")
        self._node = scene.AddNode(self._node)
        self._fitted = False

    def make_rendering(self) -> Rendering:
        """Surfaces of segments and models."""
        factory = slicer_core.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        return Rendering(factory, THREED_MANAGERS, self._app.applicationLogic(), self._node)

    def mrmlViewNode(self) -> Any:
        """The view's node."""
        return self._node

    def threeDView(self) -> RenderView:
        """The picture."""
        return self._view
