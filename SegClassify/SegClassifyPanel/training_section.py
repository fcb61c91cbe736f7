"""What the sections of trainings have in common: the same surroundings, and a set that may become another one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SegClassifyPanel.section import Section
from SegClassifyPanel.training_state import TrainingState

if TYPE_CHECKING:
    import qt

    from SegClassifyLib.worker.set_messages import SetInfo
    from SegClassifyPanel.train_host import TrainHost


@dataclass(frozen=True)
class Surroundings:
    """The same for all sections of trainings.

    Args:
        resources: the module's folder Resources.
        logic: does the work.
        host: the page.
        state: what the sections share.
    """

    resources: Path
    logic: Any
    host: TrainHost
    state: TrainingState


class TrainingSection(Section):
    """A section that trains, or shows what came of it.

    Args:
        around: what all sections of trainings share with the page.
        layout: where the section goes.
        form: file name in the folder UI.
    """

    def __init__(self, around: Surroundings, layout: qt.QVBoxLayout, form: str) -> None:
        super().__init__(around.resources, layout, form)
        self._training = around.logic.training
        self._host = around.host
        self._state = around.state
        self._folder = ""
        self._alive = True

    def close(self) -> None:
        """Nothing is shown any more: answers that come later are for nobody."""
        self._alive = False

    def _is_another(self, info: SetInfo | None) -> bool:
        """Whether this is another set than before, or none; from now on it is the one that is shown."""
        before, self._folder = self._folder, info.folder if info is not None else ""
        return self._folder != before
