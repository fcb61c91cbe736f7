"""The fields of the form that adds a case, filled in from its images as far as they tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.case_groups import grouped
from SegClassifyPanel.case_words import USES, use_texts
from SegClassifyPanel.edit_case import EDITED
from SegClassifyPanel.patient import patient_of
from SegClassifyPanel.result_nodes import result_of

CORRECTED = "SegClassify.Corrected"
"""Attribute of a segmentation node that began as a copy of a prediction."""


class AddForm:
    """What the user typed stays until another first image is chosen.

    Args:
        ui: the widgets of AddSection.ui.
        changed: called after a field has changed.
    """

    def __init__(self, ui: SimpleNamespace, changed: Callable[[], None]) -> None:
        self._ui, self._changed = ui, changed
        self._volume = self._filled_name = self._filled_group = ""
        self.predicted_class = ""
        ui.addRoleSelector.addItems(list(use_texts()))
        ui.addClassSelector.lineEdit().placeholderText = _("not known yet")
        selector = ui.addSegmentationSelector
        selector.setMRMLScene(slicer.mrmlScene)
        selector.setCurrentNode(None)
        selector.connect("currentNodeChanged(vtkMRMLNode*)", self._on_segmentation)
        ui.addNameEdit.connect("textChanged(QString)", self._on_text)
        ui.addRoleSelector.connect("activated(int)", self._on_text)
        self._on_segmentation()

    @property
    def name(self) -> str:
        """Of the case."""
        return str(self._ui.addNameEdit.text).strip()

    @property
    def group(self) -> str:
        """The patient."""
        return str(self._ui.addGroupEdit.text).strip()

    @property
    def class_name(self) -> str:
        """As it was typed; empty for none."""
        return str(self._ui.addClassSelector.currentText).strip()

    @property
    def segmentation(self) -> Any:
        """The chosen node, or ``None``."""
        return self._ui.addSegmentationSelector.currentNode()

    @property
    def predicted(self) -> bool:
        """Whether the segmentation is one that nobody has checked yet."""
        return self._may_be_prediction() and not self._ui.checkedBox.checked

    @property
    def use(self) -> tuple[str, str]:
        """Role and split."""
        return USES[max(0, self._ui.addRoleSelector.currentIndex)]

    def set_classes(self, classes: Sequence[str]) -> None:
        """Offer these; what is typed stays."""
        selector = self._ui.addClassSelector
        if [selector.itemText(n) for n in range(selector.count)] == ["", *classes]:
            return
        typed = selector.currentText
        selector.clear()
        selector.addItems(["", *classes])
        selector.setEditText(typed)

    def set_volumes(self, nodes: Sequence[Any], channels: Sequence[str]) -> None:
        """Fill in what these images tell; nothing if the first one is the same as before."""
        first = nodes[0] if nodes else None
        node_id = first.GetID() if first is not None else ""
        chosen = [node.GetName() for node in nodes if node is not None]
        if first is not None:
            self._fill_names(first, chosen, channels)
        if node_id == self._volume:
            return
        self._volume = node_id
        if first is None:
            return
        self.choose_segmentation(_drawn_on(first))
        self.show_predicted("")

    def set_names(self, name: str, group: str) -> None:
        """Name and patient, from whoever knows."""
        if name:
            self._ui.addNameEdit.text = name
        if group:
            self._ui.addGroupEdit.text = group

    def choose_segmentation(self, node: Any, corrected: bool = False) -> None:
        """Choose this one, or none; ``corrected``: it is a copy of a prediction that a person works on."""
        if node is not None and corrected:
            node.SetAttribute(CORRECTED, "1")
        self._ui.addSegmentationSelector.setCurrentNode(node)
        self._on_segmentation()

    def show_predicted(self, name: str) -> None:
        """What a model took the case for: a hint, no answer."""
        self.predicted_class = name
        self._ui.addClassSelector.lineEdit().placeholderText = (
            _("predicted: {name}").format(name=name) if name else _("not known yet")
        )

    def set_enabled(self, enabled: bool) -> None:
        """Let the user fill in, or not (while the case is being saved)."""
        ui = self._ui
        for field in (
            ui.addSegmentationSelector,
            ui.checkedBox,
            ui.addClassSelector,
            ui.addNameEdit,
            ui.addGroupEdit,
            ui.addRoleSelector,
        ):
            field.enabled = enabled

    def clear(self) -> None:
        """Ready for the next case."""
        ui = self._ui
        self._volume = self._filled_name = self._filled_group = ""
        ui.addNameEdit.text = ui.addGroupEdit.text = ""
        ui.addClassSelector.setEditText("")
        self.show_predicted("")
        self.choose_segmentation(None)

    def _fill_names(self, first: Any, chosen: Sequence[str], channels: Sequence[str]) -> None:
        ui = self._ui
        together = grouped(chosen, channels) if len(chosen) == len(channels) > 1 else {}
        name = next(iter(together), first.GetName())
        if ui.addNameEdit.text in ("", self._filled_name):
            ui.addNameEdit.text = self._filled_name = name
        group = patient_of(first, name)
        if ui.addGroupEdit.text in ("", self._filled_group):
            ui.addGroupEdit.text = self._filled_group = group

    def _may_be_prediction(self) -> bool:
        node = self.segmentation
        return node is not None and (result_of(node) is not None or bool(node.GetAttribute(CORRECTED)))

    def _on_segmentation(self, *_node: Any) -> None:
        ui, node = self._ui, self.segmentation
        ui.checkedBox.visible = self._may_be_prediction()
        ui.checkedBox.checked = node is not None and result_of(node) is None
        prediction = node is not None and result_of(node) is not None
        ui.drawButton.text = _("Draw") if node is None else _("Correct") if prediction else _("Edit")
        ui.drawButton.accessibleName = _("Draw or correct the segmentation")
        self._changed()

    def _on_text(self, *_text: Any) -> None:
        self._changed()


def _drawn_on(volume: Any) -> Any:
    """The segmentation of the scene that was drawn on a volume, the latest; ``None`` for none."""
    found = None
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        reference = node.GetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole())
        if reference == volume.GetID() and not node.GetAttribute(EDITED) and not node.GetHideFromEditors():
            found = node
    return found
