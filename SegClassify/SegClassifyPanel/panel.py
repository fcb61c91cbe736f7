"""The whole panel: its pages, put together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.classify_tab import ClassifyTab
from SegClassifyPanel.dependencies import Dependencies
from SegClassifyPanel.settings import Settings
from SegClassifyPanel.train_tab import TrainTab

if TYPE_CHECKING:
    from SegClassifyPanel.panel_logic import PanelLogic
    from SegClassifyPanel.parameters import SegClassifyParameters


class Panel:
    """What the module's widget shows: the pages Classify and Train.

    Args:
        logic: does the work.
        resources: the module's folder Resources.
        dependencies: what has to be installed; another one in tests.
    """

    def __init__(self, logic: PanelLogic, resources: Path, dependencies: Dependencies | None = None) -> None:
        self.widget = slicer.util.loadUI(str(resources / "UI" / "SegClassify.ui"))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        wanted = dependencies or Dependencies(resources / "requirements.txt")
        settings = Settings()
        self.classify = ClassifyTab(logic, resources, wanted, settings)
        self.train = TrainTab(logic, resources, settings, self.classify)
        self.ui.tabs.addTab(self.classify.widget, _("Classify"))
        self.ui.tabs.addTab(self.train.widget, _("Train"))
        self.ui.tabs.connect("currentChanged(int)", self._on_page)
        self.classify.result.add_to_set = self._add_result
        self.classify.models_listed = self.train.models_changed
        self._entered = False

    def enter(self) -> None:
        """The user opened the module."""
        self._entered = True
        self.classify.enter()
        self._on_page()

    def exit(self) -> None:
        """The user went to another module."""
        self._entered = False
        self.train.exit()

    def set_parameters(self, parameters: SegClassifyParameters | None) -> None:
        """Show what a scene says; ``None`` while there is no scene."""
        self.classify.set_parameters(parameters)

    def cleanup(self) -> None:
        """Stop clocks and observers."""
        self._entered = False
        self.train.cleanup()
        self.classify.cleanup()

    def _on_page(self, *_index: object) -> None:
        if self._entered and self.ui.tabs.currentIndex == self.ui.tabs.indexOf(self.train.widget):
            self.train.enter()
        else:
            self.train.exit()

    def _add_result(self, node_id: str) -> None:
        self.ui.tabs.setCurrentWidget(self.train.widget)
        self.train.add_result(node_id)
