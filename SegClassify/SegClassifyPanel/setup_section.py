"""The frame above everything else that says what is missing before anything can be classified, and installs it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.dependencies import Dependencies


class SetupSection:
    """Visible while packages are missing.

    Args:
        ui: the widgets of ClassifyTab.ui.
        dependencies: knows what is missing, and installs it.
        installed: called once everything is there after an install.
    """

    def __init__(
        self, ui: SimpleNamespace, dependencies: Dependencies, installed: Callable[[], None]
    ) -> None:
        self._ui = ui
        self._dependencies = dependencies
        self._installed = installed
        self._complete: bool | None = None
        ui.setupFrame.visible = False
        ui.setupButton.connect("clicked()", self.install)

    @property
    def complete(self) -> bool:
        """Whether everything is there, as far as the last look could tell."""
        return bool(self._complete)

    def look(self) -> bool:
        """See what is missing, and whether that is nothing."""
        if self._complete:
            return True
        missing = self._dependencies.missing()
        self._complete = not missing
        self._ui.setupFrame.visible = bool(missing)
        if missing:
            self._ui.setupLabel.text = self._dependencies.summary(missing)
        return self._complete

    def install(self) -> None:
        """Ask, install, and say how it went."""
        self._ui.setupButton.enabled = False
        try:
            outcome = self._dependencies.ensure(self._ask)
        finally:
            self._ui.setupButton.enabled = True
        if outcome.complete:
            self._complete = True
            self._ui.setupFrame.visible = False
            self._installed()
            return
        if outcome.message:
            self._ui.setupLabel.text = outcome.message
        if outcome.restart and slicer.util.confirmYesNoDisplay(_("Restart Slicer now?"), "SegClassify"):
            slicer.util.restart()

    @staticmethod
    def _ask(question: str) -> bool:
        return slicer.util.confirmOkCancelDisplay(question, _("SegClassify: install packages"))
