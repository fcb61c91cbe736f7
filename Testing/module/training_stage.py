"""Shows the sections of trainings in the stand-in, on a page and with workers that a test plays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import standin
from training_fakes import FakeHost, ScriptedWorker, training_logic

RESOURCES = Path(__file__).resolve().parents[2] / "SegClassify" / "Resources"
NAMES = ("segmenterSection", "classifierSection", "trainingResultSection", "nextSection")


@dataclass
class TrainingStage:
    """What is shown.

    Args:
        widget: the page.
        logic: with ``training`` and the two workers.
        host: what the sections think is their page.
        sections: as made.
    """

    widget: Any
    logic: Any
    host: FakeHost
    sections: list[Any]

    @property
    def worker(self) -> ScriptedWorker:
        """Answers within seconds."""
        return self.logic.worker  # type: ignore[no-any-return]

    @property
    def background(self) -> ScriptedWorker:
        """Trains for hours."""
        return self.logic.background  # type: ignore[no-any-return]

    def section(self, kind: str) -> Any:
        """A section by the name of its class."""
        return next(s for s in self.sections if type(s).__name__ == kind)

    def ui(self, kind: str) -> Any:
        """Its widgets."""
        return self.section(kind).ui

    def open(self, info: Any, runs: tuple[Any, ...] = (), last: tuple[Any, ...] = ()) -> None:
        """Open a set: the workers say which trainings there are."""
        from SegClassifyLib.worker.classifier_messages import LastClassifierParams
        from SegClassifyLib.worker.segmenter_messages import SegmenterRunsParams

        self.change(info)
        self.worker.answer(SegmenterRunsParams, runs)
        self.worker.answer(LastClassifierParams, last)
        self.settle()

    def change(self, info: Any, **changes: Any) -> None:
        """The set changed."""
        self.host.info = replace(info, **changes) if changes else info
        for section in self.sections:
            section.set_changed(self.host.info)

    def settle(self) -> None:
        """Let timers and posted events run, and fail for what left a slot."""
        for _ in range(4):
            standin.spin(0.01)
        standin.raise_recorded()

    def close(self) -> None:
        """The page goes."""
        for section in self.sections:
            section.close()


@contextmanager
def training_stage(logic: Any = None) -> Iterator[TrainingStage]:
    """The four sections below each other, in the panel of the main window.

    Args:
        logic: with ``training``; the real one over two scripted workers unless given.
    """
    import ctk
    import qt
    import slicer
    from SegClassifyPanel.training_sections import make_sections
    from standin.binding.convert import to_qt

    standin.reset()
    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    window = standin.start().window
    window.show()
    page = qt.QWidget()
    column = qt.QVBoxLayout(page)
    layouts = {}
    for name, title in zip(
        NAMES, ("Step 1: segmentation network", "Step 2: classifier", "Result", "Next case"), strict=True
    ):
        section = ctk.ctkCollapsibleButton()
        section.text = title
        layouts[name] = qt.QVBoxLayout(section)
        column.addWidget(section)
    column.addStretch(1)
    logic, host = logic or training_logic(), FakeHost()
    shown = TrainingStage(page, logic, host, make_sections(RESOURCES, layouts, logic, host))
    window.show_panel(to_qt(page))
    try:
        yield shown
        standin.raise_recorded()
    finally:
        shown.close()
        window.panel.takeWidget()
        standin.reset()
