"""Brings many cases in: from a table, from folders, or all volumes of the scene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import qt
import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.scene_import import SceneImport
from SegClassifyPanel.set_job import SetListener
from SegClassifyPanel.texts import cases_words

make_importable()

from SegClassifyLib.worker.set_messages import ImportCasesParams, SetChanged  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyPanel.job_line import JobLine
    from SegClassifyPanel.set_page import SetPage


class ImportMenu:
    """The menu behind the button "Import…".

    Args:
        button: gets the menu.
        line: shows how it goes.
        page: the page it is on.
    """

    def __init__(self, button: qt.QPushButton, line: JobLine, page: SetPage) -> None:
        self._line, self._page = line, page
        self._scene: SceneImport | None = None
        self._alive = True
        self._menu = menu = qt.QMenu(button)
        for text, start in (
            (_("From a table (CSV)…"), self.from_table),
            (_("From a folder with one folder for each class…"), lambda: self.from_folder("folders")),
            (_("From a Decathlon or nnU-Net folder…"), lambda: self.from_folder("decathlon")),
            (_("All volumes of the scene"), self.from_scene),
        ):
            menu.addAction(text).connect("triggered()", start)
        menu.addSeparator()
        self._copy = menu.addAction(_("Copy the files into the training set"))
        self._copy.checkable = True
        self._copy.checked = True
        self._copy.toolTip = _("Otherwise the files stay where they are, and must not be moved.")
        menu.toolTipsVisible = True
        button.setMenu(menu)

    def from_table(self) -> None:
        """Ask for a CSV file and bring its cases in."""
        path = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(),
            _("Import cases from a table"),
            self._page.browsed_folder,
            _("Table (*.csv *.tsv *.txt)"),
        )
        if path:
            self._page.browsed_folder = str(Path(path).parent)
            self.start(path, "csv")

    def from_folder(self, kind: str) -> None:
        """Ask for a folder and bring its cases in."""
        path = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Import cases from a folder"), self._page.browsed_folder
        )
        if path:
            self._page.browsed_folder = path
            self.start(path, kind)

    def start(self, source: str, kind: str) -> None:
        """Bring the cases of a file or folder in."""
        info = self._page.info
        if info is None or self._line.running:
            return
        params = ImportCasesParams(info.folder, source, kind, bool(self._copy.checked))
        listener = SetListener(
            self._imported, self._failed, self._cancelled, lambda *words: self._line.show(*words)
        )
        job = self._page.sets.start(params, listener)
        self._line.start(_("Importing…"), job.cancel)
        self._page.update()

    def from_scene(self) -> None:
        """Bring all volumes of the scene in that are not in the set yet."""
        info = self._page.info
        if info is None or self._line.running:
            return
        scene = SceneImport(info, self._page.sets, self._line.show, self._taken, self._scene_done)
        if not scene.count:
            self._page.say(
                _("Nothing to import: there is no volume in the scene that is not in the set yet.")
                if len(info.channels) == 1
                else _(
                    "Nothing to import: no case in the scene has all of {channels}. Name the volumes so "
                    "(alpha_{first}, …)."
                ).format(channels=", ".join(info.channels), first=info.channels[0]),
                True,
            )
            return
        self._scene = scene
        self._line.start(_("Importing…"), scene.cancel)
        self._page.update()
        scene.start()

    def close(self) -> None:
        """Bring no more cases in; what is in stays."""
        self._alive = False
        if self._scene is not None:
            self._scene.cancel()

    def _taken(self, changed: SetChanged) -> None:
        if self._alive:
            self._page.take(changed.set)

    def _imported(self, changed: SetChanged) -> None:
        self._end()
        if self._alive:
            self._page.take(changed.set)
            self._page.say(_report(len(changed.cases), changed.notes))
            self._page.select_cases(changed.cases)

    def _scene_done(self, added: tuple[str, ...], notes: tuple[str, ...]) -> None:
        self._scene = None
        self._end()
        if self._alive:
            self._page.say(_report(len(added), notes), bool(notes))
            self._page.select_cases(added)

    def _failed(self, sentence: str) -> None:
        self._end()
        if self._alive:
            self._page.say(_("Not everything was imported. {reason}").format(reason=sentence), True)
            self._page.reload()

    def _cancelled(self) -> None:
        self._end()
        if self._alive:
            self._page.say(_("Cancelled. Cases that are in the table are in the training set."))
            self._page.reload()

    def _end(self) -> None:
        self._line.end()
        if self._alive:
            self._page.update()


def _report(count: int, notes: tuple[str, ...]) -> str:
    text = _("Imported: {cases}.").format(cases=cases_words(count))
    shown = list(notes[:5])
    if len(notes) > len(shown):
        shown.append(_("… and {count} more like these.").format(count=len(notes) - len(shown)))
    return "\n".join([text, *shown])
