"""What the worker wrote to its log, as lines."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

LINES = 500
LAST_LINES = 12
"""How many lines are kept, and how many of them go with a message about a crash."""


class WorkerLog:
    """Grows by pieces of bytes of any size.

    ``changed`` is called after each growth; it may be set at any time.
    """

    def __init__(self) -> None:
        self.changed: Callable[[], None] | None = None
        self._lines: deque[str] = deque(maxlen=LINES)
        self._rest = b""

    @property
    def text(self) -> str:
        """All lines that are kept."""
        return "\n".join(self._lines)

    @property
    def last_lines(self) -> str:
        """The last few."""
        return "\n".join(list(self._lines)[-LAST_LINES:])

    @property
    def last_line(self) -> str:
        """The last one that is not blank; empty if there is none."""
        return next((line.strip() for line in reversed(self._lines) if line.strip()), "")

    def feed(self, data: bytes) -> None:
        """More of what the worker wrote."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines.extend(line.decode("utf-8", "backslashreplace").rstrip() for line in lines)
        if lines:
            self._tell()

    def end(self) -> None:
        """There comes no more: what is left is a line without its end."""
        if self._rest:
            self.feed(b"\n")

    def note(self, line: str) -> None:
        """Add a line of our own."""
        self._lines.append(time.strftime("%Y-%m-%d %H:%M:%S ") + line)
        self._tell()

    def _tell(self) -> None:
        if self.changed is not None:
            self.changed()
