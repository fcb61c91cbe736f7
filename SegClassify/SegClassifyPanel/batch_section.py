"""The section for many cases: what to go through, the table that fills row by row, and its export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.batch import BatchListener, BatchRunner, RowState
from SegClassifyPanel.batch_items import BatchItem, folder_items, scene_items
from SegClassifyPanel.batch_table import BatchTable
from SegClassifyPanel.section import Section
from SegClassifyPanel.settings import Settings

if TYPE_CHECKING:
    from SegClassifyPanel.panel_logic import BatchHost, PanelLogic


class BatchSection(Section):
    """Starts a batch with the model of the page it is on, and shows it.

    Args:
        resources: the module's folder Resources.
        layout: where the section goes.
        logic: runs the batch.
        host: the page: its model, device and whether it is busy; told when a batch begins and ends.
        settings: where the last folder of an export is kept.
    """

    def __init__(
        self, resources: Path, layout: qt.QVBoxLayout, logic: PanelLogic, host: BatchHost, settings: Settings
    ) -> None:
        super().__init__(resources, layout, "BatchSection.ui")
        self._logic = logic
        self._host = host
        self._settings = settings
        self._runner: BatchRunner | None = None
        self._cancelling = False
        ui = self.ui
        self.table = BatchTable(ui.batchTable, self._explain, self._show_case)
        ui.folderEdit.connect("currentPathChanged(QString)", self._on_source)
        ui.folderEdit.connect("validInputChanged(bool)", self._on_source)
        ui.sceneRadio.connect("toggled(bool)", self._on_source)
        ui.batchButton.connect("clicked()", self._on_click)
        ui.exportButton.connect("clicked()", self.export)
        ui.batchProgress.visible = ui.batchStatus.visible = False

    @property
    def running(self) -> bool:
        """Whether a batch runs."""
        return self._runner is not None and self._runner.running

    @property
    def folder(self) -> str:
        """The folder to go through; empty for the volumes of the scene."""
        return self.ui.folderEdit.currentPath if self.ui.folderRadio.checked else ""

    @folder.setter
    def folder(self, path: str) -> None:
        if path == self.folder:
            return
        self.ui.folderRadio.checked = bool(path)
        self.ui.sceneRadio.checked = not path
        if path:
            self.ui.folderEdit.setCurrentPath(path)

    def update(self) -> None:
        """Enable what can be used now."""
        ui, running = self.ui, self.running
        ui.sceneRadio.enabled = ui.folderRadio.enabled = not running
        ui.folderEdit.enabled = not running and ui.folderRadio.checked
        ui.exportButton.enabled = bool(self._runner and any(row.result for row in self._runner.rows))
        if running:
            return
        items, need = self._items()
        ui.sceneRadio.text = self._scene_text()
        ui.batchButton.text = _("Classify all")
        ui.batchButton.accessibleName = _("Classify all")
        ui.batchButton.enabled = not need
        ui.batchButton.toolTip = need or _("Classify {cases}, one after another.").format(
            cases=_cases(len(items))
        )
        ui.batchNeeds.text = need
        ui.batchNeeds.visible = bool(need)

    def start(self) -> None:
        """Classify everything that was found."""
        items, need = self._items()
        model = self._host.usable_model
        if need or model is None:
            self.update()
            return
        self._cancelling = False
        listener = BatchListener(self._on_row, self._on_phase, self._on_end)
        self._runner = self._logic.batch(
            items, model.path, self._host.device, self._host.keep_earlier, listener
        )
        self.table.fill(self._runner.rows)
        ui = self.ui
        if ui.folderRadio.checked:
            ui.folderEdit.blockSignals(True)  # the path goes out of its list and comes in again
            ui.folderEdit.addCurrentPathToHistory()
            ui.folderEdit.blockSignals(False)
        ui.batchNeeds.visible = False
        ui.batchProgress.visible = ui.batchStatus.visible = True
        ui.batchProgress.maximum = len(items)
        ui.batchProgress.value = 0
        ui.batchButton.text = _("Cancel")
        ui.batchButton.accessibleName = _("Cancel")
        ui.batchButton.toolTip = _("Stop. Cases that are done stay in the table.")
        self._host.batch_changed()

    def cancel(self) -> None:
        """Stop after what is done."""
        if self._runner is not None and self._runner.running and not self._cancelling:
            self._cancelling = True
            self.ui.batchButton.enabled = False
            self.ui.batchStatus.text = _("Cancelling…")
            self._runner.cancel()

    def export(self) -> None:
        """Save the table as a CSV file, where the user says."""
        if self._runner is None:
            return
        start = str(Path(self._settings.browsed_folder or Path.home()) / "classification.csv")
        path = qt.QFileDialog.getSaveFileName(
            slicer.util.mainWindow(), _("Export table"), start, _("Table (*.csv)")
        )
        if not path:
            return
        self._settings.browsed_folder = str(Path(path).parent)
        try:
            self._runner.to_csv(path)
        except OSError as error:
            self._say(
                _("The table cannot be saved to {path} ({reason}): choose another place.").format(
                    path=path, reason=error.strerror or error
                )
            )
        else:
            self._say(_("Saved to {path}.").format(path=path))

    def close(self) -> None:
        """Nothing is shown any more; the logic cancels what runs."""
        self._runner = None

    def _items(self) -> tuple[list[BatchItem], str]:
        """The cases, and a sentence on what has to be done first; one of the two is empty."""
        need, model = self._host.batch_need, self._host.usable_model
        if need or model is None:
            return [], need
        channels = [channel.name for channel in model.channels]
        if self.ui.sceneRadio.checked:
            items = scene_items(channels)
            return items, "" if items else _nothing_in_scene(channels)
        if not self.ui.folderEdit.currentPath:
            return [], _("Choose a folder of images.")
        try:
            items = folder_items(self.ui.folderEdit.currentPath, channels)
        except OSError as error:
            return [], _("The folder cannot be read ({reason}): choose another one.").format(
                reason=error.strerror or error
            )
        return items, "" if items else _nothing_in_folder(channels)

    def _scene_text(self) -> str:
        model = self._host.usable_model
        count = len(scene_items([channel.name for channel in model.channels])) if model else 0
        return _("Volumes of the scene ({cases})").format(cases=_cases(count))

    def _on_click(self) -> None:
        if self.running:
            self.cancel()
        else:
            self.start()

    def _on_source(self, *_value: Any) -> None:
        self._host.batch_changed()

    def _on_row(self, index: int) -> None:
        if self._runner is None:
            return
        rows = self._runner.rows
        self.table.show_row(index, rows[index])
        over = sum(row.state not in (RowState.WAITING, RowState.RUNNING) for row in rows)
        self.ui.batchProgress.value = over

    def _on_phase(self, text: str, _fraction: float | None) -> None:
        if self._runner is None or self._cancelling:
            return
        row = next((r for r in self._runner.rows if r.state is RowState.RUNNING), None)
        self._say(f"{row.name}: {text}" if row else text)

    def _on_end(self) -> None:
        if self._runner is None:
            return
        rows = self._runner.rows
        done = sum(row.state is RowState.DONE for row in rows)
        failed = sum(row.state is RowState.FAILED for row in rows)
        text = _("Done: {done} of {cases}.").format(done=done, cases=_cases(len(rows)))
        if failed:
            text += " " + _("Not classified: {failed}; click on such a row to see why.").format(failed=failed)
        self.ui.batchProgress.visible = False
        self._say(text)
        self._host.batch_changed()

    def _explain(self, index: int) -> None:
        if self._runner is None or self.running:
            return
        row = self._runner.rows[index]
        if row.state is RowState.FAILED:
            self._say(_("{case}: {reason}").format(case=row.name, reason=row.message))

    def _show_case(self, index: int) -> None:
        if self._runner is None or self.running:
            return
        try:
            node_id = self._runner.show(index)
        except (ValueError, RuntimeError, OSError) as error:
            self._say(str(error))
            return
        self._host.show_case(node_id)

    def _say(self, text: str) -> None:
        self.ui.batchStatus.text = text
        self.ui.batchStatus.visible = bool(text)


def _cases(count: int) -> str:
    if count == 0:
        return _("no case")
    return _("1 case") if count == 1 else _("{count} cases").format(count=count)


def _nothing_in_scene(channels: list[str]) -> str:
    if len(channels) == 1:
        return _("There is no volume in the scene: load some, or choose a folder.")
    return _("No case in the scene has all of {channels}: name the volumes so (alpha_{first}, …).").format(
        channels=", ".join(channels), first=channels[0]
    )


def _nothing_in_folder(channels: list[str]) -> str:
    if len(channels) == 1:
        return _("There is no image in this folder: choose another one.")
    return _(
        "No case in this folder has all of {channels}: name the files so (alpha_{first}.nii.gz, …)."
    ).format(channels=", ".join(channels), first=channels[0])
