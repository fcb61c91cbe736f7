"""The fields that change class, patient and use of the selected cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from SegClassifyPanel.case_words import USES, names_text, use_of, use_texts
from SegClassifyPanel.class_question import ClassQuestion, known_class

if TYPE_CHECKING:
    from SegClassifyLib.worker.set_messages import CaseRow


class CaseEditor:
    """A change is asked for as soon as a field is left or Enter is pressed.

    Args:
        ui: the widgets of CasesSection.ui.
        change: called with the names of the cases and with what to change: fields of ``ChangeCasesParams``.
    """

    def __init__(self, ui: SimpleNamespace, change: Callable[..., None]) -> None:
        self._ui = ui
        self._change = change
        self._rows: tuple[CaseRow, ...] = ()
        self._classes: tuple[str, ...] = ()
        self._quiet = False
        self.question = ClassQuestion(ui, "caseQuestion")
        ui.caseRoleSelector.addItems(list(use_texts()))
        ui.caseClassSelector.lineEdit().placeholderText = _("not known yet")
        ui.caseClassSelector.connect("activated(int)", self._on_class)
        ui.caseClassSelector.lineEdit().connect("editingFinished()", self._on_class)
        ui.caseGroupEdit.connect("editingFinished()", self._on_group)
        ui.caseRoleSelector.connect("activated(int)", self._on_use)
        ui.selectionFrame.visible = False

    def show(self, rows: Sequence[CaseRow], classes: Sequence[str]) -> None:
        """Show what these cases say; what is being typed is left alone as long as they say the same as before."""
        if tuple(rows) == self._rows and tuple(classes) == self._classes:
            return
        same = [row.name for row in rows] == [row.name for row in self._rows]
        self._rows, self._classes = tuple(rows), tuple(classes)
        if not same:
            self.question.hide()
        ui = self._ui
        ui.selectionFrame.visible = bool(rows)
        if not rows:
            return
        self._quiet = True
        ui.selectionLabel.text = self._title()
        self._show_class()
        groups = {row.group for row in rows}
        ui.caseGroupEdit.text = groups.pop() if len(groups) == 1 else ""
        ui.caseGroupEdit.placeholderText = _("several") if groups else _("not known")
        uses = {use_of(row) for row in rows}
        ui.caseRoleSelector.setCurrentIndex(uses.pop() if len(uses) == 1 else -1)
        self._quiet = False

    def focus_class(self) -> None:
        """Let the user type a class."""
        self._ui.caseClassSelector.setFocus()

    def _title(self) -> str:
        names = [row.name for row in self._rows]
        if len(names) == 1:
            return _("Selected: {name}").format(name=names_text(names))
        return _("Selected: {count} cases. A change is made in all of them.").format(count=len(names))

    def _show_class(self) -> None:
        selector = self._ui.caseClassSelector
        selector.clear()
        selector.addItems(["", *self._classes])
        common = {row.class_name for row in self._rows}
        selector.lineEdit().placeholderText = _("several") if len(common) > 1 else _("not known yet")
        selector.setEditText(common.pop() if len(common) == 1 else "")

    def _on_class(self, *_index: Any) -> None:
        if self._quiet or not self._rows or self.question.shown:
            return
        text = self._ui.caseClassSelector.currentText.strip()
        common = {row.class_name for row in self._rows}
        if common == {text} or (not text and len(common) > 1 and not _index):
            return  # nothing was typed
        known = known_class(text, self._classes)
        if not text or known is not None:
            self._set_class(known or "", False)
        else:
            self.question.ask(text, self._classes, self._set_class)

    def _set_class(self, name: str, new: bool) -> None:
        self._ask(class_name=name, new_class=new)

    def _on_group(self) -> None:
        text = self._ui.caseGroupEdit.text.strip()
        common = {row.group for row in self._rows}
        if self._quiet or not self._rows or common == {text} or (not text and len(common) > 1):
            return
        self._ask(group=text)

    def _on_use(self, *_index: Any) -> None:
        index = self._ui.caseRoleSelector.currentIndex
        if self._quiet or not self._rows or index < 0:
            return
        if {use_of(row) for row in self._rows} != {index}:
            role, split = USES[index]
            self._ask(role=role, split=split)

    def _ask(self, **fields: Any) -> None:
        rows, self._rows = self._rows, ()  # whatever comes back is shown, also what was there before
        self._change(tuple(row.name for row in rows), **fields)
