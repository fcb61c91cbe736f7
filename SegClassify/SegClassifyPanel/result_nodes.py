"""A result in the scene: a segmentation node that carries it, a table of probabilities; and how they are found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import slicer
import vtk
from slicer.i18n import tr as _

from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.segmentation_node import segmentation_name
from SegClassifyPanel.undo import Snapshot

make_importable()

from SegClassifyLib.worker.protocol import ClassifyResult, ShapeError  # noqa: E402

RESULT = "SegClassify.Result"
"""Attribute of the segmentation node: the result as JSON."""
MODEL = "SegClassify.Model"
"""Attribute of the segmentation node: path of the model package."""
CHANNEL = "SegClassify.Channel"
"""Role of its references to the volumes, in the order of the model's channels."""
TABLE = "SegClassify.Table"
"""Role of its reference to the table."""


def find_results(scene: slicer.vtkMRMLScene | None = None) -> list[str]:
    """IDs of the segmentation nodes that carry a result, the oldest first."""
    nodes = (scene or slicer.mrmlScene).GetNodesByClass("vtkMRMLSegmentationNode")
    nodes.UnRegister(None)
    found = [nodes.GetItemAsObject(n) for n in range(nodes.GetNumberOfItems())]
    return [node.GetID() for node in found if result_of(node) is not None]


def result_of(node: slicer.vtkMRMLSegmentationNode | None) -> ClassifyResult | None:
    """The result that a segmentation node carries, also one that came with a loaded scene; ``None`` if it has none."""
    text = node.GetAttribute(RESULT) if node is not None else None
    if not text:
        return None
    try:
        return ClassifyResult.from_json(json.loads(text))
    except (ValueError, ShapeError):  # of another version, or not ours
        return None


def earlier_result(volume: slicer.vtkMRMLVolumeNode, model: str) -> slicer.vtkMRMLSegmentationNode | None:
    """The latest result of this model for this volume, which a new run updates."""
    for node_id in reversed(find_results()):
        node = slicer.mrmlScene.GetNodeByID(node_id)
        if node.GetNthNodeReferenceID(CHANNEL, 0) == volume.GetID() and node.GetAttribute(MODEL) == model:
            return node
    return None


def put_segmentation(
    segmentation: slicer.vtkSegmentation,
    volumes: Sequence[slicer.vtkMRMLVolumeNode],
    transform_id: str,
    earlier: slicer.vtkMRMLSegmentationNode | None,
    snapshot: Snapshot,
) -> slicer.vtkMRMLSegmentationNode:
    """Show a segmentation: in an earlier result's node, or in a new one.

    Args:
        segmentation: as built, in the coordinates of ``transform_id``.
        volumes: the images, the one whose grid it has first.
        transform_id: of the parent transform; may be empty.
        earlier: node to update.
        snapshot: told of everything that changes.
    """
    scene = slicer.mrmlScene
    if earlier is not None:
        snapshot.before_segmentation(earlier)
        node = earlier
    else:
        node = scene.AddNewNodeByClass(
            "vtkMRMLSegmentationNode", scene.GenerateUniqueName(segmentation_name(volumes[0]))
        )
        snapshot.created(node.GetID())
    node.SetAndObserveTransformNodeID(transform_id or None)
    node.SetAndObserveSegmentation(segmentation)
    node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), volumes[0].GetID())
    node.CreateDefaultDisplayNodes()
    if earlier is None:
        node.GetDisplayNode().SetVisibility3D(False)  # until there are surfaces to show
    node.RemoveNodeReferenceIDs(CHANNEL)
    for volume in volumes:
        node.AddNodeReferenceID(CHANNEL, volume.GetID())
    put_below(node, volumes[0])
    return node


def put_result(
    node: slicer.vtkMRMLSegmentationNode, result: ClassifyResult, model: str, snapshot: Snapshot
) -> slicer.vtkMRMLTableNode | None:
    """Write a result onto its segmentation node, and the probabilities into a table node.

    Returns:
        The table; ``None`` for a model that only segments.
    """
    # The files lie in a temporary folder: a saved scene must not name them.
    kept = replace(result, label_file="", features_file="")
    node.SetAttribute(RESULT, json.dumps(kept.to_json()))
    node.SetAttribute(MODEL, model)
    if not result.classes:
        return None
    table = node.GetNodeReference(TABLE)
    if table is not None:
        snapshot.before_table(table)
    else:
        volume = node.GetNodeReference(CHANNEL)
        name = _("{volume} classification").format(volume=volume.GetName())
        table = slicer.mrmlScene.AddNewNodeByClass(
            "vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(name)
        )
        snapshot.created(table.GetID())
        node.SetNodeReferenceID(TABLE, table.GetID())
        put_below(table, volume)
    table.SetAndObserveTable(_probabilities(result))
    table.SetUseColumnTitleAsColumnHeader(True)
    return table


def _probabilities(result: ClassifyResult) -> vtk.vtkTable:
    """Classes with their probabilities, the most probable first."""
    names, numbers = vtk.vtkStringArray(), vtk.vtkDoubleArray()
    names.SetName("class")
    numbers.SetName("probability")
    pairs = zip(result.classes, result.probabilities, strict=True)
    for name, probability in sorted(pairs, key=lambda pair: -pair[1]):
        names.InsertNextValue(name)
        numbers.InsertNextValue(probability)
    table = vtk.vtkTable()
    table.AddColumn(names)
    table.AddColumn(numbers)
    return table


def put_below(node: slicer.vtkMRMLNode, volume: slicer.vtkMRMLVolumeNode) -> None:
    """In the subject hierarchy, results are children of their volume."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    if hierarchy is None:
        return
    parent, item = hierarchy.GetItemByDataNode(volume), hierarchy.GetItemByDataNode(node)
    if parent and item:
        hierarchy.SetItemParent(item, parent)
