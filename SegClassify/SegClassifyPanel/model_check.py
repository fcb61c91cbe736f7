"""The classifier against another model on the same cases, and on cases that were kept for a test."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.job_row import JobRow
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.listed_cases import ListedCase, ListedCases
from SegClassifyPanel.score_table import ScoreTable
from SegClassifyPanel.texts import cases_words, show_text
from SegClassifyPanel.training_state import TrainingState

make_importable()

from SegClassifyLib.worker.comparison_messages import CompareModelsParams, EvaluateModelParams  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyLib.worker.comparison_messages import EvaluationInfo, ModelComparison
    from SegClassifyLib.worker.model_messages import ModelInfo
    from SegClassifyLib.worker.set_messages import SetInfo
    from SegClassifyPanel.train_host import TrainHost


class ModelCheck:
    """What "Compare and test" opens.

    Args:
        ui: the widgets of SaveSection.ui.
        logic: does the work.
        host: the page.
        state: what the sections share.
    """

    def __init__(self, ui: SimpleNamespace, logic: Any, host: TrainHost, state: TrainingState) -> None:
        self._ui = ui
        self._host = host
        self._state = state
        self._folder = ""
        self._others: tuple[ModelInfo, ...] = ()
        self._cases: tuple[str, ...] = ()
        show_icon(ui.compareErrorIcon, qt.QStyle.SP_MessageBoxCritical)
        self.compare = JobRow(
            ui, "compareButton", "compare", logic.training, self._start_compare, self.update, self._fail
        )
        self.evaluate = JobRow(
            ui, "evaluateButton", "evaluate", logic.training, self._start_evaluate, self.update, self._fail
        )
        self._differences, self._scores = ScoreTable(ui.compareTable), ScoreTable(ui.evaluateTable)
        self._wrong = ListedCases(ui.wrongTable, self._on_case)
        ui.compareMore.connect("toggled(bool)", self.update)
        self.forget()

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or none, is open, or the set or the list of models changed."""
        folder = info.folder if info is not None else ""
        if folder != self._folder:
            self._folder = folder
            self.compare.cancel()
            self.evaluate.cancel()
        self._list_models(info)
        self.update()

    def forget(self) -> None:
        """Another classifier: what was found before is not about it."""
        ui = self._ui
        self._fail("")
        for label in (ui.compareSentence, ui.evaluateSentence):
            show_text(label, "")
        for table in (self._differences, self._scores):
            table.hide()
        self._list_cases(())

    def update(self, *_checked: Any) -> None:
        """Show everything as it is now."""
        ui = self._ui
        more = bool(ui.compareMore.checked)
        ui.compareMore.arrowType = qt.Qt.DownArrow if more else qt.Qt.RightArrow
        ui.compareBox.visible = more
        self.compare.show_need("" if self._others else _("There is no other model for these classes yet."))
        count = self._test_cases()
        self.evaluate.show_need(
            "" if count else _("No case is kept for a test: give some the split “test” before training.")
        )
        if not self.evaluate.running:
            ui.evaluateButton.text = _("Test on {cases} kept for that").format(cases=cases_words(count))

    def close(self) -> None:
        """Nothing is shown any more."""
        self.compare.close()
        self.evaluate.close()

    def _start_compare(self) -> None:
        result = self._state.classifier
        index = self._ui.compareSelector.currentIndex
        if result is None or not 0 <= index < len(self._others):
            return
        other = self._others[index].path
        params = CompareModelsParams(self._folder, other, result.run, self._host.device)
        self.compare.start(params, lambda found: self._compared(result, found))

    def _start_evaluate(self) -> None:
        result = self._state.classifier
        if result is not None:
            params = EvaluateModelParams(self._folder, result.run, self._host.device)
            self.evaluate.start(params, lambda found: self._evaluated(result, found))

    def _compared(self, result: Any, found: ModelComparison) -> None:
        if result is not self._state.classifier:
            return
        show_text(self._ui.compareSentence, "\n".join([found.sentence, *found.notes]))
        self._differences.show_difference(found)
        self._list_cases([ListedCase(doubt.case, doubt.sentence) for doubt in found.disagreements])

    def _evaluated(self, result: Any, found: EvaluationInfo) -> None:
        if result is not self._state.classifier:
            return
        sentence = _("On {cases} that trained nothing:").format(cases=cases_words(found.cases))
        show_text(self._ui.evaluateSentence, "\n".join([sentence, *found.notes]))
        self._scores.show_scores([(_("Test cases"), (*found.scores, *found.auc))])
        wrong = [answer for answer in found.answers if answer.predicted != answer.class_name]
        words = _("is {true}, taken for {said}")
        self._list_cases(
            [ListedCase(a.case, words.format(true=a.class_name, said=a.predicted)) for a in wrong]
        )

    def _list_cases(self, cases: Any) -> None:
        self._cases = tuple(case.name for case in cases)
        self._wrong.fill(cases)

    def _on_case(self, row: int) -> None:
        name = self._cases[row]
        if self._state.info is not None and any(case.name == name for case in self._state.info.cases):
            self._host.select_cases([name])
            self._host.open_case(name)

    def _list_models(self, info: SetInfo | None) -> None:
        selector = self._ui.compareSelector
        before = (
            self._others[selector.currentIndex].path if 0 <= selector.currentIndex < len(self._others) else ""
        )
        wanted = set(info.classes) if info is not None else set()
        self._others = tuple(m for m in self._host.models() if not m.problem and set(m.classes) == wanted)
        selector.clear()
        for model in self._others:
            selector.addItem(f"{model.name} ({model.version})" if model.version else model.name)
        paths = [model.path for model in self._others]
        if paths:
            selector.setCurrentIndex(paths.index(before) if before in paths else 0)
        selector.placeholderText = _("None yet")

    def _test_cases(self) -> int:
        info = self._state.info
        return sum(case.split == "test" and bool(case.class_name) for case in info.cases) if info else 0

    def _fail(self, sentence: str) -> None:
        self._ui.compareErrorLabel.text = sentence
        self._ui.compareErrorFrame.visible = bool(sentence)
