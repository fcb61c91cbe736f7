"""A small scripted module that the stand-in is tested with: written as Slicer's template is."""

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class Hello(ScriptedLoadableModule):
    """What the module says of itself."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Hello")
        self.parent.categories = [_("Examples")]


@parameterNodeWrapper
class HelloParameterNode:
    """Parameters in the scene."""

    inputVolume: slicer.vtkMRMLScalarVolumeNode
    count: int = 0


class HelloWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel; `events` tells the tests what happened."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.events = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        ui_widget = slicer.util.loadUI(self.resourcePath("UI/Hello.ui"))
        self.layout.addWidget(ui_widget)
        self.ui = slicer.util.childWidgetVariables(ui_widget)
        ui_widget.setMRMLScene(slicer.mrmlScene)
        self.logic = HelloLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.on_start_close)
        self.ui.applyButton.connect("clicked(bool)", self.on_apply)
        self.parameters = None
        self.bind()

    def bind(self):
        self.parameters = self.logic.getParameterNode()
        self.tag = self.parameters.connectGui(self.ui)

    def unbind(self):
        if self.parameters is not None:
            self.parameters.disconnectGui(self.tag)
            self.parameters = None

    def on_start_close(self, caller, event):
        self.unbind()
        self.events.append("close")

    def on_apply(self):
        self.parameters.count += 1
        self.events.append("apply")

    def enter(self):
        self.events.append("enter")

    def exit(self):
        self.events.append("exit")

    def cleanup(self):
        self.removeObservers()
        self.unbind()
        self.events.append("cleanup")


class HelloLogic(ScriptedLoadableModuleLogic):
    """What works without the panel."""

    def getParameterNode(self):
        return HelloParameterNode(super().getParameterNode())

    def mean(self, volume):
        statistics = vtk.vtkImageAccumulate()
        statistics.SetInputData(volume.GetImageData())
        statistics.Update()
        return statistics.GetMean()[0]


class HelloTest(ScriptedLoadableModuleTest):
    """Runs in Slicer and on the stand-in."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def test_mean(self):
        import numpy as np

        volume = slicer.util.addVolumeFromArray(np.full((2, 3, 4), 7, np.int16))
        self.assertEqual(HelloLogic().mean(volume), 7)
        self.delayDisplay("Test passed")
