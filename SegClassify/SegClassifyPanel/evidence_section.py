"""Where a result comes from: a map over the image, in words, for a class of the user's choice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.evidence_layers import EvidenceLayers
from SegClassifyPanel.evidence_nodes import evidence_of, find_evidence, remove_stale
from SegClassifyPanel.result_nodes import RESULT, result_of
from SegClassifyPanel.section import Section
from SegClassifyPanel.volumes import VolumeError
from SegClassifyPanel.worker_job import JobListener

if TYPE_CHECKING:
    from SegClassifyLib.worker.protocol import EvidenceResult
    from SegClassifyPanel.panel_logic import PanelJob, PanelLogic


class EvidenceSection(Section):
    """The toggle, the class, the opacity, and what is said about the map.

    A map stays in the scene while its result does, and is hidden when the toggle is off. With another result, or a new
    run for the same, it is not valid any more.

    Args:
        resources: the module's folder Resources.
        layout: where the section goes.
        logic: explains.
    """

    def __init__(self, resources: Path, layout: qt.QVBoxLayout, logic: PanelLogic) -> None:
        super().__init__(resources, layout, "EvidenceSection.ui")
        self._logic = logic
        self._result = ("", "")
        self._job: PanelJob | None = None
        self._layers = EvidenceLayers()
        self.ui.evidenceCheckBox.connect("toggled(bool)", self._on_toggled)
        self.ui.classSelector.connect("activated(int)", self._on_class)
        self.ui.evidenceOpacity.connect("valueChanged(double)", self._on_opacity)
        self.widget.visible = False
        self._show_nothing("")

    def show_result(self, node: Any) -> None:
        """Another result is shown: that of a segmentation node, or none."""
        remove_stale()
        result = result_of(node) if node is not None else None
        shown = (node.GetID(), node.GetAttribute(RESULT)) if result is not None else ("", "")
        same, self._result = shown == self._result, shown
        if not same:
            self._stop()
            self._layers.hide()
        self.widget.visible = result is not None and result.predicted is not None
        if result is None or same:
            return
        selector = self.ui.classSelector
        selector.clear()
        order = sorted(zip(result.probabilities, result.classes, strict=True), key=lambda pair: -pair[0])
        for _probability, name in order:
            selector.addItem(name)
        self._set_checked(False)
        self._show_nothing("")

    def refresh(self) -> None:
        """Nodes came or went: a map whose result is gone goes too, one that the user deleted is not shown any more."""
        remove_stale()
        if self.ui.evidenceCheckBox.checked and self._job is None and not self._layers.shown:
            self._layers.hide()
            self._set_checked(False)
            self._show_nothing("")

    def set_enabled(self, enabled: bool) -> None:
        """Let the user ask, or not (while something else runs)."""
        self.ui.evidenceCheckBox.enabled = enabled or self._job is not None
        self.ui.classSelector.enabled = enabled

    def _on_toggled(self, wanted: bool) -> None:
        if wanted:
            self._show()
            return
        self._stop()
        self._layers.hide()
        self._show_nothing("")

    def _on_class(self, _index: int) -> None:
        if self.ui.evidenceCheckBox.checked:
            self._stop()
            self._show()

    def _show(self) -> None:
        """The map of the chosen class: one that is there, or a new one."""
        node, name = (
            slicer.mrmlScene.GetNodeByID(self._result[0] or "none"),
            self.ui.classSelector.currentText,
        )
        if node is None:
            self._set_checked(False)
            return
        for node_id in find_evidence(node):
            found = evidence_of(slicer.mrmlScene.GetNodeByID(node_id))
            if found is not None and found.class_name == name:
                self._show_map(node_id, found)
                return
        self._layers.hide()
        self._show_nothing(_("Finding out…"))
        self.ui.evidenceProgress.visible = True
        self.ui.evidenceProgress.maximum = 0

        def cancelled() -> None:
            if self._job is job:  # it may be over only after another class was asked for
                self._job = None

        listener = JobListener(self._on_done, self._on_failed, cancelled, self._on_phase)
        try:
            self._job = job = self._logic.evidence.start(node, name, listener)
        except VolumeError as error:
            self._on_failed(str(error))

    def _on_phase(self, text: str, fraction: float | None) -> None:
        bar = self.ui.evidenceProgress
        bar.maximum = 0 if fraction is None else 1000
        if fraction is not None:
            bar.value = round(1000 * min(max(fraction, 0.0), 1.0))
        self.ui.evidenceLabel.text = text

    def _on_done(self, node_id: str) -> None:
        self._job = None
        found = evidence_of(slicer.mrmlScene.GetNodeByID(node_id))
        if found is not None:
            self._show_map(node_id, found)

    def _on_failed(self, sentence: str) -> None:
        self._job = None
        self._set_checked(False)
        self._show_nothing(sentence)

    def _show_map(self, node_id: str, found: EvidenceResult) -> None:
        self._show_nothing("\n".join((*found.sentences, *found.notes)))
        self.ui.legendLabel.text = legend(found)
        self.ui.legendLabel.visible = True
        self.ui.opacityRow.visible = True
        self._layers.show(node_id, self.ui.evidenceOpacity.value)

    def _show_nothing(self, text: str) -> None:
        """No map; a sentence, or none."""
        self.ui.evidenceLabel.text = text
        self.ui.evidenceLabel.visible = bool(text)
        for widget in (self.ui.legendLabel, self.ui.opacityRow, self.ui.evidenceProgress):
            widget.visible = False

    def _stop(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _on_opacity(self, value: float) -> None:
        self._layers.set_opacity(value)

    def _set_checked(self, checked: bool) -> None:
        self.ui.evidenceCheckBox.blockSignals(True)
        self.ui.evidenceCheckBox.checked = checked
        self.ui.evidenceCheckBox.blockSignals(False)


def legend(found: EvidenceResult) -> str:
    """What the colours mean."""
    unit = {"cm2": "cm²"}.get(found.unit, found.unit)
    return _(
        "Red speaks for {name}, blue against it, grey says nothing. Full colour: {size} logits per {unit}."
    ).format(name=found.class_name, size=f"{found.full_colour:.2g}", unit=unit)
