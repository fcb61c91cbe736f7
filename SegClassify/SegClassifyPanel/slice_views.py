"""Puts a classified volume into the slice views, under its segmentation."""

from __future__ import annotations

import slicer


def show_in_slices(volume: slicer.vtkMRMLVolumeNode) -> None:
    """Make a volume the background of the slice views, unless one of them shows it already.

    The plane of a single slice is turned towards the viewer. Without a window nothing happens.
    """
    if slicer.app.layoutManager() is None or _is_shown(volume):
        return
    flat = 1 in volume.GetImageData().GetDimensions()
    slicer.util.setSliceViewerLayers(background=volume, fit=True, rotateToVolumePlane=flat)


def _is_shown(volume: slicer.vtkMRMLVolumeNode) -> bool:
    layers = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    wanted = volume.GetID()
    return any(wanted in (layer.GetBackgroundVolumeID(), layer.GetForegroundVolumeID()) for layer in layers)
