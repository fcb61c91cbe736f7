"""The page Classify: connects model, images, run, result and batch with the logic and with the scene's parameters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.batch_section import BatchSection
from SegClassifyPanel.dependencies import Dependencies
from SegClassifyPanel.inputs_section import InputsSection
from SegClassifyPanel.model_section import ModelSection
from SegClassifyPanel.needs import unmet_needs
from SegClassifyPanel.result_section import ResultSection
from SegClassifyPanel.run_section import RunSection
from SegClassifyPanel.scene_watch import SceneWatch
from SegClassifyPanel.settings import Settings
from SegClassifyPanel.setup_section import SetupSection

if TYPE_CHECKING:
    from SegClassifyLib.worker.protocol import ModelInfo
    from SegClassifyPanel.classify_job import Outcome
    from SegClassifyPanel.panel_logic import PanelJob, PanelLogic
    from SegClassifyPanel.parameters import SegClassifyParameters

SECTIONS = {"modelSection": True, "inputsSection": True, "resultSection": True, "batchSection": False}
"""Collapsible sections, and whether they are open the first time."""


class ClassifyTab:
    """Made once for a panel, told of the scene's parameters by :meth:`set_parameters`.

    Args:
        logic: does the work.
        resources: the module's folder Resources.
        dependencies: what has to be installed.
        settings: the user's own choices.

    ``models_listed`` is called after other models are listed, or another one is chosen.
    """

    def __init__(
        self, logic: PanelLogic, resources: Path, dependencies: Dependencies, settings: Settings
    ) -> None:
        self._logic = logic
        self._settings = settings
        self._parameters: SegClassifyParameters | None = None
        self._job: PanelJob | None = None
        self._reading = False
        self.widget = slicer.util.loadUI(str(resources / "UI" / "ClassifyTab.ui"))
        self.ui = ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)
        self.models_listed: Callable[[], None] = lambda: None
        self.run = RunSection(ui, self.start, self.cancel, self._logs)
        self.setup = SetupSection(ui, dependencies, self._installed)
        self.result = ResultSection(
            resources, ui.resultSection.layout(), logic, self._device_label, self._result_changed
        )
        self.batch = BatchSection(resources, ui.batchSection.layout(), logic, self, settings)
        self.inputs = InputsSection(ui, self._choice_changed)
        self.models = ModelSection(ui, logic, settings, self._model_changed)
        self._watch = SceneWatch(self._nodes_changed, self._scene_loaded, self.cancel)
        for worker in (logic.worker, logic.background):
            worker.log_changed = self.run.log_changed
        ui.keepEarlierCheckBox.connect("toggled(bool)", self._choice_changed)
        self._restore_sections()

    def enter(self) -> None:
        """The user came to the module: see what is missing, and the first time ask for the models."""
        if self.setup.look():
            self.models.refresh_once()
        else:
            self.models.wait_for_packages()
        self.inputs.prefill()

    def cleanup(self) -> None:
        """Stop clocks and observers; the logic is stopped by whoever made it."""
        for worker in (self._logic.worker, self._logic.background):
            worker.log_changed = None
        self._watch.close()
        self.models.close()
        self.inputs.close()
        self.run.close()
        self.batch.close()
        self._parameters = None

    def set_parameters(self, parameters: SegClassifyParameters | None) -> None:
        """Show what a scene says; ``None`` while there is no scene.

        What a new scene leaves open is filled with the user's last choice.
        """
        self._parameters = parameters
        if parameters is None:
            return
        self._reading = True
        try:
            self.models.choose(parameters.model, parameters.device if parameters.model else "")
            self.ui.keepEarlierCheckBox.checked = parameters.keepEarlierResults
            if any(node is not None for node in parameters.inputs):
                self.inputs.set_nodes(parameters.inputs)
            self.batch.folder = parameters.batchFolder
            self.result.set_parameters(parameters)
        finally:
            self._reading = False
        self.inputs.prefill()

    def needs(self) -> list[str]:
        """What has to be done before Classify can run."""
        if not self.setup.complete:
            return [_install_first()]
        if self.batch.running:
            return [_("Many cases are being classified: wait until that is done, or cancel it.")]
        return unmet_needs(self.models.model, self.inputs.chosen())

    def start(self) -> None:
        """Classify the chosen images."""
        model = self.models.model
        if self.needs() or model is None:
            self.update()
            return
        self.run.started()
        self.result.say("")
        try:
            self._job = self._logic.start_classify(
                self.inputs.nodes(),
                model.path,
                self.models.device,
                self.keep_earlier,
                on_phase=self.run.show_phase,
                on_done=self._done,
                on_failed=self._failed,
                on_cancelled=self._ended,
            )
        except (OSError, RuntimeError, ValueError) as error:
            self._failed(str(error))
        self.update()

    def cancel(self) -> None:
        """Cancel what runs."""
        self.batch.cancel()
        if self._job is not None:
            self._job.cancel()

    @property
    def usable_model(self) -> ModelInfo | None:
        """The chosen model, if it can be used."""
        model = self.models.model
        return model if model is not None and not model.problem else None

    @property
    def device(self) -> str:
        """The chosen device."""
        return self.models.device

    @property
    def keep_earlier(self) -> bool:
        """Whether each result gets new nodes."""
        return bool(self.ui.keepEarlierCheckBox.checked)

    @property
    def batch_need(self) -> str:
        """What has to be done before many cases can be classified."""
        if not self.setup.complete:
            return _install_first()
        if self.running:
            return _("A case is being classified: wait until that is done, or cancel it.")
        if self.usable_model is None:
            return _("Choose a model.")
        return ""

    def batch_changed(self) -> None:
        """A batch began or ended, or goes through something else now."""
        self._write()
        self.update()

    def show_case(self, node_id: str) -> None:
        """Show the result of a segmentation node."""
        self.result.show_node(slicer.mrmlScene.GetNodeByID(node_id) if node_id else None)
        self.ui.resultSection.collapsed = False

    @property
    def running(self) -> bool:
        """Whether one case is being classified."""
        return self.run.running

    def update(self) -> None:
        """Enable what can be used now."""
        busy = self.running or self.batch.running
        self.models.set_enabled(self.setup.complete and not busy)
        self.inputs.set_enabled(not busy)
        self.ui.keepEarlierCheckBox.enabled = not busy
        self.run.show_needs(self.needs())
        self.result.set_enabled(not busy)
        self.batch.update()

    def _done(self, outcome: Outcome) -> None:
        self._ended()
        self.result.show(outcome)
        self.ui.resultSection.collapsed = False

    def _failed(self, sentence: str) -> None:
        self._ended()
        self.run.show_error(sentence)

    def _ended(self) -> None:
        self._job = None
        self.run.ended()
        self.update()

    def _installed(self) -> None:
        for worker in (self._logic.worker, self._logic.background):
            worker.stop()  # one that was started without the packages
        self.models.refresh()
        self.update()

    def _logs(self) -> str:
        """What both workers had to say; that of the one that trains for hours only if it was needed."""
        log, background = self._logic.worker.log, self._logic.background.log
        return f"{log}\n\n{_('Training in the background:')}\n{background}".lstrip() if background else log

    def _model_changed(self) -> None:
        model, parameters = self.models.model, self._parameters
        same = model is not None and parameters is not None and parameters.model == model.path
        # A scene may have been there before the list of models: what it says goes before what the names suggest.
        self.inputs.set_model(model, list(parameters.inputs) if parameters is not None and same else ())
        self.models_listed()

    def _choice_changed(self, *_value: Any) -> None:
        self.run.show_error("")
        self._write()
        self.update()

    def _write(self) -> None:
        """Put the choices into the scene."""
        parameters, model = self._parameters, self.models.model
        if self._reading or parameters is None or model is None or self._watch.importing:
            return
        if list(parameters.inputs) != self.inputs.nodes():
            parameters.inputs = self.inputs.nodes()
        wanted = {
            "model": model.path,
            "device": self.models.device,
            "keepEarlierResults": self.keep_earlier,
            "batchFolder": self.batch.folder,
        }
        for name, value in wanted.items():
            if getattr(parameters, name) != value:
                setattr(parameters, name, value)

    def _nodes_changed(self) -> None:
        self.inputs.prefill()
        self.result.refresh()

    def _scene_loaded(self) -> None:
        if self._parameters is not None:
            self.set_parameters(self._parameters)
        self.result.show_latest()

    def _result_changed(self) -> None:
        self.update()

    def _device_label(self, name: str) -> str:
        return self.models.device_label(name)

    def _restore_sections(self) -> None:
        for name, open_at_first in SECTIONS.items():
            section = getattr(self.ui, name)
            section.collapsed = not self._settings.expanded(name, open_at_first)
            section.connect("contentsCollapsed(bool)", self._remember(name))

    def _remember(self, name: str) -> Any:
        return lambda collapsed: self._settings.set_expanded(name, not collapsed)


def _install_first() -> str:
    return _("Install what is missing first, with the button at the top.")
