"""Step 2 of the page Train: a classifier on what the network of step 1 sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.job_row import JobRow
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.texts import show_text
from SegClassifyPanel.training_section import Surroundings, TrainingSection

make_importable()

from SegClassifyLib.worker.classifier_messages import TrainClassifierParams  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyLib.worker.classifier_messages import ClassifierTrained
    from SegClassifyLib.worker.set_messages import SetInfo


class ClassifierSection(TrainingSection):
    """Trains, and gives what comes of it to the shared state.

    Args:
        around: what all sections of trainings share with the page.
        layout: where the section goes.
        trained: called after a training.
    """

    def __init__(self, around: Surroundings, layout: qt.QVBoxLayout, trained: Callable[[], None]) -> None:
        super().__init__(around, layout, "ClassifierSection.ui")
        ui = self.ui
        self._trained = trained
        show_icon(ui.classifierErrorIcon, qt.QStyle.SP_MessageBoxCritical)
        for text, value in _heads():
            ui.headSelector.addItem(text, value)
        for text, value, _note in _seen():
            ui.seenSelector.addItem(text, value)
        self.row = JobRow(
            ui, "trainClassifierButton", "classifier", self._training, self.train, self.update, self._fail
        )
        ui.seenSelector.connect("currentIndexChanged(int)", self.update)
        self._fail("")
        self._state.watch(self.update)
        self.update()

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or none, is open, or the set changed."""
        if self._is_another(info):
            self.row.cancel()
            self._fail("")
        self.update()

    def close(self) -> None:
        """Nothing is shown any more."""
        super().close()
        self.row.close()

    def train(self) -> None:
        """Train as chosen."""
        info, network = self._state.info, self._state.network
        if self._need() or info is None or network is None:
            self.update()
            return
        params = TrainClassifierParams(
            info.folder,
            network.path,
            head=str(self.ui.headSelector.currentData),
            seen=str(self.ui.seenSelector.currentData),
            device=self._host.device,
        )
        folder = info.folder
        self.row.start(params, lambda result: self._take(folder, result))

    def update(self, *_value: Any) -> None:
        """Show everything as it is now."""
        ui, network = self.ui, self._state.network
        need = self._need()
        show_text(ui.throughLabel, _("Looks through: {name}").format(name=network.name) if network else "")
        ui.seenNote.text = next(
            note for _text, value, note in _seen() if value == ui.seenSelector.currentData
        )
        self.row.show_need(need)
        show_text(ui.classifierNeeds, "" if self.row.running else need)
        for widget in (ui.headSelector, ui.seenSelector):
            widget.enabled = not self.row.running

    def _take(self, folder: str, result: ClassifierTrained) -> None:
        if (
            folder != self._folder
        ):  # another set was opened meanwhile; the result is found when this one is opened again
            return
        self._state.take_classifier(result)
        self._host.reload()  # the table shows what was predicted
        self._trained()

    def _need(self) -> str:
        info = self._state.info
        if info is None:
            return _("Open a training set first.")
        if self._state.network is None:
            return _("Choose or train a network in step 1.")
        counts: dict[str, int] = dict.fromkeys(info.classes, 0)
        for case in info.cases:
            if case.class_name and case.role != "segmenter" and case.split == "train":
                counts[case.class_name] = counts.get(case.class_name, 0) + 1
        if sum(count > 0 for count in counts.values()) < 2:
            return _("Give cases of at least two classes their class: so far there is nothing to tell apart.")
        single = [name for name, count in counts.items() if count == 1]
        if single:
            return _("There is only one case of {name}: add another one, or give it another class.").format(
                name=single[0]
            )
        return ""

    def _fail(self, sentence: str) -> None:
        self.ui.classifierErrorLabel.text = sentence
        self.ui.classifierErrorFrame.visible = bool(sentence)


def _heads() -> tuple[tuple[str, str], ...]:
    return (
        (_("Automatic"), "auto"),
        (_("Linear: quickest, best with few cases"), "linear"),
        (_("Small network on the features (conv)"), "conv"),
        (_("Fine-tuned: slow, for many cases"), "fine-tuned"),
    )


def _seen() -> tuple[tuple[str, str, str], ...]:
    return (
        (
            _("Use them fairly"),
            "crossfit",
            _(
                "Each such case is looked at by an extra network that has not seen it, so the scores are honest."
            ),
        ),
        (
            _("Leave them out"),
            "exclude",
            _("Only cases that the network was not trained on are used: honest, but fewer cases."),
        ),
        (
            _("Use them as they are"),
            "include",
            _("The network knows these cases: the scores look better than they are."),
        ),
    )
