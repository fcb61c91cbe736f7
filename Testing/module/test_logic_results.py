"""Results in the scene: nodes, updates, undo, and what is left of them after saving and loading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import standin
import vtk
from scene_data import add_transform, add_volume, bright_boxes
from SegClassifyPanel.result_nodes import (
    earlier_result,
    find_results,
    put_result,
    put_segmentation,
    result_of,
)
from SegClassifyPanel.segmentation_node import build_segmentation
from SegClassifyPanel.undo import Snapshot
from test_logic_geometry import LABELS, run

from SegClassifyLib.worker.protocol import ClassifyResult

RESULT = ClassifyResult(
    name="CT chest",
    model="Brightness",
    classes=("small", "large; or: so", 'the "third"'),
    probabilities=(0.2, 0.7, 0.1),
    predicted="large; or: so",
    sentence="large (70%), œdema & <tags>",
    warnings=("Unlike the training cases.",),
    notes=(),
    device="cpu",
    seconds={"network": 1.5},
    labels=LABELS,
    label_file="/somewhere/labels.npy",
    label_volumes={"organ": 12.5},
    features_file="/somewhere/features.json",
)


def put(
    volume: Any,
    folder: Path,
    snapshot: Snapshot | None = None,
    earlier: Any = None,
    above: int = 280,
    result: ClassifyResult = RESULT,
) -> Any:
    """A result of a volume in the scene."""
    voxels = slicer.util.arrayFromVolume(volume)
    np.save(folder / "labels.npy", (voxels > above).astype(np.uint8))
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    ijk_to_ras = slicer.util.arrayFromVTKMatrix(matrix)
    snapshot = snapshot or Snapshot()
    segmentation = run(build_segmentation(folder / "labels.npy", LABELS, ijk_to_ras))
    transform = volume.GetTransformNodeID() or ""
    node = put_segmentation(segmentation, [volume], transform, earlier, snapshot)
    put_result(node, result, "/models/m", snapshot)
    return node


def scene_state() -> dict[str, Any]:
    """What a user sees of a scene: nodes, segments, attributes, tables, layers of the slice views."""
    nodes = [slicer.mrmlScene.GetNthNode(n) for n in range(slicer.mrmlScene.GetNumberOfNodes())]
    state: dict[str, Any] = {}
    for node in nodes:
        entry: list[Any] = [node.GetName(), [(n, node.GetAttribute(n)) for n in node.GetAttributeNames()]]
        if node.IsA("vtkMRMLSegmentationNode"):
            entry += [node.GetSegmentation(), node.GetTransformNodeID(), node.GetDisplayVisibility()]
        if node.IsA("vtkMRMLTableNode"):
            entry += [[node.GetCellText(r, c) for r in range(node.GetNumberOfRows()) for c in (0, 1)]]
        if node.IsA("vtkMRMLSliceCompositeNode"):
            entry += [node.GetBackgroundVolumeID(), node.GetForegroundVolumeID()]
        if node.IsA("vtkMRMLSliceNode"):
            matrix = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
            entry += [np.round(matrix, 6).tolist(), np.round(node.GetFieldOfView(), 6).tolist()]
        state[node.GetID()] = entry
    return state


def test_nodes_of_a_result(tmp_path):
    volume = add_volume(bright_boxes())
    volume.SetAndObserveTransformNodeID(add_transform(np.eye(4)).GetID())
    node = put(volume, tmp_path)
    assert node.GetName() == "CT chest segmentation"
    assert node.GetTransformNodeID() == volume.GetTransformNodeID()
    assert node.GetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole()) == volume.GetID()
    assert node.GetDisplayNode() is not None and node.GetDisplayVisibility()
    table = node.GetNodeReference("SegClassify.Table")
    assert [table.GetCellText(row, 0) for row in range(3)] == ["large; or: so", "small", 'the "third"']
    assert float(table.GetCellText(0, 1)) == pytest.approx(0.7)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    parent = hierarchy.GetItemByDataNode(volume)
    for child in (node, table):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(child)) == parent
    assert result_of(node) == replace(RESULT, label_file="", features_file="")


def test_a_second_run_finds_its_own_result_only(tmp_path):
    first, second = add_volume(bright_boxes(), "first"), add_volume(bright_boxes(), "second")
    node = put(first, tmp_path)
    assert earlier_result(first, "/models/m") is node
    assert earlier_result(second, "/models/m") is None
    assert earlier_result(first, "/models/other") is None


def test_undo_takes_new_nodes_back(tmp_path):
    volume = add_volume(bright_boxes())
    before = scene_state()
    snapshot = Snapshot()
    put(volume, tmp_path, snapshot)
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    assert scene_state() != before
    snapshot.restore()
    assert scene_state() == before


def test_undo_restores_updated_nodes(tmp_path):
    volume = add_volume(bright_boxes())
    node = put(volume, tmp_path)
    node.SetName("my own name")
    node.GetSegmentation().GetNthSegment(0).SetName("corrected by hand")
    before = scene_state()
    snapshot = Snapshot()
    other = replace(RESULT, probabilities=(0.8, 0.1, 0.1), predicted="small")
    assert put(volume, tmp_path, snapshot, earlier=node, above=120, result=other) is node
    assert (
        result_of(node) != RESULT and node.GetNodeReference("SegClassify.Table").GetCellText(0, 0) == "small"
    )
    assert len(find_results()) == 1
    assert scene_state() != before
    snapshot.restore()
    assert scene_state() == before
    assert node.GetSegmentation().GetNthSegment(0).GetName() == "corrected by hand"


def test_undo_after_the_nodes_have_gone_does_nothing(tmp_path):
    snapshot = Snapshot()
    volume = add_volume(bright_boxes())
    node = put(volume, tmp_path, snapshot)
    slicer.mrmlScene.RemoveNode(node)
    slicer.mrmlScene.RemoveNode(volume)
    snapshot.restore()
    assert find_results() == []


def test_results_survive_saving_and_loading(tmp_path):
    array = bright_boxes()
    node = put(add_volume(array), tmp_path)
    table_id, node_id = node.GetNodeReferenceID("SegClassify.Table"), node.GetID()
    scene_file = tmp_path / "saved" / "scene.mrb"
    scene_file.parent.mkdir()
    assert slicer.util.saveScene(str(scene_file))
    standin.reset()
    assert find_results() == []
    slicer.util.loadScene(str(scene_file))
    assert find_results() == [node_id]
    node = slicer.mrmlScene.GetNodeByID(node_id)
    assert result_of(node) == replace(RESULT, label_file="", features_file="")
    volume = node.GetNodeReference("SegClassify.Channel")
    segment = node.GetSegmentation().GetNthSegmentID(0)
    assert node.GetSegmentation().GetSegment(segment).GetName() == "organ"
    found = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume)
    np.testing.assert_array_equal(found, array > 280)
    table = slicer.mrmlScene.GetNodeByID(table_id)
    assert table.GetCellText(0, 0) == "large; or: so"
    assert earlier_result(volume, "/models/m") is node


def test_a_result_of_another_version_is_passed_over(tmp_path):
    node = put(add_volume(bright_boxes()), tmp_path)
    for text in ("{", '{"name": 3}', "[]"):
        node.SetAttribute("SegClassify.Result", text)
        assert result_of(node) is None and find_results() == []
