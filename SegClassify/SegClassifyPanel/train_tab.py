"""The page Train: the training set that is open, and its sections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer

from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.settings import Settings
from SegClassifyPanel.train_host import TrainSection
from SegClassifyPanel.training_sections import make_sections

if TYPE_CHECKING:
    from SegClassifyLib.worker.model_messages import ModelInfo
    from SegClassifyLib.worker.set_messages import SetInfo
    from SegClassifyPanel.classify_tab import ClassifyTab

SECTIONS = {
    "setSection": True,
    "casesSection": True,
    "addSection": False,
    "guideSection": True,
    "segmenterSection": False,
    "classifierSection": False,
    "trainingResultSection": False,
    "nextSection": False,
}
"""Collapsible sections, and whether they are open the first time."""

TRAINING_SECTIONS = ("segmenterSection", "classifierSection", "trainingResultSection", "nextSection")


class TrainTab:
    """Made once for a panel; a :class:`SegClassifyPanel.train_host.TrainHost` for its sections.

    Args:
        logic: does the work.
        resources: the module's folder Resources.
        settings: the user's own choices.
        classify: the page Classify, whose models, device and images are used here.
    """

    def __init__(self, logic: Any, resources: Path, settings: Settings, classify: ClassifyTab) -> None:
        self._logic = logic
        self._settings = settings
        self._classify = classify
        self._info: SetInfo | None = None
        self.widget = slicer.util.loadUI(str(resources / "UI" / "TrainTab.ui"))
        self.ui = ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)
        ui.editFrame.visible = False
        show_icon(ui.trainMessageIcon, qt.QStyle.SP_MessageBoxWarning)
        self.say("")
        layouts = {name: getattr(ui, name).layout() for name in TRAINING_SECTIONS}
        self.sections: list[TrainSection] = list(make_sections(resources, layouts, logic, self))
        self._restore_sections()

    @property
    def info(self) -> SetInfo | None:
        """The training set that is open."""
        return self._info

    @property
    def device(self) -> str:
        """The device that is chosen on the page Classify."""
        return self._classify.device

    def enter(self) -> None:
        """The user came to the module."""

    def exit(self) -> None:
        """The user went to another module."""

    def cleanup(self) -> None:
        """Stop clocks and observers."""
        for section in self.sections:
            section.close()

    def open_case(self, name: str) -> None:
        """Show a case of the set in the scene."""

    def open_files(self, paths: Sequence[str], name: str, group: str) -> None:
        """Load images outside the set, and fill the form that adds a case with them."""

    def select_cases(self, names: Sequence[str]) -> None:
        """Select these in the table."""

    def reload(self) -> None:
        """Ask for the set now."""

    def say(self, sentence: str, error: bool = False) -> None:
        """The line of messages."""
        self.ui.trainMessage.text = sentence
        self.ui.trainMessageIcon.visible = error
        self.ui.trainMessageFrame.visible = bool(sentence)

    def models(self) -> tuple[ModelInfo, ...]:
        """As the page Classify lists them."""
        return self._classify.models.all

    def use_model(self, path: str) -> None:
        """List the models again, and choose this one."""
        self._classify.models.use(path)

    def _restore_sections(self) -> None:
        for name, open_at_first in SECTIONS.items():
            section = getattr(self.ui, name)
            section.collapsed = not self._settings.expanded(name, open_at_first)
            section.connect("contentsCollapsed(bool)", self._remember(name))

    def _remember(self, name: str) -> Any:
        return lambda collapsed: self._settings.set_expanded(name, not collapsed)
