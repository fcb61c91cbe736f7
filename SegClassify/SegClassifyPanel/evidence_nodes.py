"""An evidence map in the scene: a scalar volume that knows its result, in red and blue over the image."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import numpy_to_vtk

from SegClassifyPanel.geometry import matrix_of
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.result_nodes import CHANNEL, RESULT, put_below
from SegClassifyPanel.volumes import ExportedVolume

make_importable()

from SegClassifyLib.worker.protocol import EvidenceResult, ShapeError  # noqa: E402

EVIDENCE = "SegClassify.Evidence"
"""Attribute of the volume: the explanation as JSON."""
OF_RESULT = "SegClassify.EvidenceOf"
"""Role of its reference to the segmentation node of the result."""
EXPLAINED = "SegClassify.Explained"
"""Attribute of the volume: the result that is explained, as it stood on the segmentation node."""
AGAINST, NOTHING, FAVOUR = (0.02, 0.19, 0.58), (0.5, 0.5, 0.5), (0.70, 0.04, 0.10)
"""Blue, grey and red: told apart with every kind of colour vision."""
_COLOURS = 256


def put_evidence(
    result: EvidenceResult, where: ExportedVolume, segmentation: slicer.vtkMRMLSegmentationNode
) -> slicer.vtkMRMLScalarVolumeNode:
    """A volume node of a map.

    Args:
        result: what the worker answered.
        where: the image it was made of, as it was handed over: the map has its grid.
        segmentation: of the result that is explained.

    Raises:
        ValueError: the file does not hold the map that was told.
    """
    array = np.load(Path(result.map_file), allow_pickle=False)
    image = vtk.vtkImageData()
    image.SetDimensions(*(int(n) for n in reversed(array.shape)))
    # A copy: the file goes with the job's folder.
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array, np.float32).ravel(), deep=True))
    scene, volume = slicer.mrmlScene, segmentation.GetNodeReference(CHANNEL)
    name = _("{volume} evidence for {name}").format(volume=volume.GetName(), name=result.class_name)
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(name))
    node.SetIJKToRASMatrix(matrix_of(where.ijk_to_parent))
    node.SetAndObserveTransformNodeID(where.transform_id or None)
    node.SetAttribute(EVIDENCE, json.dumps(replace(result, map_file="").to_json()))
    node.SetAttribute(EXPLAINED, segmentation.GetAttribute(RESULT))
    node.SetNodeReferenceID(OF_RESULT, segmentation.GetID())
    display = slicer.vtkMRMLScalarVolumeDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(-result.full_colour, result.full_colour)
    scene.AddNode(display)
    display.SetAndObserveColorNodeID(_colours().GetID())
    node.SetAndObserveDisplayNodeID(display.GetID())
    node.SetAndObserveImageData(image)
    put_below(node, volume)
    return node


def evidence_of(node: slicer.vtkMRMLVolumeNode | None) -> EvidenceResult | None:
    """The explanation that a volume node carries; ``None`` if it has none."""
    text = node.GetAttribute(EVIDENCE) if node is not None else None
    if not text:
        return None
    try:
        return EvidenceResult.from_json(json.loads(text))
    except (ValueError, ShapeError):  # of another version, or not ours
        return None


def find_evidence(segmentation: slicer.vtkMRMLSegmentationNode) -> list[str]:
    """IDs of the maps of a result."""
    return [node.GetID() for node in _maps() if node.GetNodeReferenceID(OF_RESULT) == segmentation.GetID()]


def remove_stale() -> None:
    """Take maps away whose result is gone, or is another one after a new run or Undo."""
    for node in _maps():
        segmentation = node.GetNodeReference(OF_RESULT)
        if segmentation is None or segmentation.GetAttribute(RESULT) != node.GetAttribute(EXPLAINED):
            remove_evidence(node.GetID())


def _maps() -> list[slicer.vtkMRMLScalarVolumeNode]:
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in nodes if evidence_of(node) is not None]


def remove_evidence(node_id: str) -> None:
    """Take a map away, with its display, and with the last one the colours."""
    node = slicer.mrmlScene.GetNodeByID(node_id)
    if node is None:
        return
    others = [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]
    for other in (node.GetStorageNode(), *others, node):
        if other is not None and other.GetScene() is not None:
            slicer.mrmlScene.RemoveNode(other)
    colours = _found_colours()
    if colours is not None and not _maps():
        slicer.mrmlScene.RemoveNode(colours)


def _colours() -> slicer.vtkMRMLColorTableNode:
    """Blue over grey to red; one for all maps of a scene."""
    node = _found_colours()
    if node is not None:
        return node
    node = slicer.vtkMRMLColorTableNode()
    node.SetTypeToUser()
    node.SetName(_("SegClassify evidence"))
    node.SetAttribute(EVIDENCE, "colours")
    node.SetNumberOfColors(_COLOURS)
    middle = (_COLOURS - 1) / 2
    for number in range(_COLOURS):
        away = (number - middle) / middle
        end = FAVOUR if away > 0 else AGAINST
        red, green, blue = (n + (e - n) * abs(away) for n, e in zip(NOTHING, end, strict=True))
        node.SetColor(number, f"{away:+.2f}", red, green, blue, 1.0)
    slicer.mrmlScene.AddNode(node)
    return node


def _found_colours() -> slicer.vtkMRMLColorTableNode | None:
    nodes = slicer.util.getNodesByClass("vtkMRMLColorTableNode")
    return next((node for node in nodes if node.GetAttribute(EVIDENCE) == "colours"), None)
