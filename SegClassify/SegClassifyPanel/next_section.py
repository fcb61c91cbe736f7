"""Which case to label next: a list, the most useful first, and one button that goes through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.class_bars import percent
from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.job_row import JobRow
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.listed_cases import ListedCase, ListedCases
from SegClassifyPanel.texts import cases_words, show_text
from SegClassifyPanel.training_section import Surroundings, TrainingSection

make_importable()

from SegClassifyLib.worker.next_case_messages import NextCasesParams  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyLib.worker.next_case_messages import SuggestedCase, SuggestedCases
    from SegClassifyLib.worker.set_messages import SetInfo

COUNT = 10
"""So many are listed."""


class NextSection(TrainingSection):
    """Asks with the classifier of the shared state.

    Args:
        around: what all sections of trainings share with the page.
        layout: where the section goes.
    """

    def __init__(self, around: Surroundings, layout: qt.QVBoxLayout) -> None:
        super().__init__(around, layout, "NextSection.ui")
        self._found: SuggestedCases | None = None
        self._opened: set[str] = set()
        ui = self.ui
        show_icon(ui.nextErrorIcon, qt.QStyle.SP_MessageBoxCritical)
        self.row = JobRow(ui, "findNextButton", "next", self._training, self.find, self.update, self._fail)
        self.list = ListedCases(ui.nextTable, self.open)
        ui.unlabelledRadio.connect("toggled(bool)", self.update)
        ui.nextFolderEdit.connect("currentPathChanged(QString)", self.update)
        ui.nextButton.connect("clicked()", self.open_next)
        self._fail("")
        self._show(None)
        self._state.watch(self.update)
        self.update()

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or none, is open, or the set changed."""
        if self._is_another(info):
            self.row.cancel()
            self._fail("")
            self._show(None)
        self.update()

    def close(self) -> None:
        """Nothing is shown any more."""
        super().close()
        self.row.close()

    def trained(self) -> None:
        """The classifier has learnt something: what it would learn most from is something else now."""
        if self._found is not None:
            self.find()

    def find(self) -> None:
        """Ask which cases to label next."""
        classifier = self._state.classifier
        if self._need() or classifier is None:
            self.update()
            return
        params = NextCasesParams(self._folder, classifier.run, self._images(), COUNT, self._host.device)
        folder = self._folder

        def taken(found: SuggestedCases) -> None:
            if folder == self._folder:
                self._show(found)

        self.row.start(params, taken)

    def open(self, index: int) -> None:
        """Open a case of the list, ready to be labelled."""
        case = self._cases()[index]
        self._opened.add(case.name)
        self.list.select(index)
        if case.in_set:
            self._host.select_cases([case.name])
            self._host.open_case(case.name)
        else:
            self._host.open_files(case.images, case.name, case.group)
        self.update()

    def open_next(self) -> None:
        """Open the first that was not opened yet and has no class yet."""
        index = self._next()
        if index is not None:
            self.open(index)

    def update(self, *_value: Any) -> None:
        """Show everything as it is now."""
        ui, need = self.ui, self._need()
        unlabelled = len(self._unlabelled())
        ui.unlabelledRadio.text = _("Cases of this set without a class ({count})").format(count=unlabelled)
        ui.nextFolderEdit.enabled = bool(ui.nextFolderRadio.checked) and not self.row.running
        for radio in (ui.unlabelledRadio, ui.nextFolderRadio):
            radio.enabled = not self.row.running
        self.row.show_need(need)
        show_text(ui.nextNeeds, "" if self.row.running else need)
        upcoming = self._next()
        ui.nextButton.visible = bool(self._cases())
        ui.nextButton.enabled = upcoming is not None
        if upcoming is None:
            ui.nextButton.text = _("All of the list were opened")
        else:
            ui.nextButton.text = _("Open the next case: {name}").format(name=self._cases()[upcoming].name)

    def _show(self, found: SuggestedCases | None) -> None:
        self._found = found
        self._opened = set()
        self.list.fill(
            [ListedCase(case.name, _words(case, found.classes)) for case in self._cases()] if found else []
        )
        text = ""
        if found is not None:
            parts = [_("{cases} without a class were looked at.").format(cases=cases_words(found.candidates))]
            if not found.suggestions:
                parts.append(_("None is left to label."))
            text = "\n".join([" ".join(parts), *found.notes])
        show_text(self.ui.nextSummary, text)

    def _cases(self) -> tuple[SuggestedCase, ...]:
        return self._found.suggestions if self._found is not None else ()

    def _next(self) -> int | None:
        """The first of the list that is still to be done."""
        info = self._state.info
        labelled = {case.name for case in info.cases if case.class_name} if info is not None else set()
        for index, case in enumerate(self._cases()):
            if case.name not in self._opened and case.name not in labelled:
                return index
        return None

    def _unlabelled(self) -> list[str]:
        info = self._state.info
        cases = info.cases if info is not None else ()
        return [c.name for c in cases if not c.class_name and c.role != "segmenter" and c.split == "train"]

    def _images(self) -> str:
        return str(self.ui.nextFolderEdit.currentPath) if self.ui.nextFolderRadio.checked else ""

    def _need(self) -> str:
        if self._state.info is None:
            return _("Open a training set first.")
        if self._state.classifier is None:
            return _("Train a classifier in step 2 first: it says what it is unsure of.")
        if self.ui.nextFolderRadio.checked:
            return "" if self._images() else _("Choose a folder of images.")
        if not self._unlabelled():
            return _("Every case of the set has a class: add some without, or choose a folder of images.")
        return ""

    def _fail(self, sentence: str) -> None:
        self.ui.nextErrorLabel.text = sentence
        self.ui.nextErrorFrame.visible = bool(sentence)


def _words(case: SuggestedCase, classes: tuple[str, ...]) -> str:
    """Why, and the two most probable classes."""
    pairs = sorted(zip(classes, case.probabilities, strict=False), key=lambda pair: -pair[1])[:2]
    shares = ", ".join(f"{name} {percent(share)}" for name, share in pairs)
    return f"{case.reason}\n{shares}" if shares else case.reason
