"""The section Result: the shown result, its opacity and surfaces, and Undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.evidence_section import EvidenceSection
from SegClassifyPanel.result_nodes import find_results, result_of
from SegClassifyPanel.result_view import ResultView

if TYPE_CHECKING:
    from SegClassifyPanel.classify_job import Outcome
    from SegClassifyPanel.panel_logic import PanelLogic
    from SegClassifyPanel.parameters import SegClassifyParameters


class ResultSection:
    """Connects the view of a result with the scene.

    Args:
        resources: the module's folder Resources.
        layout: where the view goes.
        logic: shows in 3D, and undoes.
        device_label: how a device is called in front of people.
        changed: called after another result, or none, is shown.
    """

    def __init__(
        self,
        resources: Path,
        layout: qt.QVBoxLayout,
        logic: PanelLogic,
        device_label: Callable[[str], str],
        changed: Callable[[], None],
    ) -> None:
        self._logic = logic
        self._changed = changed
        self._parameters: SegClassifyParameters | None = None
        self._enabled = True
        self.add_to_set: Callable[[str], None] | None = None
        self.widget = slicer.util.loadUI(str(resources / "UI" / "ResultView.ui"))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)
        layout.addWidget(self.widget)
        self.view = ResultView(self.ui, result_of, device_label, self._show_node)
        self.evidence = EvidenceSection(resources, self.ui.body.layout(), logic)
        self.ui.opacitySlider.connect("valueChanged(double)", self._on_opacity)
        self.ui.show3dCheckBox.connect("toggled(bool)", self._on_show_3d)
        self.ui.undoButton.connect("clicked()", self._on_undo)
        self.ui.addToSetButton.connect("clicked()", self._on_add)

    def set_parameters(self, parameters: SegClassifyParameters) -> None:
        """Show the scene's last result with the scene's opacity."""
        self._parameters = parameters
        self._set_quietly(parameters.opacity, parameters.show3d)
        self.show_latest()

    def show(self, outcome: Outcome) -> None:
        """Show what has just been found."""
        self._show_node(slicer.mrmlScene.GetNodeByID(outcome.segmentation), outcome)

    def show_node(self, node: Any) -> None:
        """Show the result of a segmentation node; ``None`` shows that there is none."""
        self._show_node(node)

    def show_latest(self) -> None:
        """Show the result that the scene's parameters name, or else its last one, or that there is none."""
        named = self._parameters.outputSegmentation if self._parameters is not None else None
        if named is None or result_of(named) is None:
            found = find_results(slicer.mrmlScene)
            named = slicer.mrmlScene.GetNodeByID(found[-1]) if found else None
        self._show_node(named)

    def refresh(self) -> None:
        """Nodes came or went."""
        shown = self.view.node
        self.view.refresh()
        self.evidence.refresh()
        if shown is None and find_results(slicer.mrmlScene):
            self.show_latest()
        self.set_enabled(self._enabled)

    def set_enabled(self, enabled: bool) -> None:
        """Let the user undo, or not (while something runs)."""
        self._enabled = enabled
        self.ui.addToSetButton.enabled = enabled and self.view.node is not None
        self.evidence.set_enabled(enabled)
        can_undo = self._logic.can_undo
        self.ui.undoButton.enabled = enabled and can_undo
        self.ui.undoButton.toolTip = (
            _("Take the last result away again: the scene is as it was before.")
            if can_undo
            else _("There is nothing to take back.")
        )

    def _on_add(self) -> None:
        if self.view.node is not None and self.add_to_set is not None:
            self.add_to_set(self.view.node.GetID())

    def say(self, message: str) -> None:
        """A sentence below the buttons."""
        self.view.say(message)

    def _show_node(self, node: Any, outcome: Outcome | None = None) -> None:
        self.view.show_node(node, outcome)
        self.evidence.show_result(self.view.node)
        if self.view.node is not None:
            self._apply_opacity()
            if self.ui.show3dCheckBox.checked:
                self._on_show_3d(True)
        self._changed()

    def _on_opacity(self, value: float) -> None:
        if self._parameters is not None and self._parameters.opacity != value:
            self._parameters.opacity = value
        self._apply_opacity()

    def _apply_opacity(self) -> None:
        node = self.view.node
        display = node.GetDisplayNode() if node is not None else None
        if display is not None:
            display.SetOpacity2DFill(self.ui.opacitySlider.value)

    def _on_show_3d(self, shown: bool) -> None:
        if self._parameters is not None and self._parameters.show3d != shown:
            self._parameters.show3d = shown
        node = self.view.node
        if node is None:
            return
        self.say(_("Making surfaces…") if shown else "")
        self._logic.show_3d(node, shown, self._surfaces_shown, self.say)

    def _surfaces_shown(self) -> None:
        self.say("")

    def _on_undo(self) -> None:
        self._logic.undo()
        self.show_latest()

    def _set_quietly(self, opacity: float, show_3d: bool) -> None:
        for widget in (self.ui.opacitySlider, self.ui.show3dCheckBox):
            widget.blockSignals(True)
        self.ui.opacitySlider.value = opacity
        self.ui.show3dCheckBox.checked = show_3d
        for widget in (self.ui.opacitySlider, self.ui.show3dCheckBox):
            widget.blockSignals(False)
