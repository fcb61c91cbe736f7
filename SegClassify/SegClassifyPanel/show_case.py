"""Shows a case of a batch in the slice views."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import slicer
import vtk
from slicer.i18n import tr as _

from SegClassifyPanel.chunks import finished
from SegClassifyPanel.geometry import array_of
from SegClassifyPanel.result_nodes import CHANNEL, put_result, put_segmentation
from SegClassifyPanel.segmentation_node import build_segmentation
from SegClassifyPanel.slice_views import show_in_slices
from SegClassifyPanel.undo import Snapshot
from SegClassifyPanel.volumes import VolumeError

if TYPE_CHECKING:
    from SegClassifyPanel.batch import BatchRow


def show_scene_case(row: BatchRow) -> str:
    """Show a volume of the scene with its result, if it has one, and hide the results of other cases.

    Returns:
        Node ID of the segmentation; empty if there is none.

    Raises:
        VolumeError: the volume is no longer there.
    """
    volume = slicer.mrmlScene.GetNodeByID(row.item.volumes[0])
    if volume is None:
        raise VolumeError(_("{case} is no longer in the scene.").format(case=row.name))
    return _show(volume, slicer.mrmlScene.GetNodeByID(row.segmentation) if row.segmentation else None)


def show_file_case(row: BatchRow, model: str) -> str:
    """Load the images of a case with its result, or show it if it is loaded already.

    Returns:
        Node ID of the segmentation; empty if the case has no result.

    Raises:
        VolumeError: an image cannot be loaded.
    """
    node = slicer.mrmlScene.GetNodeByID(row.segmentation) if row.segmentation else None
    if node is not None:
        return _show(node.GetNodeReference(CHANNEL), node)
    volumes = [_load(Path(path), row.name) for path in row.item.files]
    if row.result is None:
        return _show(volumes[0], None)
    matrix = vtk.vtkMatrix4x4()
    volumes[0].GetIJKToRASMatrix(matrix)
    segmentation = finished(
        build_segmentation(Path(row.result.label_file), row.result.labels, array_of(matrix))
    )
    snapshot = Snapshot()
    node = put_segmentation(segmentation, volumes, "", None, snapshot)
    put_result(node, row.result, model, snapshot)
    return _show(volumes[0], node)


def _load(path: Path, case: str) -> slicer.vtkMRMLVolumeNode:
    if path.is_dir():  # a DICOM series: Slicer's reader takes the series from any of its files
        path = next(p for p in sorted(path.iterdir()) if p.is_file() and not p.name.startswith("."))
    try:
        return slicer.util.loadVolume(str(path), {"name": case, "show": False})
    except RuntimeError as error:
        raise VolumeError(_("{file} cannot be loaded: {reason}").format(file=path, reason=error)) from error


def _show(
    volume: slicer.vtkMRMLVolumeNode | None, segmentation: slicer.vtkMRMLSegmentationNode | None
) -> str:
    from SegClassifyPanel.result_nodes import find_results

    if volume is not None:
        show_in_slices(volume)
    for node_id in find_results():
        node = slicer.mrmlScene.GetNodeByID(node_id)
        node.SetDisplayVisibility(segmentation is not None and node_id == segmentation.GetID())
    return segmentation.GetID() if segmentation is not None else ""
