"""The cases of training sets in the scene: loaded once, and known again also in a scene that was saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from SegClassifyPanel.chunks import Steps
from SegClassifyPanel.geometry import array_of
from SegClassifyPanel.result_nodes import put_below
from SegClassifyPanel.segmentation_node import segmentation_name, segmentation_of_array
from SegClassifyPanel.volumes import VolumeError, voxel_array

if TYPE_CHECKING:
    from SegClassifyLib.worker.model_messages import LabelInfo
    from SegClassifyLib.worker.set_messages import CaseRow, SetInfo

CASE = "SegClassify.Case"
"""Attribute of volume and segmentation nodes: name of the case that they are of."""
FOLDER = "SegClassify.TrainingSet"
"""Attribute beside it: folder of its training set."""
CHANNEL = "SegClassify.CaseChannel"
"""Attribute of volume nodes: which channel, counted from 0."""
STAMP = "SegClassify.CaseFile"
"""Attribute of segmentation nodes: file and time of what they show."""


def case_of(node: slicer.vtkMRMLNode | None, folder: str) -> str:
    """Name of the case of a set that a node is of; empty for none."""
    if node is None or node.GetAttribute(FOLDER) != folder:
        return ""
    return node.GetAttribute(CASE) or ""


def mark_nodes(
    folder: str, case: str, volumes: Sequence[str], segmentation: str = "", stamp: str = ""
) -> None:
    """Remember that nodes are those of a case."""
    for number, node_id in enumerate(volumes):
        node = slicer.mrmlScene.GetNodeByID(node_id)
        if node is not None:
            _mark(node, folder, case)
            node.SetAttribute(CHANNEL, str(number))
    node = slicer.mrmlScene.GetNodeByID(segmentation) if segmentation else None
    if node is not None:
        _mark(node, folder, case)
        node.SetAttribute(STAMP, stamp)


def forget_node(node: slicer.vtkMRMLNode) -> None:
    """A node is no longer that of a case."""
    for name in (CASE, FOLDER, CHANNEL, STAMP):
        node.RemoveAttribute(name)


def case_volumes(folder: str, row: CaseRow) -> list[slicer.vtkMRMLVolumeNode]:
    """The volumes of a case that are in the scene, in the order of its channels; empty unless all of them are."""
    found: dict[str, slicer.vtkMRMLVolumeNode] = {}
    for node in _nodes("vtkMRMLVolumeNode", folder, row.name):
        if node.GetImageData() is not None:
            found[node.GetAttribute(CHANNEL) or "0"] = node
    numbers = [str(number) for number in range(len(row.images))]
    return [found[number] for number in numbers] if all(n in found for n in numbers) else []


def case_segmentation(folder: str, case: str) -> slicer.vtkMRMLSegmentationNode | None:
    """The segmentation of a case that is in the scene."""
    return next(_nodes("vtkMRMLSegmentationNode", folder, case), None)


def load_case(info: SetInfo, row: CaseRow) -> Steps[tuple[list[str], str]]:
    """Bring a case into the scene, unless it is there; an older segmentation of it is replaced.

    Args:
        info: the set.
        row: of the case.

    Returns:
        Node IDs of the volumes, and of the segmentation (empty for none).

    Raises:
        VolumeError: a file cannot be loaded.
    """
    yield 0.0
    volumes = case_volumes(info.folder, row)
    if not volumes:
        for number, path in enumerate(row.images):
            name = row.name if len(row.images) == 1 else f"{row.name} {info.channels[number]}"
            volumes.append(load_volume(path, name))
            yield (number + 1) / (len(row.images) + 1)
        mark_nodes(info.folder, row.name, [volume.GetID() for volume in volumes])
    segmentation = yield from _load_segmentation(info, row, volumes[0])
    return [volume.GetID() for volume in volumes], segmentation.GetID() if segmentation is not None else ""


def load_volume(path: str, name: str) -> slicer.vtkMRMLVolumeNode:
    """An image file, or a folder with a DICOM series, as a volume node.

    Raises:
        VolumeError: it cannot be loaded.
    """
    file = Path(path)
    if file.is_dir():  # Slicer's reader takes the series from any of its files
        inside = sorted(p for p in file.iterdir() if p.is_file() and not p.name.startswith("."))
        if not inside:
            raise VolumeError(_("{folder} is empty: no image can be loaded from it.").format(folder=path))
        file = inside[0]
    try:
        return slicer.util.loadVolume(str(file), {"name": name, "show": False})
    except RuntimeError as error:
        raise VolumeError(_("{file} cannot be loaded: {reason}").format(file=path, reason=error)) from error


def _load_segmentation(
    info: SetInfo, row: CaseRow, volume: slicer.vtkMRMLVolumeNode
) -> Steps[slicer.vtkMRMLSegmentationNode | None]:
    node = case_segmentation(info.folder, row.name)
    stamp = file_stamp(row.segmentation_file)
    if node is not None and node.GetAttribute(STAMP) != stamp:
        # Not removed: whatever it held may be somebody's work.
        forget_node(node)
        node.SetDisplayVisibility(False)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(_("{node} (older)").format(node=node.GetName())))
        node = None
    if node is not None or not row.segmentation_file:
        return node
    if row.segmentation_file.lower().endswith(".seg.nrrd"):
        node = _loaded(slicer.util.loadSegmentation, row.segmentation_file)
        node.SetName(segmentation_name(volume))
    else:
        segmentation = yield from _from_label_map(row.segmentation_file, info.labels)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", segmentation_name(volume))
        node.SetAndObserveSegmentation(segmentation)
    dress(node, volume)
    mark_nodes(info.folder, row.name, (), node.GetID(), stamp)
    return node


def _from_label_map(path: str, labels: Sequence[LabelInfo]) -> Steps[slicer.vtkSegmentation]:
    def load(file: str) -> slicer.vtkMRMLVolumeNode:
        return slicer.util.loadVolume(file, {"labelmap": True, "show": False})

    volume = _loaded(load, path)
    try:
        matrix = vtk.vtkMatrix4x4()
        volume.GetIJKToRASMatrix(matrix)
        array = voxel_array(volume.GetImageData()).astype(np.uint16)
        return (yield from segmentation_of_array(array, labels, array_of(matrix)))
    finally:
        slicer.mrmlScene.RemoveNode(volume)


def dress(node: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> None:
    """Let a segmentation lie on its volume, be seen in slices, and be its child in the subject hierarchy."""
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetVisibility3D(False)
    put_below(node, volume)


def file_stamp(path: str) -> str:
    """Tells one state of a file from another; empty for no file."""
    try:
        status = Path(path).stat() if path else None
    except OSError:
        status = None
    return f"{path} {status.st_mtime_ns} {status.st_size}" if status is not None else ""


def _loaded(load: Callable[[str], slicer.vtkMRMLNode], path: str) -> slicer.vtkMRMLNode:
    try:
        return load(path)
    except RuntimeError as error:
        raise VolumeError(_("{file} cannot be loaded: {reason}").format(file=path, reason=error)) from error


def _mark(node: slicer.vtkMRMLNode, folder: str, case: str) -> None:
    node.SetAttribute(FOLDER, folder)
    node.SetAttribute(CASE, case)


def _nodes(kind: str, folder: str, case: str) -> Iterator[slicer.vtkMRMLNode]:
    return (node for node in slicer.util.getNodesByClass(kind) if case_of(node, folder) == case)
