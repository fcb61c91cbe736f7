"""An evidence map as the foreground of the slice views, and what was there before."""

from __future__ import annotations

import slicer


class EvidenceLayers:
    """Shows one map at a time; holds node IDs."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[str, float]] = {}
        self._shown = ""

    @property
    def shown(self) -> str:
        """ID of the map in the slice views; empty for none, or when it is gone."""
        return self._shown if slicer.mrmlScene.GetNodeByID(self._shown or "none") is not None else ""

    def show(self, node_id: str, opacity: float) -> None:
        """Put a map over the image in every slice view."""
        for layers in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if layers.GetForegroundVolumeID() not in (node_id, self._shown or node_id):
                self._before[layers.GetID()] = (
                    layers.GetForegroundVolumeID() or "",
                    layers.GetForegroundOpacity(),
                )
            elif layers.GetID() not in self._before:
                self._before[layers.GetID()] = ("", layers.GetForegroundOpacity())
            layers.SetForegroundVolumeID(node_id)
            layers.SetForegroundOpacity(opacity)
        self._shown = node_id

    def set_opacity(self, opacity: float) -> None:
        """Of the map, where it is shown."""
        for layers in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if self._shown and layers.GetForegroundVolumeID() == self._shown:
                layers.SetForegroundOpacity(opacity)

    def hide(self) -> None:
        """Give every view back what it had; one in which somebody chose something else is left alone."""
        for layers in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if self._shown and layers.GetForegroundVolumeID() in (self._shown, None):
                volume, opacity = self._before.get(layers.GetID(), ("", 0.0))
                known = volume and slicer.mrmlScene.GetNodeByID(volume) is not None
                layers.SetForegroundVolumeID(volume if known else None)
                layers.SetForegroundOpacity(opacity)
        self._before.clear()
        self._shown = ""
