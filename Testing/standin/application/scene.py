"""What Slicer's application adds to a bare scene: colours, caches, items of the subject hierarchy."""

import colorsys
from pathlib import Path
from typing import Any

import slicer_core
import vtk

Scene = slicer_core.vtkMRMLScene
IN_HIERARCHY = ("vtkMRMLDisplayableNode", "vtkMRMLTableNode", "vtkMRMLTextNode", "vtkMRMLPlotChartNode")


def write_colors(folder: Path) -> None:
    """Write the colour file that label maps take by default; slicer-core comes without it. Colours are made up."""
    colors = folder / "ColorFiles"
    colors.mkdir(parents=True, exist_ok=True)
    lines = ["# Color table file of the stand-in", "0 background 0 0 0 0"]
    for number in range(1, 256):
        rgb = colorsys.hsv_to_rgb(number * 0.618 % 1.0, 0.7, 0.9)
        lines.append(f"{number} label_{number} {' '.join(str(round(255 * part)) for part in rgb)} 255")
    (colors / "GenericColors.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def is_modified_since_read(scene: Any) -> bool:
    """Whether nodes were modified that Slicer would offer to save before it closes."""
    nodes = vtk.vtkCollection()
    return bool(scene.GetStorableNodesModifiedSinceRead(nodes) or scene.GetModifiedSinceRead(nodes))


class SceneServices:
    """Follows the scene as Slicer does."""

    def __init__(self, scene: Any, logic: Any, temporary: Path) -> None:
        self._scene = scene
        self._cache = slicer_core.vtkCacheManager()
        self._cache.SetRemoteCacheDirectory(str(temporary / "cache"))
        self._data_io = slicer_core.vtkDataIOManager()
        self._data_io.SetCacheManager(self._cache)
        self._remote = slicer_core.vtkMRMLRemoteIOLogic()
        self._remote.SetCacheManager(self._cache)
        self._remote.SetDataIOManager(self._data_io)
        self._data_logic = slicer_core.vtkDataIOManagerLogic()
        self._data_logic.SetMRMLApplicationLogic(logic)
        self._data_logic.SetAndObserveDataIOManager(self._data_io)
        logic.SetMRMLSceneDataIO(scene, self._remote, self._data_logic)
        slicer_core.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(scene)
        self._on_added.__func__.CallDataType = vtk.VTK_OBJECT  # type: ignore[attr-defined]
        self._on_removed.__func__.CallDataType = vtk.VTK_OBJECT  # type: ignore[attr-defined]
        scene.AddObserver(Scene.NodeAddedEvent, self._on_added)
        scene.AddObserver(Scene.NodeAboutToBeRemovedEvent, self._on_removed)
        scene.AddObserver(Scene.EndImportEvent, self._on_imported)
        scene.AddObserver(Scene.EndCloseEvent, self._on_closed)

    def _add(self, node: Any) -> None:
        hierarchy = slicer_core.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        belongs = not node.GetHideFromEditors() and any(node.IsA(kind) for kind in IN_HIERARCHY)
        if belongs and not hierarchy.GetItemByDataNode(node):
            hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)

    def _on_added(self, caller: Any, event: str, node: Any) -> None:
        if node.IsA("vtkMRMLSubjectHierarchyNode"):
            slicer_core.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(self._scene)
        elif not self._scene.IsImporting():
            self._add(node)

    def _on_removed(self, caller: Any, event: str, node: Any) -> None:
        if self._scene.IsClosing() or node.IsA("vtkMRMLSubjectHierarchyNode"):
            return
        hierarchy = slicer_core.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)

    def _on_imported(self, caller: Any, event: str) -> None:
        slicer_core.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(self._scene)
        for index in range(self._scene.GetNumberOfNodes()):
            self._add(self._scene.GetNthNode(index))

    def _on_closed(self, caller: Any, event: str) -> None:
        slicer_core.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(self._scene)
