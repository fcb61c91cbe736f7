"""Step 1 of the page Train: which segmentation network, or the training of one in the background."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.close_question import CloseQuestion
from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.job_row import show_progress
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.networks import networks_for, trainers
from SegClassifyPanel.paused_runs import PausedRuns
from SegClassifyPanel.run_section import clock_text
from SegClassifyPanel.segmenter_curves import SegmenterCurves
from SegClassifyPanel.texts import cases_words, show_text
from SegClassifyPanel.training_form import TrainingForm
from SegClassifyPanel.training_job import TrainingListener
from SegClassifyPanel.training_section import Surroundings, TrainingSection
from SegClassifyPanel.training_state import Network
from SegClassifyPanel.training_words import epoch_words

make_importable()

from SegClassifyLib.worker.segmenter_messages import (  # noqa: E402
    KeepSegmenterParams,
    PlanSegmenterParams,
    SegmenterRunsParams,
    TrainSegmenterParams,
)

if TYPE_CHECKING:
    from SegClassifyLib.worker.segmenter_messages import SegmenterOutlook, SegmenterRun
    from SegClassifyLib.worker.set_messages import SetInfo
    from SegClassifyPanel.segmenter_training import SegmenterTraining


class SegmenterSection(TrainingSection):
    """Chooses the network of step 1; what trains is ``logic.training``'s and outlives this section.

    Args:
        around: what all sections of trainings share with the page.
        layout: where the section goes.
    """

    def __init__(self, around: Surroundings, layout: qt.QVBoxLayout) -> None:
        super().__init__(around, layout, "SegmenterSection.ui")
        self._runs: tuple[SegmenterRun, ...] = ()
        self._networks: tuple[Network, ...] = ()
        self._wanted = ""
        self._told: SegmenterTraining | None = None
        self._planned: tuple[str, ...] = ()
        ui = self.ui
        show_icon(ui.segmenterErrorIcon, qt.QStyle.SP_MessageBoxCritical)
        self.form = TrainingForm(ui)
        self.paused = PausedRuns(ui, self.resume, self.keep)
        self.curves = SegmenterCurves(ui.curvesBox)
        self._question = CloseQuestion(self._training)
        self._clock = qt.QTimer()
        self._clock.interval = 500
        self._clock.connect("timeout()", self._show_time)
        self._connect()
        self._fail("")
        show_text(ui.segmenterMessage, "")
        self._training.segmenter_changed = self._on_training
        self.update()

    def _connect(self) -> None:
        ui = self.ui
        for radio in (ui.useRadio, ui.continueRadio, ui.newRadio):
            radio.connect("toggled(bool)", self._on_choice)
        ui.networkSelector.connect("activated(int)", self._on_network)
        ui.patchEdit.connect("textChanged(QString)", self.update)
        ui.trainSegmenterButton.connect("clicked()", self._on_click)

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or none, is open, or the set or the list of models changed."""
        if self._is_another(info):
            self._runs, self._planned, self._wanted = (), (), ""
            self.form.show_plan(None)
            self._fail("")
            show_text(self.ui.segmenterMessage, "")
            self._told = self._mine()
            self.ask_runs()
        self._list_networks()
        self.update()

    def close(self) -> None:
        """Nothing is shown any more; the training runs on until the logic is cleaned up."""
        super().close()
        self._clock.stop()
        self.curves.close()
        self._question.remove()
        if self._training.segmenter_changed == self._on_training:
            self._training.segmenter_changed = None

    def ask_runs(self) -> None:
        """Ask which trainings there are."""
        if self._folder:
            listener = TrainingListener(self._for_set(self._take_runs), self._for_set(self._fail))
            self._training.start(SegmenterRunsParams(self._folder), listener)

    def train(self) -> None:
        """Begin the training that is chosen."""
        start = self._chosen()
        if self._train_need() or self._state.info is None:
            return
        path = start.path if self.ui.continueRadio.checked and start is not None else ""
        self._begin(self.form.params(self._folder, path, self._host.device), ())

    def resume(self, run: SegmenterRun) -> None:
        """Go on with a paused run."""
        self._begin(TrainSegmenterParams(self._folder, resume=run.path, device=self._host.device), run.epochs)

    def keep(self, run: SegmenterRun) -> None:
        """Use the best of a paused run so far."""
        listener = TrainingListener(self._for_set(self._kept), self._for_set(self._fail))
        self._training.start(KeepSegmenterParams(self._folder, run.path), listener)

    def update(self, *_value: Any) -> None:
        """Show everything as it is now."""
        ui, training = self.ui, self._mine()
        running = training is not None and not training.over
        choosing = not running
        use = bool(ui.useRadio.checked)
        for widget in (ui.useRadio, ui.continueRadio, ui.newRadio):
            widget.enabled = choosing and self._state.info is not None
        ui.networkRow.visible = choosing and not ui.newRadio.checked
        ui.trainingOptions.visible = choosing and not use
        self.form.set_start(bool(ui.continueRadio.checked))
        chosen = self._chosen()
        show_text(
            ui.networkNote, chosen.note if chosen is not None and not ui.newRadio.checked and choosing else ""
        )
        self._show_button(running, use)
        need = "" if running else self._use_need() if use else self._train_need()
        show_text(ui.segmenterNeeds, need)
        busy = _busy_words() if self._training.segmenter_running else ""
        paused = [run for run in self._runs if run.state == "paused"] if choosing else []
        self.paused.show(paused, busy)
        self._show_training(training)
        if not use and choosing:
            self._plan()

    def _show_button(self, running: bool, use: bool) -> None:
        button, training = self.ui.trainSegmenterButton, self._mine()
        button.visible = running or not use
        pausing = training is not None and training.pausing
        need = self._train_need() if not running else ""
        button.text = _("Pause") if running else _("Train")
        button.accessibleName = button.text
        button.enabled = (running and not pausing) or (not running and not need)
        button.toolTip = need or (
            _("Stop for now. It can go on later, and its best so far can be used.")
            if running
            else _(
                "Train on the segmentations of this set, in the background. You can do something else meanwhile."
            )
        )
        self.ui.segmenterProgress.visible = running
        if running and not self._clock.active:
            self._clock.start()
        elif not running:
            self._clock.stop()

    def _show_training(self, training: SegmenterTraining | None) -> None:
        ui = self.ui
        if training is not None and not training.over:
            show_progress(ui.segmenterBar, None if training.pausing else training.fraction)
            ui.segmenterPhase.text = _("Pausing…") if training.pausing else training.text
            self._show_time()
        epochs = training.epochs if training is not None and not training.over else self._epochs_of_chosen()
        running = training is not None and not training.over
        show_text(ui.epochLabel, epoch_words(epochs[-1]) if epochs and running else "")
        self.curves.show(epochs, self._state.info.name if self._state.info is not None else "", running)

    def _epochs_of_chosen(self) -> Sequence[Any]:
        paused, chosen = self.paused.chosen, self._chosen()
        if chosen is not None and self.ui.useRadio.checked:
            run = next((run for run in self._runs if run.path == chosen.path), None)
            if run is not None:
                return run.epochs
        return paused.epochs if paused is not None else ()

    def _show_time(self) -> None:
        training = self._mine()
        if training is not None:
            self.ui.segmenterElapsed.text = clock_text(time.monotonic() - training.started)

    def _mine(self) -> SegmenterTraining | None:
        """The training of this set in this Slicer."""
        training: SegmenterTraining | None = self._training.segmenter
        return training if training is not None and training.params.folder == self._folder else None

    def _chosen(self) -> Network | None:
        index = self.ui.networkSelector.currentIndex
        return self._networks[index] if 0 <= index < len(self._networks) else None

    def _use_need(self) -> str:
        if self._state.info is None:
            return _("Open a training set first.")
        if not self._networks:
            return _(
                "There is no network for such images yet: train a new one, or add a model on the page Classify."
            )
        return ""

    def _train_need(self) -> str:
        info = self._state.info
        if info is None:
            return _("Open a training set first.")
        if self._training.segmenter_running:
            return _busy_words()
        elsewhere = next((run for run in self._runs if run.state == "running"), None)
        if elsewhere is not None:
            return _(
                "“{name}” is being trained on this set by another program: wait until that is done."
            ).format(name=elsewhere.name)
        if not trainers(info):
            return _(
                "No case has a segmentation that may train the network: draw one, or correct a predicted one and "
                "save it to its case."
            )
        if self.ui.continueRadio.checked and self._chosen() is None:
            return _("There is no network to go on from: train a new one.")
        return self.form.problem(info.ndim)

    def _begin(self, params: TrainSegmenterParams, earlier: Sequence[Any]) -> None:
        self._fail("")
        show_text(self.ui.segmenterMessage, "")
        self._told = None
        self._training.start_segmenter(params, earlier)
        self.curves.begin()
        self.update()

    def _on_click(self) -> None:
        training = self._mine()
        if training is not None and not training.over:
            training.pause()
        else:
            self.train()

    def _on_training(self) -> None:
        """The training says something."""
        training = self._mine()
        if training is not None and training.over and training is not self._told:
            self._told = training
            self._ended(training)
        if training is not None and not training.over:  # ten times a second: only what can have changed
            self._show_button(True, bool(self.ui.useRadio.checked))
            self._show_training(training)
        else:
            self.update()

    def _ended(self, training: SegmenterTraining) -> None:
        if training.run is not None:
            self._use(training.run)
            message = _("“{name}” is finished, and chosen for step 2.").format(name=training.run.name)
            show_text(self.ui.segmenterMessage, message)
        elif training.problem:
            resumable = _("Once it is listed below, Resume goes on after its last epoch.")
            self._fail(f"{training.problem} {resumable}" if training.epochs else training.problem)
        self.ask_runs()

    def _kept(self, run: SegmenterRun) -> None:
        self._use(run)
        show_text(
            self.ui.segmenterMessage, _("The best of “{name}” is chosen for step 2.").format(name=run.name)
        )
        self.ask_runs()

    def _use(self, run: SegmenterRun) -> None:
        self._wanted = run.path
        self._runs = (run, *(r for r in self._runs if r.path != run.path))
        self.ui.useRadio.checked = True
        self._list_networks()

    def _take_runs(self, runs: tuple[SegmenterRun, ...]) -> None:
        mine = self._mine()
        here = mine.params.resume if mine is not None and not mine.over else None
        # The one that runs here is not somebody else's, whether it was resumed or began anew.
        self._runs = tuple(r for r in runs if here is None or (r.state != "running" and r.path != here))
        self._list_networks()
        self.update()

    def _list_networks(self) -> None:
        info = self._state.info
        self._networks = networks_for(info, self._runs, self._host.models()) if info is not None else ()
        selector = self.ui.networkSelector
        selector.clear()
        for network in self._networks:
            selector.addItem(network.name)
        selector.placeholderText = _("None yet")
        paths = [network.path for network in self._networks]
        if self._networks:
            selector.setCurrentIndex(paths.index(self._wanted) if self._wanted in paths else 0)
        self._tell_choice()

    def _on_network(self, *_index: Any) -> None:
        chosen = self._chosen()
        self._wanted = chosen.path if chosen is not None else ""
        self._tell_choice()
        self.update()

    def _on_choice(self, *_checked: Any) -> None:
        self._tell_choice()
        self.update()

    def _tell_choice(self) -> None:
        """Step 2 takes what is chosen here; while one is trained, the one before it."""
        self._state.choose_network(self._chosen())

    def _plan(self) -> None:
        """Ask once for every state of the segmentations what the images suggest."""
        info = self._state.info
        if info is None or self._training.segmenter_running or not trainers(info):
            return
        key = (info.folder, *(case.name for case in trainers(info)))
        if key == self._planned:
            return
        self._planned = key
        self.form.show_plan(
            None, _("Looking at the images of {cases}…").format(cases=cases_words(len(key) - 1))
        )

        def taken(plan: SegmenterOutlook) -> None:
            if key == self._planned:
                self.form.show_plan(plan)

        def failed(sentence: str) -> None:
            if key == self._planned:
                self.form.show_plan(None, sentence)

        listener = TrainingListener(self._for_set(taken), self._for_set(failed))
        self._training.start(PlanSegmenterParams(info.folder), listener)

    def _fail(self, sentence: str) -> None:
        self.ui.segmenterErrorLabel.text = sentence
        self.ui.segmenterErrorFrame.visible = bool(sentence)

    def _for_set(self, call: Callable[..., None]) -> Callable[..., None]:
        """Pass on what is about the set that is open now; the rest is for nobody."""
        folder = self._folder
        return lambda *values: call(*values) if self._alive and folder == self._folder else None


def _busy_words() -> str:
    return _("A network is being trained now: wait for it, or pause it first.")
