"""The list of models with what each says about itself, adding and removing them, and what they run on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import qt
import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.model_words import facts, first_lines
from SegClassifyPanel.settings import Settings

if TYPE_CHECKING:
    from SegClassifyLib.worker.protocol import Device, ModelInfo
    from SegClassifyPanel.panel_logic import PanelLogic


class ModelSection:
    """Asks the logic for models and devices, and shows them.

    Args:
        ui: the widgets of ClassifyTab.ui.
        logic: what knows the models.
        settings: where the last choice is kept.
        changed: called after another model, another device or another list of models is there.
    """

    def __init__(
        self, ui: SimpleNamespace, logic: PanelLogic, settings: Settings, changed: Callable[[], None]
    ) -> None:
        self._ui = ui
        self._logic = logic
        self._settings = settings
        self._changed = changed
        self._models: tuple[ModelInfo, ...] = ()
        self._devices: tuple[Device, ...] = ()
        self._wanted_path = settings.model
        self._wanted_device = settings.device
        self._alive = True
        self._asked = False
        self._busy = False
        self._enabled = True
        self._connect()
        self._say("")
        self._show_models(())
        self._show_devices(())

    def _connect(self) -> None:
        self._menu = qt.QMenu(self._ui.addButton)
        self._menu.addAction(_("From a folder…")).connect("triggered()", self.browse_folder)
        self._menu.addAction(_("From a .zip file…")).connect("triggered()", self.browse_zip)
        self._ui.addButton.setMenu(self._menu)
        self._ui.removeButton.connect("clicked()", self.remove)
        self._ui.moreButton.connect("toggled(bool)", self._show_card)
        self._ui.modelSelector.connect("activated(int)", self._on_model_chosen)
        self._ui.deviceSelector.connect("activated(int)", self._on_device_chosen)

    @property
    def model(self) -> ModelInfo | None:
        """The chosen model."""
        index = self._ui.modelSelector.currentIndex
        return self._models[index] if 0 <= index < len(self._models) else None

    @property
    def all(self) -> tuple[ModelInfo, ...]:
        """The models that are listed."""
        return self._models

    @property
    def device(self) -> str:
        """Name of the chosen device, or "auto"."""
        return self._ui.deviceSelector.currentData or "auto"

    def device_label(self, name: str) -> str:
        """How to call a device in front of people."""
        found = next((device.label for device in self._devices if device.name == name), "")
        return found or (_("Processor") if name == "cpu" else name)

    def choose(self, path: str, device: str) -> None:
        """Choose as a scene says; a model that is not in the list stays wanted until it is."""
        self._wanted_path = path or self._wanted_path
        self._wanted_device = device or self._wanted_device
        self._show_devices(self._devices)
        self._replace_models(self._models)

    def wait_for_packages(self) -> None:
        """Nothing can be asked for yet."""
        self._say(_("The models are listed once everything is installed."))
        self.set_enabled(False)

    def refresh_once(self) -> None:
        """Ask for the models, unless that has been done."""
        if not self._asked:
            self.refresh()

    def refresh(self) -> None:
        """Ask for the models, and once they are there for the devices."""
        self._asked = True
        self._ui.modelSelector.placeholderText = _("Looking for models…")
        self._say(_("Looking for models…") if not self._models else "")
        self._ui.modelSummary.visible = bool(self._models)
        self._logic.list_models(self._guarded(self._take_models), self._guarded(self._say))

    def use(self, path: str) -> None:
        """List the models again, and choose this one as if the user had."""
        self._wanted_path = self._settings.model = path
        self.refresh()

    def set_enabled(self, enabled: bool) -> None:
        """Let the user choose, or not (while something runs)."""
        self._enabled = enabled
        self._update_buttons()

    def close(self) -> None:
        """Answers that come later are for nobody."""
        self._alive = False

    def browse_folder(self) -> None:
        """Let the user pick a model package's folder, and add it."""
        start = self._settings.browsed_folder
        self.add(qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder of a model"), start))

    def browse_zip(self) -> None:
        """Let the user pick a zipped model package, and add it."""
        start = self._settings.browsed_folder
        kinds = _("Zipped models (*.zip)")
        self.add(qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), _("Zipped model"), start, kinds))

    def add(self, path: str) -> None:
        """Add a model package; the logic verifies it before it is copied. Nothing happens for an empty path."""
        if not path:
            return
        self._settings.browsed_folder = str(Path(path).parent)
        self._set_busy(True)
        self._say(_("Checking and copying {name}…").format(name=Path(path).name))
        self._logic.add_model(path, self._guarded(self._added), self._guarded(self._ended))

    def remove(self) -> None:
        """Delete the chosen model, after a question."""
        model = self.model
        if model is None:
            return
        question = _("Delete the model “{name}” from the disk?\n\n{path}").format(
            name=model.name, path=model.path
        )
        if slicer.util.confirmOkCancelDisplay(question, _("Remove model")):
            self._set_busy(True)
            self._logic.remove_model(model.path, self._guarded(self._removed), self._guarded(self._ended))

    def _guarded(self, call: Callable) -> Callable:
        return lambda *values: call(*values) if self._alive else None

    def _added(self, model: ModelInfo) -> None:
        self._wanted_path = self._settings.model = model.path
        self._ended(_("“{name}” is added.").format(name=model.name))
        self._logic.list_models(self._guarded(self._replace_models), self._guarded(self._say))

    def _removed(self, *_nothing: object) -> None:
        self._ended(_("The model is removed."))
        self._logic.list_models(self._guarded(self._replace_models), self._guarded(self._say))

    def _ended(self, message: str) -> None:
        self._set_busy(False)
        self._say(message)

    def _take_models(self, models: Sequence[ModelInfo]) -> None:
        self._say("")
        self._replace_models(models)
        if not self._devices:  # after the models, for it takes seconds the first time
            self._logic.list_devices(self._guarded(self._show_devices), self._guarded(self._say))

    def _show_models(self, models: Sequence[ModelInfo]) -> None:
        self._models = tuple(models)
        selector = self._ui.modelSelector
        selector.clear()
        selector.placeholderText = _("No model yet") if self._asked else _("Not looked for yet")
        for model in self._models:
            selector.addItem(
                _("{name} (cannot be used)").format(name=model.name) if model.problem else model.name
            )
        paths = [model.path for model in self._models]
        usable = [i for i, model in enumerate(self._models) if not model.problem]
        if self._wanted_path in paths:
            selector.setCurrentIndex(paths.index(self._wanted_path))
        else:
            selector.setCurrentIndex(usable[0] if usable else (0 if self._models else -1))
        self._show_card()
        self._update_buttons()

    def _replace_models(self, models: Sequence[ModelInfo]) -> None:
        self._show_models(models)
        self._changed()

    def _show_devices(self, devices: Sequence[Device]) -> None:
        self._devices = tuple(devices)
        selector = self._ui.deviceSelector
        selector.clear()
        selector.addItem(
            _("Automatic ({device})").format(device=devices[0].label) if devices else _("Automatic"), "auto"
        )
        for device in devices:
            selector.addItem(device.label, device.name)
        selector.setCurrentIndex(max(0, selector.findData(self._wanted_device)))

    def _show_card(self, *_checked: object) -> None:
        model, ui = self.model, self._ui
        expanded = bool(ui.moreButton.checked)
        ui.moreButton.visible = model is not None and not model.problem
        ui.moreButton.arrowType = qt.Qt.DownArrow if expanded else qt.Qt.RightArrow
        if model is None:
            short, more = _no_models() if self._asked else "", ""
        elif model.problem:
            short, more = model.problem, ""
        else:
            short, more = first_lines(model.summary), facts(model)
            short = model.summary if expanded else short
        ui.modelSummary.text = short
        ui.modelSummary.visible = bool(short)
        ui.modelFacts.text = more
        ui.modelFacts.visible = bool(more) and (expanded or not short)

    def _on_model_chosen(self, *_index: object) -> None:
        if self.model:
            self._wanted_path = self._settings.model = self.model.path
        self._say("")
        self._show_card()
        self._update_buttons()
        self._changed()

    def _on_device_chosen(self, *_index: object) -> None:
        self._wanted_device = self._settings.device = self.device
        self._changed()

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._update_buttons()

    def _update_buttons(self) -> None:
        free = self._enabled and not self._busy
        model = self.model
        self._ui.modelSelector.enabled = free and bool(self._models)
        self._ui.deviceSelector.enabled = free
        self._ui.addButton.enabled = free
        self._ui.removeButton.enabled = free and model is not None and not model.shipped
        self._ui.removeButton.toolTip = (
            _("This model came with SegClassify and stays.")
            if model and model.shipped
            else _("Delete the chosen model from your models.")
        )

    def _say(self, message: str) -> None:
        self._ui.modelMessage.text = message
        self._ui.modelMessage.visible = bool(message)


def _no_models() -> str:
    return _(
        "There is no model yet. Add one that you were given, a folder or a .zip file, or train one with the command "
        "segclassify."
    )
