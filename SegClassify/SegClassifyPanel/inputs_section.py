"""One volume selector a channel of the chosen model, pre-filled from the volumes' names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.channel_names import match_channels
from SegClassifyPanel.needs import ChosenVolume

if TYPE_CHECKING:
    from SegClassifyLib.worker.protocol import ModelInfo

VOLUME_TYPES = ["vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode"]


class InputsSection:
    """Shows as many selectors as the model has channels; what the user chose by hand is never changed.

    Args:
        ui: the widgets of ClassifyTab.ui, or of another form with ``inputsHint`` and ``inputRows``.
        changed: called after a choice has changed, by the user or by pre-filling.
        volumes: gives the volumes that selectors may be pre-filled with, the likeliest first.
    """

    def __init__(
        self,
        ui: SimpleNamespace,
        changed: Callable[[], None],
        volumes: Callable[[], list[Any]] | None = None,
    ) -> None:
        self._ui = ui
        self._changed = changed
        self._volumes = volumes or scene_volumes
        self._channels: tuple[str, ...] = ()
        self._rows: list[tuple[qt.QLabel, slicer.qMRMLNodeComboBox]] = []
        self._quiet = False
        self._last: dict[str, str] = {}
        self._left: list[tuple[slicer.qMRMLNodeComboBox, str]] = []
        self._soon = qt.QTimer()
        self._soon.setSingleShot(True)
        self._soon.interval = 0
        self._soon.connect("timeout()", self._empty_where_removed)

    @property
    def selectors(self) -> list[slicer.qMRMLNodeComboBox]:
        """Those in use, in the model's order of channels."""
        return [selector for _label, selector in self._rows[: len(self._channels)]]

    def set_model(self, model: ModelInfo | None, nodes: Sequence[Any] = ()) -> None:
        """Show the selectors of another model, pre-filled.

        Args:
            model: ``None`` shows no selectors.
            nodes: volumes chosen before, one a channel; what is left open is pre-filled.
        """
        channels = model.channels if model is not None and not model.problem else ()
        self.set_channels([channel.name for channel in channels], nodes)

    def set_channels(self, names: Sequence[str], nodes: Sequence[Any] = ()) -> None:
        """As :meth:`set_model`, by the names of the channels; none shows no selectors."""
        channels = tuple(names)
        self._ui.inputsHint.visible = not channels
        before = dict(zip(self._channels, self.nodes(), strict=True))
        if channels != self._channels:
            self._channels = channels
            while len(self._rows) < len(channels):
                self._add_row()
            self._quiet = True
            for index, (label, selector) in enumerate(self._rows):
                used = index < len(channels)
                label.visible = selector.visible = used
                if used:
                    name = channels[index]
                    label.text = _("{channel}:").format(channel=name)
                    selector.accessibleName = _("Volume for {channel}").format(channel=name)
                    selector.toolTip = _("The volume that is the {channel} of this case.").format(
                        channel=name
                    )
                selector.setCurrentNode(before.get(channels[index]) if used else None)
            self._quiet = False
        if any(node is not None for node in nodes):
            self._choose(nodes)
        self.prefill()

    def nodes(self) -> list[Any]:
        """The chosen volume nodes, one a channel, ``None`` where none is chosen."""
        return [selector.currentNode() for selector in self.selectors]

    def set_nodes(self, nodes: Sequence[Any]) -> None:
        """Choose these, one a channel; ``None`` leaves a selector empty."""
        self._choose(nodes)
        self._changed()

    def _choose(self, nodes: Sequence[Any]) -> None:
        self._quiet = True
        for selector, node in zip(self.selectors, nodes, strict=False):
            selector.setCurrentNode(node)
        self._quiet = False

    def chosen(self) -> list[ChosenVolume | None]:
        """What the needs want to know of the chosen volumes."""
        return [_look_at(node) if node else None for node in self.nodes()]

    def prefill(self) -> None:
        """Fill selectors that are empty with volumes whose names fit and that no other selector has."""
        nodes = self.nodes()
        empty = [i for i, node in enumerate(nodes) if node is None]
        taken = {node.GetID() for node in nodes if node}
        volumes = [v for v in self._volumes() if v.GetID() not in taken]
        found = match_channels([self._channels[i] for i in empty], [v.GetName() for v in volumes])
        self._quiet = True
        for channel, volume in zip(empty, found, strict=True):
            if volume is not None:
                self._rows[channel][1].setCurrentNode(volumes[volume])
        self._quiet = False
        self._changed()

    def close(self) -> None:
        """Stop the clock."""
        self._soon.stop()

    def set_enabled(self, enabled: bool) -> None:
        """Let the user choose, or not (while something runs)."""
        for selector in self.selectors:
            selector.enabled = enabled

    def _add_row(self) -> None:
        label = qt.QLabel()
        selector = slicer.qMRMLNodeComboBox()
        selector.objectName = f"inputSelector{len(self._rows) + 1}"
        selector.nodeTypes = VOLUME_TYPES
        selector.showChildNodeTypes = False  # label maps are no images
        selector.addEnabled = selector.removeEnabled = selector.renameEnabled = False
        selector.noneEnabled = True
        selector.noneDisplay = _("Choose a volume")
        selector.setSizePolicy(
            qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed
        )  # names may be longer than any panel
        selector.setMRMLScene(slicer.mrmlScene)
        selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: self._on_chosen(selector, node))
        self._ui.inputRows.layout().addRow(label, selector)
        self._rows.append((label, selector))

    def _on_chosen(self, selector: slicer.qMRMLNodeComboBox, node: Any) -> None:
        before = self._last.get(selector.objectName, "")
        self._last[selector.objectName] = node.GetID() or "" if node else ""
        if before and node:
            self._left.append((selector, before))
            self._soon.start()
        if not self._quiet:
            self._changed()

    def _empty_where_removed(self) -> None:
        """When the chosen node is removed, the selector goes on to its neighbour, which nobody chose: choose none."""
        left, self._left = self._left, []
        gone = [selector for selector, node_id in left if slicer.mrmlScene.GetNodeByID(node_id) is None]
        for selector in gone:
            selector.setCurrentNode(None)
        if gone:
            self.prefill()


def scene_volumes() -> list[Any]:
    """Volumes of the scene that can be an input: the one in the slice views first, then the last loaded first."""
    nodes = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if node.GetClassName() in VOLUME_TYPES and not node.GetHideFromEditors()
    ]
    nodes.reverse()
    active = slicer.app.applicationLogic().GetSelectionNode().GetActiveVolumeID()
    return sorted(nodes, key=lambda node: node.GetID() != active)


def _look_at(node: Any) -> ChosenVolume:
    image = node.GetImageData()
    slices = min(image.GetDimensions()) if image and image.GetNumberOfPoints() else 0
    return ChosenVolume(node.GetID(), node.GetName(), slices)
