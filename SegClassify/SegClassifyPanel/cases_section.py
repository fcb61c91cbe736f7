"""The section Cases: table, filter, what is selected, and bringing many cases in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel import cases_table
from SegClassifyPanel.case_editor import CaseEditor
from SegClassifyPanel.case_words import names_text
from SegClassifyPanel.cases_table import CasesTable
from SegClassifyPanel.import_menu import ImportMenu
from SegClassifyPanel.job_line import JobLine
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.section import Section
from SegClassifyPanel.texts import cases_words, show_text

make_importable()

from SegClassifyLib.worker.set_messages import (  # noqa: E402
    ChangeCasesParams,
    RemoveCasesParams,
    UndoSetParams,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from SegClassifyLib.worker.set_messages import CaseRow, SetInfo
    from SegClassifyPanel.set_page import SetPage


class CasesSection(Section):
    """Shows the cases of the set that is open.

    Args:
        resources: the module's folder Resources.
        layout: where the section goes.
        page: the page it is on.
    """

    def __init__(self, resources: Path, layout: qt.QVBoxLayout, page: SetPage) -> None:
        super().__init__(resources, layout, "CasesSection.ui")
        self._page = page
        self._info: SetInfo | None = None
        self._ready = False
        ui = self.ui
        self.table = CasesTable(ui.casesTable, self._on_selection, page.open_case)
        self.editor = CaseEditor(ui, self.change)
        self.line = JobLine(ui, "cases")
        self.imports = ImportMenu(ui.importButton, self.line, page)
        ui.filterEdit.connect("textChanged(QString)", self._on_filter)
        ui.filterSelector.connect("currentIndexChanged(int)", self._on_filter)
        ui.showCaseButton.connect("clicked()", self._on_show)
        ui.editCaseButton.connect("clicked()", self._on_edit)
        ui.removeCasesButton.connect("clicked()", self.remove)
        ui.undoSetButton.connect("clicked()", self.undo)
        ui.newCaseButton.connect("clicked()", page.begin_case)
        ui.casesTable.contextMenuPolicy = qt.Qt.CustomContextMenu
        ui.casesTable.connect("customContextMenuRequested(QPoint)", self._on_menu)
        self._menu = qt.QMenu(ui.casesTable)
        self._ready = True
        self.set_changed(None)

    @property
    def selected(self) -> tuple[CaseRow, ...]:
        """The selected cases."""
        chosen = self.table.selected
        rows = {row.name: row for row in self._info.cases} if self._info else {}
        return tuple(rows[name] for name in chosen if name in rows)

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or the same one changed."""
        before, self._info = self._info, info
        if before is None or info is None or before.folder != info.folder:
            self.ui.filterEdit.text = ""
            self.editor.question.hide()
        self._fill_filters(info.classes if info else ())
        self.table.fill(info.cases if info else ())
        self._on_selection()

    def select(self, names: Sequence[str]) -> None:
        """Select these; a filter that hides one of them is taken away."""
        self.ui.filterEdit.text = ""
        self.ui.filterSelector.setCurrentIndex(0)
        self.table.select(names)

    def change(self, names: Sequence[str], **fields: Any) -> None:
        """Say something else of these cases."""
        info = self._info
        if info is not None and names:
            self._page.ask(
                ChangeCasesParams(info.folder, tuple(names), **fields),
                failed=_("Nothing was changed."),
            )

    def remove(self) -> None:
        """Take the selected cases out of the set."""
        names, info = self.table.selected, self._info
        if info is not None and names:
            said = _("Removed: {cases}. “Undo” brings them back.").format(cases=names_text(names))
            self._page.ask(RemoveCasesParams(info.folder, names), said, failed=_("Nothing was removed."))

    def undo(self) -> None:
        """Take the last change back."""
        info = self._info
        if info is not None and info.undo:
            said = _("Undone: {what}.").format(what=info.undo)
            self._page.ask(UndoSetParams(info.folder), said, failed=_("Nothing was undone."))

    def update(self) -> None:
        """Enable what can be used now."""
        ui, info, chosen = self.ui, self._info, self.selected
        one = len(chosen) == 1
        need = "" if info else _("Open a training set first, or make one.")
        some = need or ("" if chosen else _("Select cases in the table first."))
        single = some or ("" if one else _("Select a single case."))
        edit = single or self._page.edit_need
        undo = need or ("" if info and info.undo else _("Nothing was changed here yet."))
        busy = need or (_("Cases are being added: wait, or cancel that.") if self.line.running else "")
        _enable(ui.showCaseButton, single, _("Show this case in the slice views."))
        _enable(ui.editCaseButton, edit, _("Draw or correct the segmentation in the module Segment Editor."))
        _enable(ui.removeCasesButton, some, _("Take the selected cases out of the training set."))
        _enable(ui.undoSetButton, undo, _("Take this back: {what}.").format(what=info.undo if info else ""))
        _enable(ui.importButton, busy, _("Bring many cases in at once."))
        _enable(ui.newCaseButton, need, _("Add the images that are open in Slicer as a case."))
        for widget in (ui.filterEdit, ui.filterSelector, ui.casesTable):
            widget.visible = bool(info and info.cases)

    def close(self) -> None:
        """Bring no more cases in."""
        self.imports.close()

    def _fill_filters(self, classes: Sequence[str]) -> None:
        selector = self.ui.filterSelector
        entries = [
            (_("All cases"), cases_table.ALL),
            (_("Without a class"), cases_table.NO_CLASS),
            (_("Not segmented"), cases_table.NO_SEGMENTATION),
            (_("Segmentation to be checked"), cases_table.UNCHECKED),
            (_("Predicted wrongly"), cases_table.WRONG),
            *((_("Class: {name}").format(name=name), cases_table.OF_CLASS + name) for name in classes),
        ]
        if [selector.itemData(n) for n in range(selector.count)] == [which for _text, which in entries]:
            return
        chosen = selector.currentData
        selector.blockSignals(True)
        selector.clear()
        for text, which in entries:
            selector.addItem(text, which)
        selector.setCurrentIndex(max(0, selector.findData(chosen)))
        selector.blockSignals(False)
        self._on_filter()

    def _on_filter(self, *_value: Any) -> None:
        self.table.filter(self.ui.filterEdit.text, self.ui.filterSelector.currentData or cases_table.ALL)
        self._show_count()
        self._on_selection()

    def _show_count(self) -> None:
        info = self._info
        if info is None:
            text = _("No training set is open.")
        elif not info.cases:
            text = _(
                "There is no case yet. Open an image in Slicer and click “Add a case”, or bring many in with “Import…”."
            )
        elif self.table.count < len(info.cases):
            text = _("{shown} of {cases} are shown.").format(
                shown=self.table.count, cases=cases_words(len(info.cases))
            )
        else:
            text = ""
        show_text(self.ui.casesCount, text)

    def _on_selection(self) -> None:
        if not self._ready:  # the table tells of itself while it is made
            return
        self._show_count()
        self.editor.show(self.selected, self._info.classes if self._info else ())
        self.update()

    def _on_show(self) -> None:
        if len(self.selected) == 1:
            self._page.open_case(self.selected[0].name)

    def _on_edit(self) -> None:
        if len(self.selected) == 1:
            self._page.edit_case(self.selected[0].name)

    def _on_menu(self, point: qt.QPoint) -> None:
        chosen, info = self.selected, self._info
        if info is None or not chosen:
            return
        menu = self._menu
        menu.clear()
        names = tuple(row.name for row in chosen)
        if len(chosen) == 1:
            menu.addAction(_("Show")).connect("triggered()", self._on_show)
            edit = menu.addAction(_("Edit segmentation"))
            edit.enabled = not self._page.edit_need
            edit.connect("triggered()", self._on_edit)
        for name in info.classes:
            action = menu.addAction(_("Class: {name}").format(name=name))
            action.connect("triggered()", lambda name=name: self.change(names, class_name=name))
        menu.addAction(_("No class")).connect("triggered()", lambda: self.change(names, class_name=""))
        menu.addAction(_("Remove")).connect("triggered()", self.remove)
        menu.popup(self.ui.casesTable.viewport().mapToGlobal(point))


def _enable(button: qt.QPushButton, need: str, tip: str) -> None:
    """Enable a button, or say in its tool tip what has to be done first."""
    button.enabled = not need
    button.toolTip = need or tip
