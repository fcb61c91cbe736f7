"""Segmentations in and out of files and label maps, copies of them, and where a volume came from: Slicer's own code."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vtk

MASK = np.zeros((6, 7, 8), np.uint8)
MASK[2:4, 2:5, 3:6] = 1


def two_segments() -> tuple[Any, Any]:
    """A volume, and a segmentation on it with "tumour" (shown) and "edema" (hidden)."""
    import slicer

    volume = slicer.util.addVolumeFromArray(
        np.arange(MASK.size, dtype=np.int16).reshape(MASK.shape), name="MR"
    )
    volume.SetSpacing(0.5, 1.0, 2.0)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Seg")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name, mask in (("tumour", MASK), ("edema", np.roll(MASK, 2, axis=2))):
        segment = node.GetSegmentation().AddEmptySegment(name, name.title())
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, volume)
    node.GetDisplayNode().SetSegmentVisibility("edema", False)
    return volume, node


def test_reference_volume_is_remembered() -> None:
    volume, node = two_segments()
    role = node.GetReferenceImageGeometryReferenceRole()
    assert node.GetNodeReference(role) is volume


def test_out_to_a_label_map() -> None:
    import slicer

    volume, node = two_segments()
    logic = slicer.modules.segmentations.logic()
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    assert logic.ExportVisibleSegmentsToLabelmapNode(node, labels, volume)
    assert (slicer.util.arrayFromVolume(labels) == MASK).all()
    kind = slicer.vtkSlicerSegmentationsModuleLogic
    assert kind.ExportSegmentsToLabelmapNode(node, ["edema"], labels, volume)
    assert (slicer.util.arrayFromVolume(labels) == np.roll(MASK, 2, axis=2)).all()
    extent = slicer.vtkSegmentation.EXTENT_REFERENCE_GEOMETRY
    assert kind.ExportAllSegmentsToLabelmapNode(node, labels, extent)
    assert slicer.util.arrayFromVolume(labels).shape == MASK.shape
    assert slicer.util.arrayFromVolume(labels).max() == 2


def test_in_from_a_label_map() -> None:
    import slicer

    labels = slicer.util.addVolumeFromArray(MASK * np.int16(3), nodeClassName="vtkMRMLLabelMapVolumeNode")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(labels, node)
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 1
    assert segmentation.GetNthSegment(0).GetLabelValue() == 3


def test_copies_are_apart() -> None:
    import slicer

    volume, node = two_segments()
    copy = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Copy")
    copy.CreateDefaultDisplayNodes()
    copy.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    assert copy.GetSegmentation().CopySegmentFromSegmentation(node.GetSegmentation(), "tumour")
    whole = slicer.vtkSegmentation()
    whole.DeepCopy(node.GetSegmentation())
    slicer.util.updateSegmentBinaryLabelmapFromArray(MASK * 0, copy, "tumour", volume)
    assert slicer.util.arrayFromSegmentBinaryLabelmap(node, "tumour", volume).sum() == MASK.sum()
    assert list(whole.GetSegmentIDs()) == ["tumour", "edema"]
    assert copy.GetSegmentation().GetNumberOfSegments() == 1


def test_there_and_back_through_a_file(tmp_path: Path) -> None:
    import slicer

    volume, node = two_segments()
    path = str(tmp_path / "case.seg.nrrd")
    assert slicer.util.saveNode(node, path)
    back = slicer.util.loadSegmentation(path, {"name": "Back"})
    assert back.GetName() == "Back"
    assert list(back.GetSegmentation().GetSegmentIDs()) == ["tumour", "edema"]
    assert (slicer.util.arrayFromSegmentBinaryLabelmap(back, "tumour", volume) == MASK).all()
    assert slicer.util.saveNode(volume, str(tmp_path / "mr.nii.gz"))
    loaded = slicer.util.loadVolume(str(tmp_path / "mr.nii.gz"), {"name": "T1", "show": False})
    assert loaded.GetName() == "T1"
    assert loaded.GetSpacing() == pytest.approx((0.5, 1.0, 2.0))
    from_image = slicer.util.loadSegmentation(str(tmp_path / "mr.nii.gz"))
    assert from_image.GetClassName() == "vtkMRMLSegmentationNode"


def test_properties_that_no_reader_looks_at_are_errors(tmp_path: Path) -> None:
    import slicer

    volume, _ = two_segments()
    path = str(tmp_path / "mr.nrrd")
    slicer.util.saveNode(volume, path)
    with pytest.raises(ValueError, match="nodeName"):
        slicer.util.loadVolume(path, {"nodeName": "x"})
    with pytest.raises(ValueError, match="show"):
        slicer.util.loadSegmentation(path, {"show": False})


def test_shown_volumes_fill_the_slice_views(tmp_path: Path) -> None:
    import slicer

    volume, _ = two_segments()
    path = str(tmp_path / "mr.nrrd")
    slicer.util.saveNode(volume, path)
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    quiet = slicer.util.loadVolume(path, {"show": False})
    assert composite.GetBackgroundVolumeID() != quiet.GetID()
    assert composite.GetBackgroundVolumeID() != slicer.util.loadVolume(path, {"show": False}).GetID()
    shown = slicer.util.loadVolume(path)
    assert composite.GetBackgroundVolumeID() == shown.GetID()


def test_patient_of_a_dicom_volume() -> None:
    """What DICOM's importer leaves in the subject hierarchy: the patient's item holds the patient's ID."""
    import slicer

    volume, _ = two_segments()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    names = slicer.vtkMRMLSubjectHierarchyConstants
    item = hierarchy.GetItemByDataNode(volume)
    level = names.GetDICOMLevelPatient()
    assert level == "Patient"
    assert hierarchy.GetItemAncestorAtLevel(item, level) == hierarchy.GetInvalidItemID() == 0
    assert hierarchy.GetItemAttribute(item, "DICOM.PatientID") == ""
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Anna")
    study = hierarchy.CreateStudyItem(patient, "MR")
    hierarchy.SetItemParent(item, study)
    hierarchy.SetItemAttribute(patient, names.GetDICOMPatientIDAttributeName(), "P 17")
    assert hierarchy.GetItemAncestorAtLevel(item, level) == patient
    assert hierarchy.GetItemAttribute(patient, "DICOM.PatientID") == "P 17"
    assert hierarchy.GetAttributeFromItemAncestor(item, "DICOM.PatientID", level) == "P 17"
    with pytest.raises(AttributeError):
        names.GetSubjectHierarchyLevelPatient()
    assert volume.GetAttribute("DICOM.instanceUIDs") is None


def test_selector_of_segmentations() -> None:
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLSegmentationNode"]
    selector.noneEnabled = True
    selector.addEnabled = selector.removeEnabled = False
    selector.setMRMLScene(slicer.mrmlScene)
    _, node = two_segments()
    assert (selector.nodeCount(), selector.currentNode()) == (1, None)
    selector.setCurrentNode(node)
    assert selector.currentNode() is node
    assert isinstance(vtk.vtkObject(), vtk.vtkObject)
    with pytest.raises(AttributeError, match="does not accept"):
        selector.nodeTypes = "vtkMRMLSegmentationNode"
