"""Cases that are worth a look: mistakes by cell of the confusion matrix, labels that look wrong, least sure answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from SegClassifyPanel.class_bars import percent
from SegClassifyPanel.confusion_table import ConfusionTable
from SegClassifyPanel.listed_cases import ListedCase, ListedCases
from SegClassifyPanel.texts import show_text

if TYPE_CHECKING:
    from SegClassifyLib.worker.classifier_messages import ClassifierTrained
    from SegClassifyLib.worker.score_messages import CaseAnswer
    from SegClassifyPanel.train_host import TrainHost


class CaseLists:
    """A confusion matrix, a choice of lists, and the list; a click on a case opens it.

    Args:
        ui: the widgets of TrainingResult.ui.
        host: the page, which shows cases.
    """

    def __init__(self, ui: SimpleNamespace, host: TrainHost) -> None:
        self._ui = ui
        self._host = host
        self._result: ClassifierTrained | None = None
        self._lists: list[tuple[str, list[ListedCase], str]] = []
        self._confusion = ConfusionTable(ui.confusionTable, self._on_cell)
        self._table = ListedCases(ui.caseTable, self._on_case)
        ui.listSelector.connect("activated(int)", self._show_list)

    def show(self, result: ClassifierTrained) -> None:
        """Show those of a result; labels that look wrong first."""
        self._result = result
        self._confusion.fill(result.classes, result.confusion)
        wrong = [answer for answer in result.answers if answer.predicted != answer.class_name]
        self._lists = [
            (
                _("Labels that look wrong ({count})"),
                [ListedCase(doubt.case, doubt.sentence) for doubt in result.suspects],
                result.suspects_note or _("No label looks wrong."),
            ),
            (
                _("Least sure answers ({count})"),
                [ListedCase(doubt.case, doubt.sentence) for doubt in result.doubtful],
                _("No answer was unsure."),
            ),
            (
                _("All mistakes ({count})"),
                [ListedCase(answer.case, _answer_words(answer, result)) for answer in wrong],
                _("There was no mistake."),
            ),
        ]
        self._fill_selector()
        first = next((i for i, (_title, cases, _none) in enumerate(self._lists) if cases), 0)
        self._choose(first)

    def _on_cell(self, row: int, column: int) -> None:
        """A number was clicked: list its cases, here and in the table of the set."""
        result = self._result
        if result is None:
            return
        true, said = result.classes[row], result.classes[column]
        found = [a for a in result.answers if a.class_name == true and a.predicted == said]
        title = (
            (_("{true}, recognised ({count})") if row == column else _("{true}, taken for {said} ({count})"))
            .replace("{true}", true)
            .replace("{said}", said)
        )
        cases = [ListedCase(answer.case, _answer_words(answer, result)) for answer in found]
        self._lists = [*self._lists[:3], (title, cases, _("There is no such case."))]
        self._fill_selector()
        self._choose(3)
        if found:
            self._host.select_cases([answer.case for answer in found])

    def _fill_selector(self) -> None:
        selector = self._ui.listSelector
        selector.clear()
        for title, cases, _none in self._lists:
            selector.addItem(title.replace("{count}", str(len(cases))))

    def _choose(self, index: int) -> None:
        self._ui.listSelector.setCurrentIndex(index)
        self._show_list()

    def _show_list(self, *_index: Any) -> None:
        index = self._ui.listSelector.currentIndex
        if 0 <= index < len(self._lists):
            _title, cases, none = self._lists[index]
            self._table.fill(cases)
            show_text(self._ui.listNote, "" if cases else none)

    def _on_case(self, row: int) -> None:
        index = self._ui.listSelector.currentIndex
        case = self._lists[index][1][row]
        self._host.select_cases([case.name])
        self._host.open_case(case.name)


def _answer_words(answer: CaseAnswer, result: ClassifierTrained) -> str:
    """ "metastasis 62 %, glioma 30 %": the two most probable classes."""
    pairs = sorted(zip(result.classes, answer.probabilities, strict=False), key=lambda pair: -pair[1])
    return ", ".join(f"{name} {percent(share)}" for name, share in pairs[:2])
