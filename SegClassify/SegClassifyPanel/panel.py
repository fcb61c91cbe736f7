"""The whole panel: its pages, put together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.classify_tab import ClassifyTab
from SegClassifyPanel.dependencies import Dependencies
from SegClassifyPanel.settings import Settings

if TYPE_CHECKING:
    from SegClassifyPanel.panel_logic import PanelLogic
    from SegClassifyPanel.parameters import SegClassifyParameters


class Panel:
    """What the module's widget shows. With one page there is no tab bar; another page is another ``addTab``.

    Args:
        logic: does the work.
        resources: the module's folder Resources.
        dependencies: what has to be installed; another one in tests.
    """

    def __init__(self, logic: PanelLogic, resources: Path, dependencies: Dependencies | None = None) -> None:
        self.widget = slicer.util.loadUI(str(resources / "UI" / "SegClassify.ui"))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        wanted = dependencies or Dependencies(resources / "requirements.txt")
        self.classify = ClassifyTab(logic, resources, wanted, Settings())
        self.ui.tabs.addTab(self.classify.widget, _("Classify"))

    def enter(self) -> None:
        """The user opened the module."""
        self.classify.enter()

    def set_parameters(self, parameters: SegClassifyParameters | None) -> None:
        """Show what a scene says; ``None`` while there is no scene."""
        self.classify.set_parameters(parameters)

    def cleanup(self) -> None:
        """Stop clocks and observers."""
        self.classify.cleanup()
