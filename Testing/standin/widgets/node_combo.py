"""qMRMLNodeComboBox: a list of the scene's nodes of some types."""

from typing import Any

from PySide6.QtCore import Property, QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QWidget

from standin.binding.classes import own_class
from standin.binding.dialogs import answers
from standin.errors import WouldBlock
from standin.widgets.node_list import NodeList, refresh
from standin.widgets.stored import stored


@own_class("slicer.qMRMLNodeComboBox")
class qMRMLNodeComboBox(NodeList):
    """A combo box of nodes, with None in front if that is enabled."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAddedByUserAction = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    currentNodeRenamed = Signal(str)
    nodeAboutToBeEdited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ids: list[str] = []
        self._entries: list[tuple[str, str]] = []
        self._requested = ""
        self._combo = QComboBox(self)
        self._combo.setObjectName("standin_combo")
        self._combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._combo.currentIndexChanged.connect(self._on_index)
        self._combo.activated.connect(self._on_activated)
        self.setEnabled(False)

    noneEnabled = stored("noneEnabled", bool, False, refresh)
    noneDisplay = stored("noneDisplay", str, "None", refresh)
    addEnabled = stored("addEnabled", bool, True, refresh)
    removeEnabled = stored("removeEnabled", bool, True, refresh)
    editEnabled = stored("editEnabled", bool, False, refresh)
    renameEnabled = stored("renameEnabled", bool, False, refresh)
    selectNodeUponCreation = stored("selectNodeUponCreation", bool, True)
    baseName = stored("baseName", str, "")
    sizeAdjustPolicy = stored("sizeAdjustPolicy", int, 1)
    interactionNodeSingletonTag = stored("interactionNodeSingletonTag", str, "")

    def signal_for(self, signature: str) -> Any:
        """`currentNodeChanged(bool)` beside `currentNodeChanged(vtkMRMLNode*)`."""
        if signature == "currentNodeChanged(bool)":
            return self.currentNodeChanged, lambda node: (node is not None,), 1
        return None

    def on_node(self) -> None:
        """A listed node changed: list anew if that shows."""
        shown = [(entry.GetID(), entry.GetName() or "") for entry in self.listed_nodes()]
        if shown != [entry for entry in self._entries if entry[0]]:
            self.on_scene()

    def setMRMLScene(self, scene: Any) -> None:
        """List the nodes of this scene."""
        if scene is self._scene:
            return
        self.watch_scene(scene)
        self.refresh()
        self.setEnabled(scene is not None)
        if self._requested:
            wanted, self._requested = self._requested, ""
            self.setCurrentNodeID(wanted)

    def _actions(self) -> list[str]:
        label = self.nodeTypeLabel(self.nodeTypes[0] if len(self.nodeTypes) == 1 else "")
        return [
            *([f"Rename current {label}"] if self.renameEnabled else []),
            *([f"Edit current {label}"] if self.editEnabled else []),
            *(
                [f"Create new {self.nodeTypeLabel(kind)}" for kind in self.nodeTypes]
                if self.addEnabled
                else []
            ),
            *([f"Delete current {label}"] if self.removeEnabled else []),
        ]

    def nodeTypeLabel(self, kind: str) -> str:
        """What the scene calls nodes of a type."""
        return (self._scene.GetTypeDisplayNameByClassName(kind) if self._scene and kind else "") or "node"

    def refresh(self) -> None:
        """List the nodes anew; the current one stays, or its neighbour follows, as in Qt's combo box."""
        before, row = self.currentNodeID, self._combo.currentIndex()
        had_nodes = bool(self._ids)
        nodes = self.listed_nodes()
        first = [("", self.noneDisplay)] if self.noneEnabled and self._scene is not None else []
        entries = first + [(entry.GetID(), entry.GetName() or "") for entry in nodes]
        self._entries = entries
        blocker = QSignalBlocker(self._combo)
        self._ids = [entry[0] for entry in entries]
        self._combo.clear()
        self._combo.setPlaceholderText(f"Select a {self.nodeTypeLabel((self.nodeTypes or [''])[0])}")
        for identifier, text in entries:
            self._combo.addItem(text, identifier)
        actions = self._actions() if self._scene is not None else []
        if actions:
            self._combo.insertSeparator(self._combo.count())
            self._combo.addItems(actions)
        self._combo.setCurrentIndex(self._next_row(before, row, had_nodes, bool(actions)))
        blocker.unblock()
        if self.currentNodeID != before:
            self._emit()

    def _next_row(self, before: str, row: int, had_nodes: bool, has_actions: bool) -> int:
        if before and before in self._ids:
            return self._ids.index(before)
        if before and self._ids:  # it is gone: Qt keeps the row
            return min(row, len(self._ids) - 1)
        if self.noneEnabled and self._scene is not None:
            return 0
        return 0 if self._ids and not had_nodes and not has_actions else -1

    def _on_index(self, row: int) -> None:
        if row < len(self._ids):
            self._emit()

    def _on_activated(self, row: int) -> None:
        if row < len(self._ids):
            self.nodeActivated.emit(self.currentNode())
            return
        text = self._combo.itemText(row)
        if text.startswith("Create new"):
            index = [f"Create new {self.nodeTypeLabel(kind)}" for kind in self.nodeTypes].index(text)
            self.nodeAddedByUserAction.emit(self.addNode(self.nodeTypes[index]))
        elif text.startswith("Delete current"):
            self.removeCurrentNode()
        elif text.startswith("Rename current"):
            self.renameCurrentNode()
        else:
            self.editCurrentNode()

    def _emit(self) -> None:
        self.currentNodeChanged.emit(self.currentNode())
        self.currentNodeIDChanged.emit(self.currentNodeID)

    def currentNode(self) -> Any:
        """The chosen node, or None."""
        return self._scene.GetNodeByID(self.currentNodeID) if self._scene and self.currentNodeID else None

    def _read_id(self) -> str:
        row = self._combo.currentIndex()
        return self._ids[row] if 0 <= row < len(self._ids) else ""

    def setCurrentNodeID(self, identifier: str) -> None:
        """Choose a node by its ID; an unknown one means none."""
        if self._scene is None:
            self._requested = identifier
        elif identifier and identifier in self._ids:
            self._combo.setCurrentIndex(self._ids.index(identifier))
        else:
            self._combo.setCurrentIndex(0 if self.noneEnabled else -1)

    currentNodeID: Any = Property(str, _read_id, setCurrentNodeID)
    currentNodeId: Any = Property(str, _read_id, setCurrentNodeID)

    def setCurrentNode(self, node: Any) -> None:
        """Choose a node, or None."""
        self.setCurrentNodeID(node.GetID() or "" if node is not None else "")

    def setCurrentNodeIndex(self, index: int) -> None:
        """Choose the node at this place of the list; -1 is none."""
        index = -1 if index >= self.nodeCount() else index
        self._combo.setCurrentIndex(index + 1 if self.noneEnabled else index)

    def nodeCount(self) -> int:
        """How many nodes are listed."""
        return len([identifier for identifier in self._ids if identifier])

    def nodeFromIndex(self, index: int) -> Any:
        """The node at this place of the list."""
        listed = [identifier for identifier in self._ids if identifier]
        return self._scene.GetNodeByID(listed[index]) if 0 <= index < len(listed) else None

    def addNode(self, kind: str | None = None) -> Any:
        """Make a node of the type, or of the first type, and choose it."""
        kind = kind or self.nodeTypes[0]
        node = self._scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        node.SetName(self._scene.GetUniqueNameByString(self.baseName or node.GetDefaultNodeNamePrefix()))
        for name, value in self._attributes.values():
            node.SetAttribute(name, str(value or ""))
        self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        """Remove the chosen node from the scene."""
        self._scene.RemoveNode(self.currentNode())

    def editCurrentNode(self) -> None:
        """Say that the chosen node is to be edited."""
        self.nodeAboutToBeEdited.emit(self.currentNode())

    def renameCurrentNode(self) -> None:
        """Ask for a new name."""
        if not answers:
            raise WouldBlock("Renaming a node would wait for a person: standin.answer('name').")
        name = str(answers.popleft())
        self.currentNode().SetName(name)
        self.currentNodeRenamed.emit(name)
