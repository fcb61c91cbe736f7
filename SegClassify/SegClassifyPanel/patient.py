"""Whose image a volume is, as far as it can be told."""

from __future__ import annotations

import slicer


def patient_of(volume: slicer.vtkMRMLVolumeNode, otherwise: str) -> str:
    """The DICOM patient ID of a volume that was loaded from DICOM.

    Args:
        volume: in the scene.
        otherwise: what to say where it has none.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(volume) if hierarchy is not None else 0
    if not item:
        return otherwise
    names = slicer.vtkMRMLSubjectHierarchyConstants
    attribute, level = names.GetDICOMPatientIDAttributeName(), names.GetDICOMLevelPatient()
    return str(hierarchy.GetAttributeFromItemAncestor(item, attribute, level) or "").strip() or otherwise
