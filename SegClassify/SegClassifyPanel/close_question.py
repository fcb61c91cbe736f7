"""Asks before Slicer closes while a segmenter is being trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from SegClassifyPanel.segmenter_training import SegmenterTraining
    from SegClassifyPanel.training_logic import TrainingLogic


class CloseQuestion(qt.QObject):
    """Filters the main window's events until :meth:`remove`; whoever makes it keeps it.

    Slicer asks its own question after ours, and the user may still stay: nothing is stopped here. The worker ends with
    Slicer, and the training goes on in another session where it stopped.

    Args:
        training: knows whether one runs.
    """

    def __init__(self, training: TrainingLogic) -> None:
        qt.QObject.__init__(self)
        self._training = training
        self._agreed: SegmenterTraining | None = None
        self._window = slicer.util.mainWindow()  # None without a main window: then there is nobody to ask
        if self._window is not None:
            self._window.installEventFilter(self)

    def remove(self) -> None:
        """Ask no longer."""
        if self._window is not None:
            self._window.removeEventFilter(self)
            self._window = None

    def eventFilter(self, _watched: Any, event: Any) -> bool:
        """Called by Qt before the main window sees an event."""
        running = self._training.segmenter
        # For one training it is asked once: on macOS the event comes twice.
        if event.type() != qt.QEvent.Close or running is None or running.over or self._agreed is running:
            return False
        if slicer.util.confirmYesNoDisplay(_question(running.params.folder), _("A network is being trained")):
            self._agreed = running
            return False
        event.ignore()  # or the window would close although it never saw the event
        return True


def _question(folder: str) -> str:
    return _(
        "A segmentation network is being trained on the set in {folder}. Closing Slicer stops the training; nothing "
        "but the epoch it is in is lost, and Resume goes on with it when the set is opened again.\n\nClose Slicer?"
    ).format(folder=folder)
