"""Save the classifier as a model, and see whether it is better than another one or good on cases kept for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.model_check import ModelCheck
from SegClassifyPanel.texts import show_text
from SegClassifyPanel.training_job import TrainingListener
from SegClassifyPanel.training_section import Surroundings, TrainingSection

if TYPE_CHECKING:
    from SegClassifyLib.worker.classifier_messages import ClassifierTrained
    from SegClassifyLib.worker.model_messages import ModelInfo
    from SegClassifyLib.worker.set_messages import SetInfo


class SaveSection(TrainingSection):
    """Below the result, while there is one.

    Args:
        around: what all sections of trainings share with the page.
        layout: where the section goes.
    """

    def __init__(self, around: Surroundings, layout: qt.QVBoxLayout) -> None:
        super().__init__(around, layout, "SaveSection.ui")
        self._shown: ClassifierTrained | None = None
        self._saving = False
        ui = self.ui
        ui.saveWordsEdit.setMaximumHeight(5 * ui.saveWordsEdit.fontMetrics().height())
        self._tip = str(ui.saveModelButton.toolTip)
        self.check = ModelCheck(ui, around.logic, self._host, self._state)
        ui.saveModelButton.connect("clicked()", self.save)
        ui.saveNameEdit.connect("textChanged(QString)", self._on_name)
        self._state.watch(self.update)
        self.update()

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or none, is open, or the set or the list of models changed."""
        self.check.set_changed(info)

    def close(self) -> None:
        """Nothing is shown any more."""
        super().close()
        self.check.close()

    def save(self) -> None:
        """Give the classifier a name among the models."""
        result, name = self._state.classifier, self._name()
        if result is None or not name or self._saving:
            return
        self._saving = True
        show_text(self.ui.saveMessage, _("Saving “{name}”…").format(name=name))
        self._enable()
        words = str(self.ui.saveWordsEdit.plainText).strip()
        listener = TrainingListener(self._saved, self._ended, lambda: self._ended(""))
        self._training.start(self._training.saving(result.run, name, words), listener)

    def update(self) -> None:
        """Show everything as it is now."""
        result = self._state.classifier
        self.widget.visible = result is not None
        if result is not self._shown:
            self._shown = result
            show_text(self.ui.saveMessage, "")
            if result is not None:
                self.ui.saveNameEdit.text = result.name
            self.check.forget()
        self._enable()
        self.check.update()

    def _saved(self, model: ModelInfo) -> None:
        if self._alive:
            self._host.use_model(model.path)
        self._ended(
            _("“{name}” is saved, and chosen on the page Classify. Earlier models are still there.").format(
                name=model.name
            )
        )

    def _ended(self, message: str) -> None:
        self._saving = False
        if self._alive:
            show_text(self.ui.saveMessage, message)
            self._enable()

    def _name(self) -> str:
        return str(self.ui.saveNameEdit.text).strip()

    def _on_name(self, *_text: Any) -> None:
        self._enable()

    def _enable(self) -> None:
        named = bool(self._name())
        self.ui.saveModelButton.enabled = named and not self._saving
        self.ui.saveModelButton.toolTip = self._tip if named else _("Give the model a name first.")
