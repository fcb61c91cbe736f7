"""Correcting the segmentation of a case: a copy is edited, and saved to the case or put aside."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.case_nodes import (
    FOLDER,
    case_segmentation,
    case_volumes,
    file_stamp,
    forget_node,
    mark_nodes,
)
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.segment_editor import editable_copy, open_editor
from SegClassifyPanel.set_job import SetListener

make_importable()

from SegClassifyLib.worker.set_messages import SetChanged  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyLib.worker.set_messages import CaseRow, SetInfo
    from SegClassifyPanel.set_page import SetPage

EDITED = "SegClassify.EditedCase"
"""Attribute of a segmentation node that is being edited: name of the case that it will belong to."""


class CaseEdit:
    """The frame on the page that waits for the user to come back. What is edited is known by its node's attributes, so
    that it survives another module, a reload and a saved scene.

    Args:
        ui: the widgets of TrainTab.ui.
        page: the page it is on.
    """

    def __init__(self, ui: SimpleNamespace, page: SetPage) -> None:
        self._ui, self._page = ui, page
        self._saving = False
        self._alive = True
        ui.saveEditButton.connect("clicked()", self.save)
        ui.continueEditButton.connect("clicked()", self.go_on)
        ui.discardEditButton.connect("clicked()", self.put_aside)
        ui.discardEditButton.toolTip = _(
            "Leave the case as it is. What was drawn stays in the scene, hidden."
        )
        self.update()

    @property
    def case(self) -> str:
        """Name of the case that is being edited; empty for none."""
        node = self._node()
        return (node.GetAttribute(EDITED) or "") if node is not None else ""

    def begin(self, info: SetInfo, row: CaseRow) -> None:
        """Edit the segmentation of a case that has been loaded."""
        volumes = case_volumes(info.folder, row)
        if not volumes:
            return
        node = self._node(row.name)
        if node is None:
            before = case_segmentation(info.folder, row.name)
            name = _("{case} correction").format(case=row.name)
            node = editable_copy(before, volumes[0], info.labels, name)
            node.SetAttribute(FOLDER, info.folder)
            node.SetAttribute(EDITED, row.name)
        self.update()
        self._say(open_editor(node, volumes[0]))

    def go_on(self) -> None:
        """Back to the editor."""
        node, row, info = self._node(), self._row(), self._page.info
        volumes = case_volumes(info.folder, row) if info is not None and row is not None else []
        if node is None or not volumes:
            self._say(_("The image of this case is no longer in the scene: show the case again first."))
            return
        self._say(open_editor(node, volumes[0]))

    def save(self) -> None:
        """Write what was drawn into the set."""
        node, row, info = self._node(), self._row(), self._page.info
        if node is None or info is None or self._saving:
            return
        volumes = case_volumes(info.folder, row) if row is not None else []
        if row is None or not volumes:
            self._say(
                _("“{case}” is no longer in the training set: what you drew stays in the scene.").format(
                    case=self.case
                )
                if row is None
                else _("The image of this case is no longer in the scene: show the case again first.")
            )
            return
        self._saving = True
        node_id, folder, case = node.GetID(), info.folder, row.name
        listener = SetListener(
            lambda changed: self._saved(changed, folder, case, node_id),
            lambda sentence: self._not_saved(case, sentence),
            lambda: self._not_saved(case, _("Cancelled.")),
        )
        self._page.sets.start_save_segmentation(folder, case, volumes[0].GetID(), node_id, listener)
        self.update()

    def put_aside(self) -> None:
        """The case stays as it is; what was drawn stays in the scene, hidden."""
        node, case, info = self._node(), self.case, self._page.info
        if node is None or info is None:
            return
        node.RemoveAttribute(EDITED)
        forget_node(node)
        node.SetDisplayVisibility(False)
        before = case_segmentation(info.folder, case)
        if before is not None:
            before.SetDisplayVisibility(True)
        self.update()
        self._page.say(
            _("“{case}” stays as it was. What you drew is still in the scene, hidden, as “{node}”.").format(
                case=case, node=node.GetName()
            )
        )

    def update(self) -> None:
        """Show whether something is being edited."""
        case, ui = self.case, self._ui
        ui.editFrame.visible = bool(case)
        if not case:
            return
        ui.editLabel.text = (
            _("Saving the segmentation of “{case}”…").format(case=case)
            if self._saving
            else _("You are correcting the segmentation of “{case}”. It is not saved yet.").format(case=case)
        )
        for button in (ui.saveEditButton, ui.continueEditButton, ui.discardEditButton):
            button.enabled = not self._saving

    def close(self) -> None:
        """Answers that come later are for nobody."""
        self._alive = False

    def _saved(self, changed: SetChanged, folder: str, case: str, node_id: str) -> None:
        self._saving = False
        node = slicer.mrmlScene.GetNodeByID(node_id)
        if node is not None:  # from now on it is what the case looks like
            before = case_segmentation(folder, case)
            if before is not None and before is not node:
                slicer.mrmlScene.RemoveNode(before)
            node.RemoveAttribute(EDITED)
            file = next((row.segmentation_file for row in changed.set.cases if row.name == case), "")
            mark_nodes(folder, case, (), node_id, file_stamp(file))
        if self._alive:
            self._page.take(changed.set)
            notes = "".join("\n" + note for note in changed.notes)
            self._page.say(_("The segmentation of “{case}” is saved.").format(case=case) + notes)
            self.update()

    def _not_saved(self, case: str, sentence: str) -> None:
        self._saving = False
        if self._alive:
            self._say(
                _("The segmentation of “{case}” was NOT saved; it is still in the scene. {reason}").format(
                    case=case, reason=sentence
                )
            )
            self.update()

    def _row(self) -> CaseRow | None:
        info, case = self._page.info, self.case
        return next((row for row in info.cases if row.name == case), None) if info is not None else None

    def _node(self, case: str = "") -> Any:
        """The segmentation that is being edited in the set that is open, of this case or of any."""
        folder = self._page.info.folder if self._page.info is not None else None
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            edited = node.GetAttribute(EDITED)
            if edited and node.GetAttribute(FOLDER) == folder and case in ("", edited):
                return node
        return None

    def _say(self, problem: str) -> None:
        if problem:
            self._page.say(problem, True)
