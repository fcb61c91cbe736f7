"""The section Training set: which folder, what it holds, who else has it open, and making a new one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.new_set_form import NewSetForm
from SegClassifyPanel.section import Section
from SegClassifyPanel.set_job import SetListener
from SegClassifyPanel.texts import cases_words, show_text

make_importable()

from SegClassifyLib.worker.set_messages import CreateSetParams, OpenSetParams, SetInfo  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyPanel.set_page import SetPage

DATASET = "dataset.json"
"""The file that makes a folder a training set."""


class SetSection(Section):
    """Opens and makes sets.

    Args:
        resources: the module's folder Resources.
        layout: where the section goes.
        page: the page it is on.
    """

    def __init__(self, resources: Path, layout: qt.QVBoxLayout, page: SetPage) -> None:
        super().__init__(resources, layout, "SetSection.ui")
        self._page = page
        self._info: SetInfo | None = None
        self._opening = ""
        self._problem = ""
        self._alive = True
        ui = self.ui
        show_icon(ui.othersIcon, qt.QStyle.SP_MessageBoxInformation)
        self.form = NewSetForm(ui, page, self.create)
        self._show_folder("")  # the field itself would begin with the folder that was used last
        # currentPathChanged is told of folders that exist, and not while a new one is being written.
        ui.setFolderEdit.comboBox().connect("editTextChanged(QString)", self._on_folder)
        ui.newSetButton.connect("toggled(bool)", self._on_new)
        self.update()

    @property
    def folder(self) -> str:
        """The folder that is written in the field."""
        return str(self.ui.setFolderEdit.currentPath).strip()

    def open(self, folder: str) -> None:
        """Open the set in a folder; the one that is open stays if that goes wrong."""
        self._opening, self._problem = folder, ""
        self._show_folder(folder)
        self._page.sets.start(
            OpenSetParams(folder),
            SetListener(
                lambda info: self._opened(folder, info),
                lambda sentence: self._not_opened(folder, sentence),
                lambda: self._not_opened(folder, _("Cancelled.")),
            ),
        )
        self.update()

    def create(self, params: CreateSetParams) -> None:
        """Make a set and open it."""
        self._opening, self._problem = params.folder, ""
        self._page.sets.start(
            params,
            SetListener(
                lambda info: self._created(params.folder, info),
                lambda sentence: self._not_opened(params.folder, sentence),
                lambda: self._not_opened(params.folder, _("Cancelled.")),
            ),
        )
        self.update()

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or the same one changed."""
        self._info = info
        self.update()

    def update(self) -> None:
        """Show what there is."""
        ui, info, need = self.ui, self._info, self._page.install_need
        ui.setFolderEdit.enabled = ui.newSetButton.enabled = not need
        show_text(ui.setFacts, _facts(info) if info else "")
        others = info.others if info else ""
        ui.othersLabel.text = others
        ui.othersFrame.visible = bool(others)
        show_text(ui.setHint, need or self._hint())
        ui.newSetFrame.visible = bool(ui.newSetButton.checked)
        if ui.newSetButton.checked:
            self.form.update(self.folder, bool(self._opening))

    def close(self) -> None:
        """Answers that come later are for nobody."""
        self._alive = False

    def _hint(self) -> str:
        if self._opening:
            return _("Opening…")
        if self._problem:
            return self._problem
        if self.ui.newSetButton.checked:
            return ""
        folder = self.folder
        if not folder:
            return _(
                "A training set is a folder of cases that a model learns from. Choose the folder of one above, or "
                "click “New…” to begin one."
            )
        if self._info is not None and _same(folder, self._info.folder):
            return ""
        if not Path(folder).is_dir():
            return _("There is no such folder: choose another one, or click “New…” to make it.")
        if not (Path(folder) / DATASET).is_file():
            return _(
                "There is no training set in this folder: choose another one, or click “New…” to begin one."
            )
        return ""

    def _on_folder(self, *_path: Any) -> None:
        folder = self.folder
        if folder and folder == self._opening:
            return
        self._problem = ""
        here = self._info is not None and _same(folder, self._info.folder)
        if folder and not here and not self.ui.newSetButton.checked and (Path(folder) / DATASET).is_file():
            self.open(folder)
        else:
            self.update()

    def _on_new(self, checked: bool) -> None:
        self._problem = ""
        if checked:
            if (Path(self.folder) / DATASET).is_file():
                self._show_folder("")
            self.form.prefill()
        elif self._info is not None:
            self._show_folder(self._info.folder)
        self.update()

    def _created(self, folder: str, info: SetInfo) -> None:
        self.ui.newSetButton.checked = False
        self._opened(folder, info)

    def _opened(self, folder: str, info: SetInfo) -> None:
        if not self._alive or folder != self._opening:
            return
        self._opening = ""
        self._show_folder(info.folder)
        edit = self.ui.setFolderEdit
        edit.blockSignals(True)  # the path goes out of its list and comes in again
        edit.addCurrentPathToHistory()
        edit.blockSignals(False)
        self._page.take(info)

    def _not_opened(self, folder: str, sentence: str) -> None:
        if self._alive and folder == self._opening:
            self._opening, self._problem = "", sentence
            self.update()

    def _show_folder(self, folder: str) -> None:
        edit = self.ui.setFolderEdit
        if edit.currentPath != folder:
            edit.blockSignals(True)
            edit.setCurrentPath(folder)
            edit.blockSignals(False)


def _same(one: str, other: str) -> bool:
    return bool(one) and Path(one) == Path(other)


def _facts(info: SetInfo) -> str:
    lines = [
        _("“{name}”: {cases}").format(name=info.name, cases=cases_words(len(info.cases))),
        _("Images of a case: {names}").format(names=", ".join(info.channels)),
    ]
    lines.append(
        _("Labels: {names}").format(names=", ".join(label.name for label in info.labels) or _("none"))
    )
    return "\n".join(lines)
