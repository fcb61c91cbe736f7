"""Base of widgets that list nodes of the scene: which nodes, and when to look again."""

from typing import Any

import slicer_core
import vtk
from PySide6.QtWidgets import QWidget

from standin.widgets.scene_watch import Observations
from standin.widgets.stored import stored

Scene = slicer_core.vtkMRMLScene
SCENE_EVENTS = (
    Scene.NodeAddedEvent,
    Scene.NodeRemovedEvent,
    Scene.EndBatchProcessEvent,
    Scene.EndCloseEvent,
    Scene.EndImportEvent,
)


def refresh(widget: Any) -> None:
    """List the nodes anew, after a property has changed."""
    widget.refresh()


class NodeList(QWidget):
    """Base of the widgets that list nodes: which nodes the properties let through, and when to look again."""

    nodeTypes = stored("nodeTypes", "QStringList", None, refresh)
    showChildNodeTypes = stored("showChildNodeTypes", bool, True, refresh)
    hideChildNodeTypes = stored("hideChildNodeTypes", "QStringList", None, refresh)
    showHidden = stored("showHidden", bool, False, refresh)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._attributes: dict[str, tuple[str, Any]] = {}
        self._watched: list[str] = []
        self._scene_watch = Observations(self)
        self._node_watch = Observations(self)

    def refresh(self) -> None:
        """List the nodes anew."""

    def mrmlScene(self) -> Any:
        """The scene, or None."""
        return self._scene

    def watch_scene(self, scene: Any) -> None:
        """Look at another scene from now on."""
        self._scene_watch.clear()
        self._scene = scene
        if scene is not None:
            for event in SCENE_EVENTS:
                self._scene_watch.add(scene, event, "on_scene")

    def on_scene(self) -> None:
        """A node came or went, or many did."""
        if self._scene is not None and not self._scene.IsBatchProcessing():
            self.refresh()

    def on_node(self) -> None:
        """A listed node changed, perhaps its name."""
        self.on_scene()

    def addAttribute(self, node_type: str, name: str, value: Any = None) -> None:
        """List only nodes that have this attribute (of this value)."""
        self._attributes[node_type] = (name, value)
        self.refresh()

    def removeAttribute(self, node_type: str, name: str) -> None:
        """Take `addAttribute` back."""
        self._attributes.pop(node_type, None)
        self.refresh()

    def accepts(self, node: Any) -> bool:
        """Whether the node is listed."""
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        for kind in self.nodeTypes:
            if not node.IsA(kind) or (not self.showChildNodeTypes and node.GetClassName() != kind):
                continue
            if self.showChildNodeTypes and any(node.IsA(hidden) for hidden in self.hideChildNodeTypes):
                return False
            if kind not in self._attributes:
                return True
            name, value = self._attributes[kind]
            present = node.GetAttribute(name)
            return present is not None and (value is None or str(value) == present)
        return not self.nodeTypes

    def listed_nodes(self) -> list[Any]:
        """The nodes, in the scene's order, each watched for a new name."""
        count = self._scene.GetNumberOfNodes() if self._scene is not None else 0
        nodes = [self._scene.GetNthNode(index) for index in range(count)]
        kinds = self.nodeTypes
        candidates = [node for node in nodes if not kinds or any(node.IsA(kind) for kind in kinds)]
        if [node.GetID() for node in candidates] != self._watched:
            self._watched = [node.GetID() for node in candidates]
            self._node_watch.clear()
            for node in candidates:
                self._node_watch.add(node, vtk.vtkCommand.ModifiedEvent, "on_node")
        return [node for node in candidates if self.accepts(node)]
