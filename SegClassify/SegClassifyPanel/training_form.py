"""How a segmenter is to be trained: what the user chose, beside what the images suggest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.texts import show_text

make_importable()

from SegClassifyLib.worker.segmenter_messages import TrainSegmenterParams  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyLib.worker.segmenter_messages import SegmenterOutlook

_FOLDS = (0, 2, 3, 5)


class TrainingForm:
    """The widgets from the time to the extra networks.

    Args:
        ui: the widgets of SegmenterSection.ui.
    """

    def __init__(self, ui: SimpleNamespace) -> None:
        self._ui = ui
        ui.moreChoices.connect("toggled(bool)", self._show_more)
        ui.kindSelector.addItem(_("Chosen from the images"), "")
        ui.foldsSelector.addItem(_("As many as needed"), -1)
        for count in _FOLDS:
            ui.foldsSelector.addItem(_("None") if count == 0 else str(count), count)
        self._show_more()
        self.show_plan(None)

    def show_plan(self, plan: SegmenterOutlook | None, sentence: str = "") -> None:
        """Show what the images suggest; without a plan, a sentence on why there is none."""
        ui = self._ui
        show_text(ui.planLabel, plan.sentence if plan is not None else sentence)
        chosen = ui.kindSelector.currentData or ""
        while ui.kindSelector.count > 1:
            ui.kindSelector.removeItem(1)
        for name in plan.networks if plan is not None else ():
            ui.kindSelector.addItem(name, name)
        ui.kindSelector.setCurrentIndex(max(0, ui.kindSelector.findData(chosen)))
        ui.kindSelector.setItemText(
            0,
            _("Chosen from the images ({name})").format(name=plan.network)
            if plan
            else _("Chosen from the images"),
        )
        patch = " × ".join(str(n) for n in plan.patch) if plan is not None else ""
        ui.patchEdit.placeholderText = (
            _("chosen from the images ({patch})").format(patch=patch)
            if patch
            else _("chosen from the images")
        )
        ui.foldsSelector.setItemText(
            0, _("As many as needed ({count})").format(count=plan.folds) if plan else _("As many as needed")
        )

    def problem(self, ndim: int) -> str:
        """What is wrong with the choices; empty for nothing."""
        text = str(self._ui.patchEdit.text).strip()
        if text and len(_numbers(text)) != ndim:
            return _("Write the patch as {count} numbers, such as {example}, or leave it empty.").format(
                count=ndim, example="64 64 48" if ndim == 3 else "128 128"
            )
        return ""

    def set_start(self, continuing: bool) -> None:
        """A network that is trained further stays of its kind."""
        self._ui.kindSelector.enabled = not continuing

    def params(self, folder: str, start_from: str, device: str) -> TrainSegmenterParams:
        """What to ask the worker for."""
        ui = self._ui
        folds = int(ui.foldsSelector.currentData)
        return TrainSegmenterParams(
            folder,
            start_from=start_from,
            network="" if start_from else str(ui.kindSelector.currentData or ""),
            patch=_numbers(str(ui.patchEdit.text)),
            minutes=float(ui.minutesBox.value),
            folds=None if folds < 0 else folds,
            device=device,
        )

    def _show_more(self, *_checked: object) -> None:
        more = bool(self._ui.moreChoices.checked)
        self._ui.moreChoices.arrowType = qt.Qt.DownArrow if more else qt.Qt.RightArrow
        self._ui.choicesBox.visible = more


def _numbers(text: str) -> tuple[int, ...]:
    """ "64 x 64, 48" → (64, 64, 48); nothing where it is something else."""
    parts = text.replace("×", " ").replace("x", " ").replace(",", " ").split()
    return (
        tuple(int(part) for part in parts) if all(part.isdigit() and int(part) > 0 for part in parts) else ()
    )
