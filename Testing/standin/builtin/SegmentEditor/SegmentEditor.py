"""The Segment Editor module: a scripted module in Slicer too, whose panel holds one `qMRMLSegmentEditorWidget`."""

import slicer
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

TAG = "SegmentEditor"


class SegmentEditor(ScriptedLoadableModule):
    """What the module says of itself."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "Segment Editor"
        parent.categories = ["", "Segmentation"]


class SegmentEditorWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel; `editor` is what other modules set up."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.parameterSetNode = None
        self.editor = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        self.editor = slicer.qMRMLSegmentEditorWidget()
        self.editor.setMaximumNumberOfUndoStates(10)
        self.selectParameterNode()
        self.editor.setMRMLScene(slicer.mrmlScene)
        self.layout.addWidget(self.editor)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEnd)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEnd)

    def selectParameterNode(self):
        """Take the scene's editor node, made if it has none."""
        node = slicer.mrmlScene.GetSingletonNode(TAG, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag(TAG)
            node = slicer.mrmlScene.AddNode(node)
        if node is not self.parameterSetNode:
            self.parameterSetNode = node
            self.editor.setMRMLSegmentEditorNode(node)

    def getDefaultSourceVolumeNodeID(self):
        """The volume of the first slice view that shows one: a background, or else a foreground."""
        manager = slicer.app.layoutManager()
        composites = [manager.sliceWidget(name).mrmlSliceCompositeNode() for name in manager.sliceViewNames()]
        shown = [node.GetBackgroundVolumeID() for node in composites]
        shown += [node.GetForegroundVolumeID() for node in composites]
        return next(filter(None, shown), None)

    def enter(self):
        """A segmentation is chosen at once: the first of the scene, or a new one."""
        self.selectParameterNode()
        self.editor.updateWidgetFromMRML()
        if self.editor.segmentationNodeID():
            return
        node = slicer.mrmlScene.GetFirstNode(None, "vtkMRMLSegmentationNode")
        if node is None:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        self.editor.setSegmentationNode(node)
        if not self.editor.sourceVolumeNodeID():
            self.editor.setSourceVolumeNodeID(self.getDefaultSourceVolumeNodeID() or "")

    def exit(self):
        """No effect stays active."""
        self.editor.setActiveEffect(None)
        self.editor.removeViewObservations()

    def onSceneStartClose(self, caller, event):
        """Let go of the nodes."""
        self.parameterSetNode = None
        self.editor.setSegmentationNode(None)
        self.editor.removeViewObservations()

    def onSceneEnd(self, caller, event):
        """Take the nodes of the new scene."""
        if self.parent.isEntered:
            self.selectParameterNode()
            self.editor.updateWidgetFromMRML()

    def cleanup(self):
        """The panel goes."""
        self.removeObservers()


class SegmentEditorLogic(ScriptedLoadableModuleLogic):
    """Nothing works without the panel."""


class SegmentEditorTest(ScriptedLoadableModuleTest):
    """Nothing to test in it."""
