"""One result: the answer in large letters, a bar a class, reasons for doubt, and how it is shown in the views."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.class_bars import ClassBars, percent
from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.result_nodes import RESULT

if TYPE_CHECKING:
    from SegClassifyLib.worker.protocol import ClassifyResult
    from SegClassifyPanel.classify_job import Outcome


class ResultView:
    """Shows the result of one segmentation node; which one, the user may choose where a scene has several.

    Args:
        ui: the widgets of ResultView.ui.
        read: gives a segmentation node's result, ``None`` for a node without one.
        device_label: how a device is called in front of people.
        chosen: called with the node when the user chooses another result.
    """

    def __init__(
        self,
        ui: SimpleNamespace,
        read: Callable[[Any], ClassifyResult | None],
        device_label: Callable[[str], str],
        chosen: Callable[[Any], None],
    ) -> None:
        self._ui = ui
        self._read = read
        self._device_label = device_label
        self._chosen = chosen
        self._node_id = ""
        self._result: ClassifyResult | None = None
        self._bars = ClassBars(ui.bars, ui.bars.layout(), ui.allClassesButton)
        self._make_large(ui.winnerLabel, 1.8)
        self._make_large(ui.percentLabel, 1.8)
        show_icon(ui.warningsIcon, qt.QStyle.SP_MessageBoxWarning)
        show_icon(ui.novelIcon, qt.QStyle.SP_MessageBoxWarning)
        ui.resultSelector.addAttribute("vtkMRMLSegmentationNode", RESULT)
        ui.resultSelector.connect("nodeActivated(vtkMRMLNode*)", self._on_chosen)
        self.show_node(None)

    @property
    def node(self) -> Any:
        """The segmentation node whose result is shown; ``None`` for none, or when it is gone."""
        return slicer.mrmlScene.GetNodeByID(self._node_id) if self._node_id else None

    @property
    def result(self) -> ClassifyResult | None:
        """What is shown."""
        return self._result

    def show_node(self, node: Any, outcome: Outcome | None = None) -> None:
        """Show a node's result; ``None`` shows that there is none.

        Args:
            node: a segmentation node.
            outcome: of the run that has just ended: knows how long the whole took, and more notes.
        """
        result = self._read(node) if node is not None else None
        self._result = result
        self._node_id = node.GetID() if result is not None else ""
        self._ui.choiceRow.visible = self._ui.resultSelector.nodeCount() > 1
        self._ui.resultSelector.setCurrentNode(node if result is not None else None)
        self._ui.emptyLabel.visible = result is None
        self._ui.body.visible = result is not None
        if result is not None:
            self._show(result, outcome)

    def refresh(self) -> None:
        """Nodes came or went: show none that is gone, and offer a choice where there is one."""
        if self._node_id and self.node is None:
            self.show_node(None)
        self._ui.choiceRow.visible = self._ui.resultSelector.nodeCount() > 1

    def say(self, message: str) -> None:
        """A sentence below the buttons; an empty one takes it away."""
        self._ui.viewMessage.text = message
        self._ui.viewMessage.visible = bool(message)

    def _show(self, result: ClassifyResult, outcome: Outcome | None) -> None:
        ui = self._ui
        ui.caseLabel.text = _("{case}, by the model {model}").format(case=result.name, model=result.model)
        self._show_answer(result)
        ui.warningsFrame.visible = bool(result.warnings)
        ui.warningsLabel.text = "\n".join([_("Trust this less:"), *(f"•  {w}" for w in result.warnings)])
        _show_text(ui.volumesLabel, _volumes(result))
        _show_text(ui.notesLabel, "\n".join(outcome.notes if outcome else result.notes))
        took = outcome.seconds if outcome else sum(result.seconds.values())
        ui.timeLabel.text = _("{seconds} s on {device}").format(
            seconds=f"{took:.1f}", device=self._device_label(result.device)
        )
        ui.show3dCheckBox.enabled = bool(result.labels)
        self.say("")

    def _show_answer(self, result: ClassifyResult) -> None:
        ui = self._ui
        if result.predicted is None:
            ui.winnerLabel.text = _("Segmented")
            ui.percentLabel.text = ""
        else:
            ui.winnerLabel.text = result.predicted
            ui.percentLabel.text = percent(max(result.probabilities))
        ui.winnerLabel.accessibleName = result.sentence
        ui.novelFrame.visible = result.novel
        ui.novelLabel.text = _("Unlike the training cases: do not rely on these probabilities.")
        _show_text(ui.setLabel, _not_ruled_out(result))
        ui.bars.visible = result.predicted is not None
        self._bars.show(result.classes, result.probabilities)

    @staticmethod
    def _make_large(label: qt.QLabel, times: float) -> None:
        font = qt.QFont(label.font)
        if font.pointSizeF() > 0:
            font.setPointSizeF(times * font.pointSizeF())
        else:
            font.setPixelSize(round(times * font.pixelSize()))
        font.setBold(True)
        label.setFont(font)

    def _on_chosen(self, node: Any) -> None:
        if node is not None:
            self._chosen(node)


def _show_text(label: qt.QLabel, text: str) -> None:
    label.text = text
    label.visible = bool(text)


def _not_ruled_out(result: ClassifyResult) -> str:
    """ "At 90 % confidence: meningioma or metastasis"; empty for a single class, which is the answer itself."""
    said = result.set_sentence if len(result.prediction_set) > 1 else ""
    return said[:1].upper() + said[1:]


def _volumes(result: ClassifyResult) -> str:
    """ "Segmented: tumour 12.3 ml, oedema 40.1 ml"."""
    unit = {"mm2": "mm²"}.get(result.volume_unit, result.volume_unit)
    parts = [f"{name} {_short(size)} {unit}" for name, size in result.label_volumes.items() if size > 0]
    if not result.label_volumes:
        return ""
    return _("Segmented: {labels}").format(labels=", ".join(parts) or _("nothing"))


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 0.1 else f"{number:.2g}"
