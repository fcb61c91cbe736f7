"""qMRMLSegmentEditorWidget: which segmentation is edited on which volume. Nothing can be drawn: a test does that."""

from typing import Any

import slicer_core
import vtk
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from standin.binding.classes import own_class
from standin.errors import NotInStandin
from standin.widgets.node_combo import qMRMLNodeComboBox
from standin.widgets.scene_watch import Observations
from standin.widgets.scene_widgets import qMRMLSegmentsTableView, qMRMLWidget
from standin.widgets.stored import stored

# Effects that Slicer brings, by the names that modules find them by.
EFFECTS = (
    "Threshold",
    "Paint",
    "Draw",
    "Erase",
    "Level tracing",
    "Grow from seeds",
    "Fill between slices",
    "Margin",
    "Hollow",
    "Smoothing",
    "Scissors",
    "Islands",
    "Logical operators",
    "Mask volume",
)


@own_class("slicer.qMRMLSegmentEditorWidget")
class qMRMLSegmentEditorWidget(qMRMLWidget):
    """The editor: two selectors and the list of segments over Slicer's own logic of editing."""

    currentSegmentIDChanged = Signal(str)
    sourceVolumeNodeChanged = Signal(object)
    masterVolumeNodeChanged = Signal(object)
    segmentationNodeChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._logic = slicer_core.vtkSlicerSegmentEditorLogic()
        self._parameters: Any = None
        self._segmentation: Any = None
        self._source: Any = None
        self._updating = False
        self._parameter_watch, self._scene_watch = Observations(self), Observations(self)
        self._nodes = self._selector("standin_segmentations", "vtkMRMLSegmentationNode")
        self._volumes = self._selector("standin_volumes", "vtkMRMLScalarVolumeNode")
        self._volumes.addEnabled = False
        self._volumes.noneEnabled = True
        self._volumes.noneDisplay = "Select source volume to enable editing"
        self._volumes.hideChildNodeTypes = ["vtkMRMLSegmentationNode"]
        self._segments = qMRMLSegmentsTableView(self)
        self._segments.setObjectName("SegmentsTableView")
        form = QFormLayout()
        form.addRow("Segmentation:", self._nodes)
        form.addRow("Source volume:", self._volumes)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self._segments)
        self._nodes.currentNodeChanged.connect(self.setSegmentationNode)
        self._volumes.currentNodeChanged.connect(self.setSourceVolumeNode)
        self._segments.selectionChanged.connect(self._on_segment)

    def _selector(self, name: str, kind: str) -> qMRMLNodeComboBox:
        combo = qMRMLNodeComboBox(self)
        combo.setObjectName(name)
        combo.nodeTypes = [kind]
        combo.renameEnabled = True
        return combo

    segmentationNodeSelectorVisible = stored(
        "segmentationsShown", bool, True, lambda self: self._show_parts()
    )
    sourceVolumeNodeSelectorVisible = stored("volumesShown", bool, True, lambda self: self._show_parts())
    autoShowSourceVolumeNode = stored("autoShowSourceVolumeNode", bool, True)
    maximumNumberOfUndoStates = stored("maximumNumberOfUndoStates", int, 0)
    undoEnabled = stored("undoEnabled", bool, True)
    readOnly = stored("readOnly", bool, False, lambda self: self._segments.setReadOnly(self._readOnly))
    maskingSectionVisible = stored("maskingSectionVisible", bool, True)
    specifyGeometryButtonVisible = stored("specifyGeometryButtonVisible", bool, True)
    show3DButtonVisible = stored("show3DButtonVisible", bool, True)
    addRemoveSegmentButtonsVisible = stored("addRemoveSegmentButtonsVisible", bool, True)
    switchToSegmentationsButtonVisible = stored("switchToSegmentationsButtonVisible", bool, True)
    unorderedEffectsVisible = stored("unorderedEffectsVisible", bool, True)
    jumpToSelectedSegmentEnabled = stored("jumpToSelectedSegmentEnabled", bool, False)

    def _show_parts(self) -> None:
        self._nodes.setVisible(self.segmentationNodeSelectorVisible)
        self._volumes.setVisible(self.sourceVolumeNodeSelectorVisible)

    def setSegmentationNodeSelectorVisible(self, visible: bool) -> None:
        """Show the selector of segmentations."""
        self.segmentationNodeSelectorVisible = visible

    def setSourceVolumeNodeSelectorVisible(self, visible: bool) -> None:
        """Show the selector of volumes."""
        self.sourceVolumeNodeSelectorVisible = visible

    def setMaximumNumberOfUndoStates(self, count: int) -> None:
        """How many steps can be undone."""
        self.maximumNumberOfUndoStates = count

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene."""
        import slicer

        if scene is self._scene:
            return
        blockers = [QSignalBlocker(self._nodes), QSignalBlocker(self._volumes)]
        for selector in (self._nodes, self._volumes):
            selector.setMRMLScene(scene)
        super().setMRMLScene(scene)
        del blockers
        self._logic.SetMRMLApplicationLogic(slicer.app.applicationLogic())
        self._logic.SetMRMLScene(scene)
        self._scene_watch.clear()
        if scene is not None:
            self._scene_watch.add(
                scene, slicer_core.vtkMRMLScene.EndBatchProcessEvent, "updateWidgetFromMRML"
            )
        self.updateWidgetFromMRML()

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        """Keep what is edited in this node."""
        if node is self._parameters:
            return
        self._parameter_watch.clear()
        self._parameters = node
        self._logic.SetSegmentEditorNode(node)
        if node is not None:
            self._parameter_watch.add(node, vtk.vtkCommand.ModifiedEvent, "updateWidgetFromMRML")
            self.updateWidgetFromMRML()

    def mrmlSegmentEditorNode(self) -> Any:
        """Where it is kept what is edited."""
        return self._parameters

    def setSegmentationNode(self, node: Any) -> None:
        """Edit this segmentation; the volume it refers to becomes the source volume."""
        if self._logic.GetSegmentationNode() is node:
            return
        self._logic.SetSegmentationNode(node)
        self.setActiveEffect(None)

    def setSegmentationNodeID(self, identifier: str) -> None:
        """Edit the segmentation of this ID."""
        self.setSegmentationNode(self._scene.GetNodeByID(identifier))

    def segmentationNode(self) -> Any:
        """The segmentation that is edited, or None."""
        return self._nodes.currentNode()

    def segmentationNodeID(self) -> str:
        """Its ID, or an empty text."""
        return self._nodes.currentNodeID

    def setSourceVolumeNode(self, node: Any) -> None:
        """Edit on this volume."""
        self._logic.SetSourceVolumeNode(node)

    def setSourceVolumeNodeID(self, identifier: str) -> None:
        """Edit on the volume of this ID."""
        self.setSourceVolumeNode(self._scene.GetNodeByID(identifier) if identifier else None)

    def sourceVolumeNode(self) -> Any:
        """The volume that is edited on, or None."""
        return self._logic.GetSourceVolumeNode()

    def sourceVolumeNodeID(self) -> str:
        """Its ID, or an empty text."""
        node = self.sourceVolumeNode()
        return node.GetID() if node is not None else ""

    def updateWidgetFromMRML(self) -> None:
        """Show what the parameter node says."""
        scene = self._scene
        if scene is None or scene.IsClosing() or scene.IsBatchProcessing() or self._updating:
            return
        for selector in (self._nodes, self._volumes):
            selector.setEnabled(self._parameters is not None)
        if self._parameters is None:
            return
        self._updating = True
        try:
            self._update_segmentation()
            self._update_source()
        finally:
            self._updating = False
        self._update_segment()

    def _update_segmentation(self) -> None:
        node = self._logic.GetSegmentationNode()
        blocker = QSignalBlocker(self._nodes)
        self._nodes.setCurrentNode(node)
        blocker.unblock()
        if node is self._segmentation:
            return
        self._segmentation = node
        self._segments.setSegmentationNode(node)
        if node is not None:
            self._logic.SetSourceVolumeNode(
                node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())
            )
            node.CreateDefaultDisplayNodes()
            if node.GetSegmentation().GetNumberOfSegments():
                self._parameters.SetSelectedSegmentID(node.GetSegmentation().GetNthSegmentID(0))
            for logic in self._slice_logics():
                logic.GetSliceCompositeNode().SetLabelVolumeID(None)
        self.segmentationNodeChanged.emit(node)

    def _update_source(self) -> None:
        node = self._logic.GetSourceVolumeNode()
        if self._segmentation is None or node is self._source:
            return
        self._source = node
        blocker = QSignalBlocker(self._volumes)
        self._volumes.setCurrentNode(node)
        blocker.unblock()
        if node is not None and self.autoShowSourceVolumeNode:
            self.showSourceVolumeInSliceViewers()
        self.sourceVolumeNodeChanged.emit(node)
        self.masterVolumeNodeChanged.emit(node)

    def _update_segment(self) -> None:
        identifier = self.currentSegmentID()
        blocker = QSignalBlocker(self._segments)
        self._segments.setSelectedSegmentIDs(
            [identifier] if identifier in self._segments.displayedSegmentIDs() else []
        )
        blocker.unblock()

    def _on_segment(self) -> None:
        chosen = self._segments.selectedSegmentIDs()
        identifier = chosen[0] if chosen else ""
        if self._parameters is not None and identifier != self.currentSegmentID():
            self._parameters.SetSelectedSegmentID(identifier)
            self.currentSegmentIDChanged.emit(identifier)

    def _slice_logics(self) -> list[Any]:
        import slicer

        logics = slicer.app.layoutManager().mrmlSliceLogics()
        return [logics.GetItemAsObject(index) for index in range(logics.GetNumberOfItems())]

    def showSourceVolumeInSliceViewers(
        self, forceShowInBackground: bool = False, fitSlice: bool = False
    ) -> None:
        """Show the source volume in every slice view that does not show it yet.

        Args:
            forceShowInBackground: show it alone even if it is shown already.
            fitSlice: show the whole of it.
        """
        identifier = self.sourceVolumeNodeID()
        for logic in self._slice_logics() if identifier else []:
            node = logic.GetSliceCompositeNode()
            shown = identifier in (node.GetBackgroundVolumeID(), node.GetForegroundVolumeID())
            if forceShowInBackground or not shown:
                node.SetBackgroundVolumeID(identifier)
                node.SetForegroundVolumeID(None)
                node.SetLabelVolumeID(None)
            if fitSlice:
                logic.FitSliceToBackground(True)

    def currentSegmentID(self) -> str:
        """The segment that is edited, or an empty text."""
        return (self._parameters.GetSelectedSegmentID() if self._parameters is not None else None) or ""

    def setCurrentSegmentID(self, identifier: str) -> None:
        """Edit this segment."""
        if self._parameters is not None:
            self._parameters.SetSelectedSegmentID(identifier)

    def availableEffectNames(self) -> list[str]:
        """Names of effects."""
        return list(EFFECTS)

    def setActiveEffectByName(self, name: str) -> None:
        """Take an effect; an unknown name means none."""
        if self._parameters is not None:
            self._parameters.SetActiveEffectName(name if name in EFFECTS else "")

    def setActiveEffect(self, effect: Any) -> None:
        """Take no effect.

        Raises:
            NotInStandin: for an effect: the stand-in draws nothing.
        """
        if effect is not None:
            raise NotInStandin("The stand-in has no effects: change the segmentation itself.")
        self.setActiveEffectByName("")

    def activeEffect(self) -> Any:
        """None without an effect.

        Raises:
            NotInStandin: if one was taken by its name.
        """
        if self._parameters is not None and self._parameters.GetActiveEffectName():
            raise NotInStandin("The stand-in has no effects: change the segmentation itself.")
        return None

    def updateEffectList(self) -> None:
        """List the effects anew."""

    def installKeyboardShortcuts(self, parent: QWidget | None = None) -> None:
        """The stand-in has no shortcuts."""

    def uninstallKeyboardShortcuts(self) -> None:
        """The stand-in has no shortcuts."""

    def setupViewObservations(self) -> None:
        """Nobody draws in the views."""

    def removeViewObservations(self) -> None:
        """Nobody draws in the views."""
