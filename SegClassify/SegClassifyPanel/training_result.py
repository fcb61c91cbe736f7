"""How good the classifier is: warnings first, then scores, mistakes, doubts, and what more cases would bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.baselines import Baselines
from SegClassifyPanel.case_lists import CaseLists
from SegClassifyPanel.class_bars import percent
from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.learning_plot import LearningPlot
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.texts import bullets, show_text
from SegClassifyPanel.training_job import TrainingListener
from SegClassifyPanel.training_section import Surroundings, TrainingSection
from SegClassifyPanel.training_words import duration, score_words

make_importable()

from SegClassifyLib.worker.classifier_messages import LastClassifierParams  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyLib.worker.classifier_messages import ClassifierTrained
    from SegClassifyLib.worker.set_messages import SetInfo


class TrainingResult(TrainingSection):
    """Shows the classifier of the shared state; of a set that is opened, the last one trained on it.

    Args:
        around: what all sections of trainings share with the page.
        layout: where the section goes.
    """

    def __init__(self, around: Surroundings, layout: qt.QVBoxLayout) -> None:
        super().__init__(around, layout, "TrainingResult.ui")
        self._shown: ClassifierTrained | None = None
        ui = self.ui
        show_icon(ui.doubtIcon, qt.QStyle.SP_MessageBoxWarning)
        self.lists = CaseLists(ui, self._host)
        self.baselines = Baselines(ui, around.logic, self._host, self._state)
        self.plot = LearningPlot(ui.curveBox)
        ui.moreResult.connect("toggled(bool)", self._show_notes)
        self._state.watch(self.update)
        self.update()

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or none, is open, or the set changed."""
        if self._is_another(info):
            self.baselines.cancel()
            self._state.take_classifier(None)
            if self._folder:
                self._ask_last(self._folder)
        self.baselines.update()

    def trained(self) -> None:
        """A classifier has just been trained: compare it with shape alone, which takes seconds."""
        self.baselines.ask("shape")

    def close(self) -> None:
        """Nothing is shown any more."""
        super().close()
        self.baselines.close()
        self.plot.close()

    def update(self) -> None:
        """Show the classifier that is there now."""
        result = self._state.classifier
        self.ui.noResultLabel.visible = result is None
        self.ui.resultBody.visible = result is not None
        if result is self._shown:
            self.baselines.update()
            return
        self._shown = result
        self.plot.show(result)
        self.baselines.show(result)
        if result is not None:
            self._show(result)

    def _ask_last(self, folder: str) -> None:
        def taken(found: Sequence[ClassifierTrained]) -> None:
            if self._alive and folder == self._folder and self._state.classifier is None and found:
                self._state.take_classifier(found[0])

        self._training.start(LastClassifierParams(folder), TrainingListener(taken))

    def _show(self, result: ClassifierTrained) -> None:
        ui = self.ui
        ui.doubtFrame.visible = bool(result.warnings)
        ui.doubtLabel.text = "\n".join([_("Do not believe these numbers yet:"), bullets(result.warnings)])
        ui.headlineLabel.text = _headline(result)
        ui.howLabel.text = _("{cases} cases of {groups} patients. {how}").format(
            cases=result.cases, groups=result.groups, how=result.how
        )
        self.lists.show(result)
        show_text(ui.outlookLabel, "\n".join(result.outlook))
        ui.resultNotes.text = "\n".join(
            [
                *bullets(result.notes).splitlines(),
                _("Trained in {time}.").format(time=duration(result.seconds)),
            ]
        )
        self._show_notes()

    def _show_notes(self, *_checked: Any) -> None:
        more = bool(self.ui.moreResult.checked)
        self.ui.moreResult.arrowType = qt.Qt.DownArrow if more else qt.Qt.RightArrow
        self.ui.resultNotes.visible = more


def _headline(result: ClassifierTrained) -> str:
    """The balanced accuracy in words, beside guessing."""
    balanced = next((score for score in result.scores if score.name == "balanced accuracy"), None)
    if balanced is None or balanced.value is None:
        return _("How good “{name}” is cannot be said.").format(name=result.name)
    return _(
        "“{name}” is right in {score} of cases it has not seen, each class counting the same. Guessing would be right "
        "in {chance}."
    ).format(name=result.name, score=score_words(balanced), chance=percent(1.0 / len(result.classes)))
