"""The scene as it was before a result came into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import vtk


class Snapshot:
    """Remembers what a result changes, at the moment it is asked to, and puts it back.

    Holds node IDs. A node that has gone meanwhile, or a scene that was closed, is left alone.
    """

    def __init__(self) -> None:
        self._back: list[Callable[[], None]] = []
        for node in _nodes("vtkMRMLSliceNode"):
            self._keep_slice(node)
        for node in _nodes("vtkMRMLSliceCompositeNode"):
            self._keep_layers(node)

    def created(self, node_id: str) -> None:
        """A node that was not there before: it will be removed, with its display and storage."""
        self._back.append(lambda: _remove(node_id))

    def before_segmentation(self, node: slicer.vtkMRMLSegmentationNode) -> None:
        """A segmentation node that is about to get other segments."""
        node_id, before = node.GetID(), node.GetSegmentation()

        def back(node: slicer.vtkMRMLSegmentationNode) -> None:
            node.SetAndObserveSegmentation(before)

        self._keep(node_id, back)
        self._keep_attributes(node)

    def before_table(self, node: slicer.vtkMRMLTableNode) -> None:
        """A table node that is about to get another table."""
        before = node.GetTable()
        self._keep(node.GetID(), lambda n: n.SetAndObserveTable(before))
        self._keep_attributes(node)

    def before_visibility(self, node: slicer.vtkMRMLDisplayableNode) -> None:
        """A node that is about to be hidden or shown."""
        shown = node.GetDisplayVisibility()
        self._keep(node.GetID(), lambda n: n.SetDisplayVisibility(shown))

    def before_outputs(self, parameters: Callable[[], Any], before: tuple[Any, Any]) -> None:
        """The parameter node is about to name other outputs than these."""
        ids = tuple(node.GetID() if node is not None else "" for node in before)

        def back() -> None:
            now = parameters()
            now.outputSegmentation, now.outputTable = (
                slicer.mrmlScene.GetNodeByID(node_id) if node_id else None for node_id in ids
            )

        self._back.append(back)

    def restore(self) -> None:
        """Put all back, the last change first."""
        while self._back:
            self._back.pop()()

    def _keep(self, node_id: str, back: Callable[[slicer.vtkMRMLNode], None]) -> None:
        def restore() -> None:
            node = slicer.mrmlScene.GetNodeByID(node_id)
            if node is not None:
                back(node)

        self._back.append(restore)

    def _keep_attributes(self, node: slicer.vtkMRMLTransformableNode) -> None:
        attributes = {name: node.GetAttribute(name) for name in node.GetAttributeNames()}
        name, transform = node.GetName(), node.GetTransformNodeID() if _can_move(node) else None
        roles: list[str] = []
        node.GetNodeReferenceRoles(roles)
        references = {
            role: [node.GetNthNodeReferenceID(role, n) for n in range(node.GetNumberOfNodeReferences(role))]
            for role in roles
            if role.startswith("SegClassify")
        }

        def back(node: slicer.vtkMRMLTransformableNode) -> None:
            for extra in set(node.GetAttributeNames()) - set(attributes):
                node.RemoveAttribute(extra)
            for key, value in attributes.items():
                node.SetAttribute(key, value)
            node.SetName(name)
            if _can_move(node):
                node.SetAndObserveTransformNodeID(transform)
            for role, ids in references.items():
                node.RemoveNodeReferenceIDs(role)
                for node_id in ids:
                    node.AddNodeReferenceID(role, node_id)

        self._keep(node.GetID(), back)

    def _keep_slice(self, node: slicer.vtkMRMLSliceNode) -> None:
        matrix = vtk.vtkMatrix4x4()
        matrix.DeepCopy(node.GetSliceToRAS())
        view, corner = tuple(node.GetFieldOfView()), tuple(node.GetXYZOrigin())

        def back(node: slicer.vtkMRMLSliceNode) -> None:
            node.GetSliceToRAS().DeepCopy(matrix)
            node.SetFieldOfView(*view)
            node.SetXYZOrigin(*corner)
            node.UpdateMatrices()

        self._keep(node.GetID(), back)

    def _keep_layers(self, node: slicer.vtkMRMLSliceCompositeNode) -> None:
        background, foreground = node.GetBackgroundVolumeID(), node.GetForegroundVolumeID()

        def back(node: slicer.vtkMRMLSliceCompositeNode) -> None:
            node.SetBackgroundVolumeID(background)
            node.SetForegroundVolumeID(foreground)

        self._keep(node.GetID(), back)


def _can_move(node: slicer.vtkMRMLNode) -> bool:
    return node.IsA("vtkMRMLTransformableNode") and not node.IsA("vtkMRMLTableNode")


def _nodes(kind: str) -> list[slicer.vtkMRMLNode]:
    return list(slicer.util.getNodesByClass(kind))


def _remove(node_id: str) -> None:
    node = slicer.mrmlScene.GetNodeByID(node_id)
    if node is None:
        return
    others = [node.GetStorageNode()] if node.IsA("vtkMRMLStorableNode") else []
    if node.IsA("vtkMRMLDisplayableNode"):
        others += [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]
    slicer.mrmlScene.RemoveNode(node)
    for other in others:
        if other is not None and other.GetScene() is not None:
            slicer.mrmlScene.RemoveNode(other)
