"""The section What to do next: counts, and everything that is worth putting right, each with a button that helps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.job_line import JobLine
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.section import Section
from SegClassifyPanel.set_job import SetListener
from SegClassifyPanel.texts import cases_words, show_text

make_importable()

from SegClassifyLib.worker.set_messages import CheckSetParams, FindingInfo, SetGuide  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyLib.worker.set_messages import SetInfo
    from SegClassifyPanel.set_page import SetPage

SHOWN = 6
"""Findings that are shown at first."""

WAIT = 300
"""Milliseconds without a further change before a set is looked at again."""

_ICONS = {
    "error": qt.QStyle.SP_MessageBoxCritical,
    "warning": qt.QStyle.SP_MessageBoxWarning,
    "info": qt.QStyle.SP_MessageBoxInformation,
}


class GuideSection(Section):
    """Looks at the set after each change, at headers only; at every image when it is asked to.

    Args:
        resources: the module's folder Resources.
        layout: where the section goes.
        page: the page it is on.
    """

    def __init__(self, resources: Path, layout: qt.QVBoxLayout, page: SetPage) -> None:
        super().__init__(resources, layout, "GuideSection.ui")
        self._page = page
        self._info: SetInfo | None = None
        self._guide: SetGuide | None = None
        self._looked_at = ""
        self._asked = False
        self._alive = True
        self._status = ""
        self._pixels = ""
        self._deep: tuple[FindingInfo, ...] = ()
        self._rows: list[qt.QWidget] = []
        ui = self.ui
        self.line = JobLine(ui, "guide")
        self._delay = qt.QTimer()
        self._delay.setSingleShot(True)
        self._delay.interval = WAIT
        self._delay.connect("timeout()", self._look)
        ui.moreFindingsButton.connect("toggled(bool)", self._show)
        ui.checkImagesButton.connect("clicked()", self.check_images)
        self._show()

    @property
    def guide(self) -> SetGuide | None:
        """What was found."""
        return self._guide

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or the same one changed."""
        if info is None or self._info is None or info.folder != self._info.folder:
            self._guide, self._looked_at, self._pixels, self._deep = None, "", "", ()
            self._show()
        self._info = info
        if info is not None and info.revision != self._looked_at:
            self._delay.start()
        self.update()

    def update(self) -> None:
        """Enable what can be used now."""
        ui, info = self.ui, self._info
        need = "" if info else _("Open a training set first, or make one.")
        if info is not None and not info.cases:
            need = _("There is no case to check yet.")
        ui.checkImagesButton.visible = not self.line.running
        ui.checkImagesButton.enabled = not need
        ui.checkImagesButton.toolTip = need or _(
            "Read every image of the set and look for double, odd or damaged ones. This takes a while."
        )

    def check_images(self) -> None:
        """Read every image too."""
        info = self._info
        if info is None or self.line.running:
            return
        self._delay.stop()
        listener = SetListener(
            lambda guide: self._checked(info, guide),
            lambda sentence: self._ended(sentence),
            lambda: self._ended(_("The check was cancelled.")),
            lambda *words: self.line.show(*words),
        )
        job = self._page.sets.start(CheckSetParams(info.folder, True), listener)
        self.line.start(_("Reading every image…"), job.cancel)
        self.update()

    def close(self) -> None:
        """Look no more."""
        self._alive = False
        self._delay.stop()

    def _look(self) -> None:
        info = self._info
        if info is None or not self._alive:
            return
        if self._asked or self.line.running:
            self._delay.start()
            return
        self._asked = True
        listener = SetListener(
            lambda guide: self._looked(info, guide),
            lambda sentence: self._looked(info, None, sentence),
            lambda: self._looked(info, None),
        )
        self._page.sets.start(CheckSetParams(info.folder), listener)

    def _looked(self, info: SetInfo, guide: SetGuide | None, problem: str = "") -> None:
        self._asked = False
        if not self._alive or self._info is None or self._info.folder != info.folder:
            return
        self._status = problem
        self._looked_at = info.revision
        if guide is not None:
            self._guide = self._with_deep(guide)
        self._show()

    def _checked(self, info: SetInfo, guide: SetGuide) -> None:
        if self._alive and self._info is not None and self._info.folder == info.folder:
            known = self._guide.findings if self._guide else ()
            self._deep = tuple(finding for finding in guide.findings if finding not in known)
            self._guide, self._looked_at = guide, info.revision
            self._pixels = _("Every image was read.")
        self._ended("")

    def _with_deep(self, guide: SetGuide) -> SetGuide:
        """A look at headers, with what only the pixels told, as long as its cases are there."""
        names = {row.name for row in self._info.cases} if self._info else set()
        kept = [f for f in self._deep if f not in guide.findings and names.issuperset(f.cases)]
        if kept:
            self._pixels = _(
                "The last of these were found when every image was read: check again in the end."
            )
        else:
            self._pixels = ""
        return replace(guide, findings=(*guide.findings, *kept))

    def _ended(self, sentence: str) -> None:
        self.line.end()
        if self._alive:
            self._status = sentence
            self._show()
            self.update()

    def _show(self, *_checked: Any) -> None:
        ui, guide = self.ui, self._guide
        layout = ui.guideRows.layout()
        for row in self._rows:
            layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = []
        show_text(ui.guideCounts, _counts(guide) if guide else "")
        findings = guide.findings if guide else ()
        show_text(ui.guideStatus, self._status or self._summary())
        shown = findings if ui.moreFindingsButton.checked else findings[:SHOWN]
        for finding in shown:
            row = self._row(finding)
            layout.addWidget(row)
            self._rows.append(row)
        ui.moreFindingsButton.visible = len(findings) > SHOWN
        ui.moreFindingsButton.text = (
            _("Show fewer")
            if ui.moreFindingsButton.checked
            else _("Show {count} more").format(count=len(findings) - SHOWN)
        )
        ui.moreFindingsButton.arrowType = qt.Qt.UpArrow if ui.moreFindingsButton.checked else qt.Qt.DownArrow
        ui.guideRows.visible = bool(shown)

    def _summary(self) -> str:
        guide = self._guide
        if self._info is None:
            return _("No training set is open.")
        if guide is None:
            return _("Looking at the training set…")
        words = []
        if not guide.segmenter_lacks:
            words.append(_("A segmentation network can be trained (step 1)."))
        if not guide.classifier_lacks:
            words.append(_("A classifier can be trained (step 2)."))
        if not guide.findings:
            words.append(_("Nothing is left to put right."))
        return "\n".join([*words, self._pixels]).strip()

    def _row(self, finding: FindingInfo) -> qt.QWidget:
        row = qt.QWidget()
        layout = qt.QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        icon = qt.QLabel()
        icon.alignment = qt.Qt.AlignTop
        icon.setSizePolicy(qt.QSizePolicy.Fixed, qt.QSizePolicy.Preferred)
        show_icon(icon, _ICONS.get(finding.severity, qt.QStyle.SP_MessageBoxInformation))
        layout.addWidget(icon)
        text = qt.QLabel(finding.sentence)
        text.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)
        text.wordWrap = True  # after the policy, which would take the height for a width away again
        text.alignment = qt.Qt.AlignTop
        text.textInteractionFlags = qt.Qt.TextSelectableByMouse
        layout.addWidget(text, 1)
        words = self._remedy(finding)
        if words is not None:
            button = qt.QPushButton(words[0])
            button.toolTip = words[1]
            button.accessibleName = words[1]
            button.connect("clicked()", words[2])
            layout.addWidget(button, 0, qt.Qt.AlignTop)
        return row

    def _remedy(self, finding: FindingInfo) -> tuple[str, str, Any] | None:
        """Text, tool tip and work of the button that helps; ``None`` for none."""
        info = self._info
        if finding.kind == "no class" or (
            finding.kind == "classifier cannot be trained" and not finding.cases
        ):
            names = tuple(row.name for row in info.cases if not row.class_name) if info else ()
            if names:
                tip = _("Select the cases without a class, and type theirs.")
                return _("Give classes"), tip, lambda: self._page.give_class(finding.cases or names)
            return _("Add a case"), _("Show the form that adds a case."), self._page.begin_case
        if finding.cases:
            tip = _("Select in the table: {cases}").format(cases=", ".join(finding.cases[:20]))
            return _("Show cases"), tip, lambda: self._page.select_cases(finding.cases)
        if finding.kind in ("few groups", "segmenter cannot be trained", "classifier cannot be trained"):
            return _("Add a case"), _("Show the form that adds a case."), self._page.begin_case
        return None


def _counts(guide: SetGuide) -> str:
    if not guide.cases:
        return _("There is no case yet.")
    lines = [
        _("{cases} of {patients}; {segmented} with a checked segmentation").format(
            cases=cases_words(guide.cases), patients=_patients(guide.groups), segmented=guide.segmented
        )
    ]
    for one in guide.classes:
        line = _("{name}: {cases}").format(name=one.name, cases=cases_words(one.cases))
        if one.cases:
            line += _(", {patients}").format(patients=_patients(one.groups))
        if one.test_cases:
            line += _(" (and {count} for the final test)").format(count=one.test_cases)
        lines.append(line)
    if guide.unlabelled:
        lines.append(_("without a class: {cases}").format(cases=cases_words(guide.unlabelled)))
    if guide.predicted:
        lines.append(_("segmentation to be checked: {cases}").format(cases=cases_words(guide.predicted)))
    return "\n".join(lines)


def _patients(count: int) -> str:
    return _("1 patient") if count == 1 else _("{count} patients").format(count=count)
