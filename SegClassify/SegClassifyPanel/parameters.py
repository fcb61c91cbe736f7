"""What the Classify tab remembers in the scene."""

from typing import Annotated

from slicer import vtkMRMLSegmentationNode, vtkMRMLTableNode, vtkMRMLVolumeNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

# No ``from __future__ import annotations`` here: the wrapper reads the annotations as types.


@parameterNodeWrapper
class SegClassifyParameters:
    """One per scene; the names are stored in the scene file, so they stay.

    model: path of the model package.
    inputs: volume nodes, one per channel of the model, in its order.
    device: "auto", or the name of a device of the worker.
    keepEarlierResults: whether a second run makes new nodes instead of updating those of the first.
    outputSegmentation, outputTable: the nodes of the last result.
    opacity: of the segmentation's fill in slice views.
    show3d: whether the segmentation is shown in 3D views.
    batchFolder: folder of images for the batch; empty for the volumes of the scene.
    """

    model: str
    inputs: list[vtkMRMLVolumeNode]
    device: str = "auto"
    keepEarlierResults: bool = False
    outputSegmentation: vtkMRMLSegmentationNode
    outputTable: vtkMRMLTableNode
    opacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.5
    show3d: bool = False
    batchFolder: str
