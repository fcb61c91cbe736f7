"""The section Add a case: images of the scene with what is known of them, into the training set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.add_form import AddForm
from SegClassifyPanel.add_images import chosen_elsewhere, free_volumes, unmet_images
from SegClassifyPanel.case_nodes import file_stamp, mark_nodes
from SegClassifyPanel.class_question import ClassQuestion, known_class
from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.inputs_section import InputsSection
from SegClassifyPanel.job_line import JobLine
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.result_nodes import CHANNEL, result_of
from SegClassifyPanel.section import Section
from SegClassifyPanel.segment_editor import editable_copy, open_editor
from SegClassifyPanel.set_job import SetListener
from SegClassifyPanel.set_logic import NewCase

make_importable()

from SegClassifyLib.worker.set_messages import SetChanged  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyLib.worker.set_messages import SetInfo
    from SegClassifyPanel.set_page import SetPage


class AddSection(Section):
    """A form that keeps what was typed until the worker has answered that the case is saved.

    Args:
        resources: the module's folder Resources.
        layout: where the section goes.
        page: the page it is on.
    """

    def __init__(self, resources: Path, layout: qt.QVBoxLayout, page: SetPage) -> None:
        super().__init__(resources, layout, "AddSection.ui")
        self._page = page
        self._info: SetInfo | None = None
        self._pending = ""
        self._alive = True
        self._ready = False
        ui = self.ui
        self.line = JobLine(ui, "add")
        self.question = ClassQuestion(ui, "addQuestion")
        self.form = AddForm(ui, self.update)
        self.inputs = InputsSection(ui, self._on_volumes, self._free_volumes)
        self._ready = True
        ui.inputsHint.text = _("Open a training set first, or make one.")
        ui.addButton.connect("clicked()", self.add)
        ui.drawButton.connect("clicked()", self.draw)
        self._show_result("")
        self.set_changed(None)

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or the same one changed."""
        before = self._info
        if info is None or before is None or before.folder != info.folder:
            self._info = None
            self.question.hide()
            self.form.clear()
            self._show_result("")
        self._info = info
        self.ui.addForm.visible = self.ui.inputRows.visible = info is not None
        self.form.set_classes(info.classes if info else ())
        channels = info.channels if info else ()
        self.inputs.set_channels(channels, chosen_elsewhere(info, self._page) if before is None else ())
        if info is not None and self._pending:
            self.use_result(self._pending)

    def nodes_changed(self) -> None:
        """Nodes came or went."""
        self.inputs.prefill()

    def use_result(self, node_id: str) -> None:
        """Fill the form with a result of the page Classify; once a set is open, if none is."""
        node = slicer.mrmlScene.GetNodeByID(node_id)
        if node is None or self._info is None:
            self._pending = node_id if node is not None else ""
            return
        self._pending = ""
        count = node.GetNumberOfNodeReferences(CHANNEL)
        volumes = [node.GetNthNodeReference(CHANNEL, n) for n in range(count)]
        if count != len(self._info.channels):
            self._page.say(
                _(
                    "This result is of {count} images, and a case of this training set has {wanted} ({names}): choose "
                    "the images yourself."
                ).format(count=count, wanted=len(self._info.channels), names=", ".join(self._info.channels)),
                True,
            )
        self._fill(volumes)
        self.form.choose_segmentation(node)
        result = result_of(node)
        self.form.show_predicted(result.predicted if result is not None and result.predicted else "")
        self.update()

    def use_volumes(self, volumes: Sequence[Any], name: str, group: str) -> None:
        """Fill the form with these."""
        self._fill(volumes)
        self.form.set_names(name, group)
        self.update()

    def needs(self) -> list[str]:
        """What has to be done before the case can be added."""
        info = self._info
        if info is None:
            return [_("Open a training set first, or make one.")]
        found = unmet_images(info, self.inputs.nodes())
        if not found and not self.form.name:
            found.append(_("Give the case a name."))
        return found

    def add(self) -> None:
        """Add the case; a class that the set does not know is asked about first."""
        info, typed = self._info, self.form.class_name
        if info is None or self.line.running or self.needs():
            self.update()
            return
        known = known_class(typed, info.classes)
        if typed and known is None:
            self.question.ask(typed, info.classes, self._add)
        else:
            self.question.hide()
            self._add(known or "", False)

    def draw(self) -> None:
        """Open Segment Editor: with the chosen segmentation, a copy of a prediction, or a new one."""
        info, nodes = self._info, self.inputs.nodes()
        volume = nodes[0] if nodes else None
        if info is None or volume is None:
            return
        node = self.form.segmentation
        if node is None or result_of(node) is not None:
            name = self.form.name or volume.GetName()
            words = _("{case} segmentation") if node is None else _("{case} correction")
            predicted = self.form.predicted_class
            copy = editable_copy(node, volume, info.labels, words.format(case=name))
            self.form.choose_segmentation(copy, corrected=node is not None)
            self.form.show_predicted(predicted)
            node = copy
        problem = open_editor(node, volume)
        if problem:
            self._page.say(problem, True)
        self.update()

    def update(self) -> None:
        """Enable what can be used now."""
        if not self._ready:  # the parts tell of themselves while they are made
            return
        ui, needs, running = self.ui, self.needs(), self.line.running
        ui.addNeeds.text = "\n".join(needs)
        ui.addNeeds.visible = bool(needs) and not running and self._info is not None
        ui.addButton.visible = not running
        ui.addButton.enabled = not needs and not running
        ui.addButton.toolTip = "\n".join(needs) or _("Save these images as a case of the training set.")
        self.inputs.set_enabled(not running)
        self.form.set_enabled(not running)
        nodes = self.inputs.nodes()
        can_draw = bool(nodes) and nodes[0] is not None and not running and not self._page.edit_need
        ui.drawButton.enabled = can_draw
        ui.drawButton.toolTip = (
            _("Draw or correct the segmentation in the module Segment Editor.")
            if can_draw
            else self._page.edit_need or _("Choose the images first.")
        )

    def focus(self) -> None:
        """Let the user begin."""
        self.inputs.prefill()
        self.ui.addClassSelector.setFocus()

    def close(self) -> None:
        """Answers that come later are for nobody; a case that is on its way still gets in."""
        self._alive = False
        self.inputs.close()

    def _add(self, class_name: str, new: bool) -> None:
        info = self._info
        if info is None or self.line.running or self.needs():
            return
        form = self.form
        role, split = form.use
        segmentation = form.segmentation
        case = NewCase(
            name=form.name,
            volumes=tuple(node.GetID() for node in self.inputs.nodes()),
            segmentation=segmentation.GetID() if segmentation is not None else "",
            class_name=class_name,
            new_class=new,
            group=form.group,
            role=role,
            split=split,
            predicted=form.predicted,
        )
        self._show_result("")
        listener = SetListener(
            lambda changed: self._added(info.folder, case, changed),
            lambda sentence: self._not_added(info, case, sentence),
            lambda: self._not_added(info, case, _("It was cancelled.")),
            lambda *words: self.line.show(*words),
        )
        try:
            job = self._page.sets.start_add(info.folder, case, listener)
        except OSError as error:
            self._show_result(_not_saved(case.name, str(error)), True)
            return
        self.line.start(_("Adding “{case}”…").format(case=case.name), job.cancel)
        self.update()

    def _added(self, folder: str, case: NewCase, changed: SetChanged) -> None:
        self.line.end()
        name = changed.cases[0] if changed.cases else case.name
        node = slicer.mrmlScene.GetNodeByID(case.segmentation) if case.segmentation else None
        file = next((row.segmentation_file for row in changed.set.cases if row.name == name), "")
        own = case.segmentation if node is not None and result_of(node) is None else ""
        mark_nodes(folder, name, case.volumes, own, file_stamp(file))
        if not self._alive:
            return
        if self._info is None or self._info.folder != folder:
            self._page.say(
                _("“{case}” is saved in the training set {folder}.").format(case=name, folder=folder)
            )
            return
        self.form.clear()
        self.inputs.set_nodes([None for _channel in self._info.channels])
        self._page.take(changed.set)
        self._page.select_cases((name,))
        self._show_result(
            "\n".join([_("“{case}” is saved in the training set.").format(case=name), *changed.notes])
        )
        self.inputs.prefill()

    def _not_added(self, before: SetInfo, case: NewCase, sentence: str) -> None:
        """Say so; but a worker that died may have done it before: the folder knows."""
        if not self._alive:
            return
        names = {row.name for row in before.cases}

        def look(info: SetInfo | None) -> None:
            self.line.end()
            new = [row for row in info.cases if row.name not in names] if info is not None else []
            found = next((row for row in new if row.name.startswith(case.name[:20])), None)
            if found is not None and info is not None:
                self._added(info.folder, case, SetChanged(info, (found.name,), (sentence,)))
            else:
                self._show_result(_not_saved(case.name, sentence), True)
            self.update()

        self._page.reload_then(look)

    def _fill(self, volumes: Sequence[Any]) -> None:
        self.form.clear()
        self._show_result("")
        wanted = list(volumes)[: len(self.inputs.selectors)]
        wanted += [None] * (len(self.inputs.selectors) - len(wanted))
        self.inputs.set_nodes(wanted)

    def _on_volumes(self) -> None:
        if self._ready and self._info is not None:
            self.form.set_volumes(self.inputs.nodes(), self._info.channels)
        self.update()

    def _free_volumes(self) -> list[Any]:
        return free_volumes(self._info, self.inputs.nodes()) if self._ready else []

    def _show_result(self, text: str, bad: bool = False) -> None:
        show_icon(
            self.ui.addResultIcon,
            qt.QStyle.SP_MessageBoxWarning if bad else qt.QStyle.SP_DialogApplyButton,
        )
        self.ui.addResultLabel.text = text
        self.ui.addResultFrame.visible = bool(text)


def _not_saved(name: str, reason: str) -> str:
    return _("“{case}” was NOT saved in the training set. What you filled in is still here. {reason}").format(
        case=name, reason=reason
    )
