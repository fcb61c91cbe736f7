"""Shows the real panel in the stand-in with a logic that a test plays."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import standin
from panel_fakes import FakeLogic

MODULE = Path(__file__).resolve().parents[2] / "SegClassify"


@dataclass
class Stage:
    """A shown panel.

    Args:
        widget: the module's widget (``SegClassifyWidget``).
        logic: what the panel talks to.
    """

    widget: Any
    logic: FakeLogic

    @property
    def tab(self) -> Any:
        """The page Classify."""
        return self.widget.panel.classify

    @property
    def train(self) -> Any:
        """The page Train."""
        return self.widget.panel.train

    @property
    def ui(self) -> Any:
        """The page's widgets."""
        return self.tab.ui

    @property
    def result_ui(self) -> Any:
        """The widgets of the result."""
        return self.tab.result.ui

    @property
    def batch_ui(self) -> Any:
        """The widgets of many cases."""
        return self.tab.batch.ui

    @property
    def parameters(self) -> Any:
        """What the scene says."""
        return self.logic.getParameterNode()  # type: ignore[attr-defined]

    def settle(self) -> None:
        """Let timers and posted events run, and fail for what left a slot."""
        for _ in range(6):  # timers that start timers
            standin.spin(0.01)
        standin.raise_recorded()


@contextmanager
def stage(logic: FakeLogic, dependencies: Any = None) -> Iterator[Stage]:
    """The module, opened with another logic.

    Args:
        logic: to play.
        dependencies: instead of the real ones; a :class:`SegClassifyPanel.dependencies.Dependencies`.
    """
    import qt
    import slicer

    standin.reset()
    qt.QSettings().remove("SegClassify")
    standin.load_module(MODULE, show=False)
    module: Any = sys.modules["SegClassify"]
    real = module.SegClassifyLogic()
    logic.getParameterNode = real.getParameterNode  # type: ignore[attr-defined]
    panel: Any = importlib.import_module("SegClassifyPanel.panel")
    before = module.SegClassifyLogic, panel.Dependencies
    module.SegClassifyLogic = lambda: logic
    if dependencies is not None:
        panel.Dependencies = lambda _file: dependencies
    try:
        slicer.util.mainWindow().show()
        slicer.util.selectModule("SegClassify")
        yield Stage(slicer.util.getModuleWidget("SegClassify"), logic)
        standin.raise_recorded()
    finally:
        standin.unload_module("SegClassify")
        module.SegClassifyLogic, panel.Dependencies = before
        real.cleanup()
        standin.reset()
