"""Segmentations that a person works on in the module Segment Editor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.case_nodes import dress
from SegClassifyPanel.slice_views import show_in_slices
from SegClassifyPanel.terminology import terminology_of

if TYPE_CHECKING:
    from SegClassifyLib.worker.model_messages import LabelInfo


def editable_copy(
    node: slicer.vtkMRMLSegmentationNode | None,
    volume: slicer.vtkMRMLVolumeNode,
    labels: Sequence[LabelInfo],
    name: str,
) -> slicer.vtkMRMLSegmentationNode:
    """A segmentation to draw in: what there is stays as it is.

    Args:
        node: is copied and hidden; ``None`` begins with nothing drawn.
        volume: what it is drawn on.
        labels: a segment for each that is not there yet.
        name: of the new node.
    """
    scene = slicer.mrmlScene
    copy = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(name))
    if node is not None:
        copy.GetSegmentation().DeepCopy(node.GetSegmentation())
        node.SetDisplayVisibility(False)
    dress(copy, volume)
    if node is not None:
        copy.SetAndObserveTransformNodeID(node.GetTransformNodeID())
    segmentation = copy.GetSegmentation()
    have = {
        segmentation.GetNthSegment(n).GetName().casefold() for n in range(segmentation.GetNumberOfSegments())
    }
    for label in labels:
        if label.name.casefold() not in have:
            segment_id = segmentation.AddEmptySegment("", label.name, label.color)
            segment = segmentation.GetSegment(segment_id)
            segment.SetTag(segment.GetTerminologyEntryTagName(), terminology_of(label.name))
    return copy


def open_editor(node: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> str:
    """Go to the module Segment Editor with a segmentation and its source volume.

    Returns:
        What to tell the user if that module is not there; empty otherwise.
    """
    show_in_slices(volume)
    node.SetDisplayVisibility(True)
    if not hasattr(slicer.modules, "segmenteditor"):
        return _("The module Segment Editor is not in this Slicer.")
    slicer.util.selectModule("SegmentEditor")
    editor = slicer.util.getModuleWidget("SegmentEditor").editor
    editor.setSegmentationNode(node)
    editor.setSourceVolumeNode(volume)
    return ""
