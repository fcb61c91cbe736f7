"""Trainings that were paused, or that a crash or the end of Slicer left: go on with one, or use its best so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from SegClassifyLib.worker.segmenter_messages import SegmenterRun


class PausedRuns:
    """The frame below the button Train.

    Args:
        ui: the widgets of SegmenterSection.ui.
        resume: called with a run to go on with.
        keep: called with a run whose best so far is to be used.
    """

    def __init__(
        self,
        ui: SimpleNamespace,
        resume: Callable[[SegmenterRun], None],
        keep: Callable[[SegmenterRun], None],
    ) -> None:
        self._ui = ui
        self._runs: tuple[SegmenterRun, ...] = ()
        ui.pausedSelector.connect("activated(int)", self._show_chosen)
        ui.resumeButton.connect("clicked()", lambda: self._with_chosen(resume))
        ui.keepButton.connect("clicked()", lambda: self._with_chosen(keep))
        self.show((), "")

    @property
    def chosen(self) -> SegmenterRun | None:
        """The run that the buttons are about."""
        index = self._ui.pausedSelector.currentIndex
        return self._runs[index] if 0 <= index < len(self._runs) else None

    def show(self, runs: Sequence[SegmenterRun], need: str) -> None:
        """Offer these, the newest first.

        Args:
            runs: paused ones; with none there is no frame.
            need: why none can go on now; empty where it can.
        """
        ui = self._ui
        before = self.chosen.path if self.chosen is not None else ""
        self._runs = tuple(runs)
        ui.pausedSelector.clear()
        for run in self._runs:
            ui.pausedSelector.addItem(_("{name}, {started}").format(name=run.name, started=run.started))
        paths = [run.path for run in self._runs]
        if self._runs:
            ui.pausedSelector.setCurrentIndex(paths.index(before) if before in paths else 0)
        ui.pausedFrame.visible = bool(self._runs)
        ui.pausedRow.visible = len(self._runs) > 1
        ui.resumeButton.enabled = not need
        ui.resumeButton.toolTip = need or _("Go on with this training where it stopped.")
        self._show_chosen()

    def _show_chosen(self, *_index: object) -> None:
        run = self.chosen
        if run is None:
            return
        ui = self._ui
        ui.pausedLabel.text = _("“{name}” can go on. {state}").format(name=run.name, state=run.sentence)
        ui.keepButton.visible = run.can_keep and not run.usable
        ui.keepButton.enabled = bool(ui.resumeButton.enabled)

    def _with_chosen(self, call: Callable[[SegmenterRun], None]) -> None:
        if self.chosen is not None:
            call(self.chosen)
