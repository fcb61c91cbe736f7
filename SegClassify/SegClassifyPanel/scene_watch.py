"""Tells when nodes of the scene came or went: once for many, and never from inside the scene's own events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.util import VTKObservationMixin


class SceneWatch(VTKObservationMixin):
    """Observes the scene until :meth:`close`.

    Args:
        nodes_changed: called after nodes were added, removed or renamed, when Slicer has time.
        loaded: called after a scene or a file was read into this one.
        closing: called before the scene is closed.
    """

    def __init__(
        self,
        nodes_changed: Callable[[], None],
        loaded: Callable[[], None],
        closing: Callable[[], None],
    ) -> None:
        VTKObservationMixin.__init__(self)
        self._delay = qt.QTimer()
        self._delay.setSingleShot(True)
        self._delay.interval = 0
        self._delay.connect("timeout()", self._on_time)
        self._nodes_changed = nodes_changed
        self._loaded = loaded
        self._closing = closing
        self._was_loaded = False
        scene = slicer.mrmlScene
        for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent):
            self.addObserver(scene, event, self._on_nodes)
        self.addObserver(scene, scene.EndImportEvent, self._on_import)
        self.addObserver(scene, scene.StartCloseEvent, self._on_closing)

    @property
    def importing(self) -> bool:
        """Whether a scene is being read, or has been and nobody was told yet: it must not be written to."""
        return self._was_loaded or bool(slicer.mrmlScene.IsImporting())

    def close(self) -> None:
        """Observe no longer."""
        self.removeObservers()
        self._delay.stop()

    def _on_nodes(self, *_event: Any) -> None:
        self._delay.start()

    def _on_import(self, *_event: Any) -> None:
        self._was_loaded = True
        self._delay.start()

    def _on_closing(self, *_event: Any) -> None:
        self._was_loaded = False
        self._closing()

    def _on_time(self) -> None:
        if slicer.mrmlScene.IsBatchProcessing():
            self._delay.start()
            return
        if self._was_loaded:
            self._loaded()
        self._was_loaded = False
        self._nodes_changed()
