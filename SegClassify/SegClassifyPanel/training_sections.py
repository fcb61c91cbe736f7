"""The training half of the page Train: its sections, in the order in which they are made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from SegClassifyPanel.classifier_section import ClassifierSection
from SegClassifyPanel.next_section import NextSection
from SegClassifyPanel.save_section import SaveSection
from SegClassifyPanel.segmenter_section import SegmenterSection
from SegClassifyPanel.train_host import TrainHost, TrainSection
from SegClassifyPanel.training_result import TrainingResult
from SegClassifyPanel.training_section import Surroundings
from SegClassifyPanel.training_state import TrainingState

if TYPE_CHECKING:
    import qt

    from SegClassifyLib.worker.set_messages import SetInfo


class SharedState:
    """The first section, without widgets: keeps the set that all others look at.

    Args:
        state: what the sections share.
    """

    def __init__(self, state: TrainingState) -> None:
        self._state = state

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or none, is open, or the set changed."""
        self._state.info = info

    def close(self) -> None:
        """Nothing to close."""


def make_sections(
    resources: Path,
    layouts: dict[str, qt.QVBoxLayout],
    logic: Any,
    host: TrainHost,
) -> list[TrainSection]:
    """Make them.

    Args:
        resources: the module's folder Resources.
        layouts: by name of the collapsible section: "segmenterSection", "classifierSection",
            "trainingResultSection", "nextSection".
        logic: does the work.
        host: the page.
    """
    around = Surroundings(resources, logic, host, TrainingState())
    upcoming = NextSection(around, layouts["nextSection"])
    result = TrainingResult(around, layouts["trainingResultSection"])

    def trained() -> None:
        result.trained()
        upcoming.trained()

    return [
        SharedState(around.state),
        SegmenterSection(around, layouts["segmenterSection"]),
        ClassifierSection(around, layouts["classifierSection"], trained),
        result,
        SaveSection(around, layouts["trainingResultSection"]),
        upcoming,
    ]
