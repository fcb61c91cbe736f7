"""Observing VTK objects from widgets: the observation ends with the widget."""

import weakref
from typing import Any

from PySide6.QtCore import QObject
from shiboken6 import isValid


class Observations:
    """Observers of one widget on VTK objects."""

    def __init__(self, owner: QObject) -> None:
        self._owner = weakref.ref(owner)
        self._entries: list[tuple[Any, int]] = []

    def add(self, target: Any, event: int, method: str) -> None:
        """Call the owner's method whenever the event comes."""
        owner = self._owner

        def callback(caller: Any, name: str) -> None:
            widget = owner()
            if widget is not None and isValid(widget):
                getattr(widget, method)()

        self._entries.append((target, target.AddObserver(event, callback)))

    def clear(self) -> None:
        """End all."""
        for target, tag in self._entries:
            target.RemoveObserver(tag)
        self._entries.clear()
