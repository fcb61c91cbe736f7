"""Work in small pieces: its ends, and that nothing of it stays behind."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import standin
from SegClassifyPanel.chunks import Chunks, Steps


class Work:
    """Something large that works bit by bit, and holds what drives it, as a job does."""

    def __init__(self, breaks: bool = False) -> None:
        self.breaks = breaks
        self.ends: list[Any] = []
        self.closed = False
        self.chunks: Chunks[int] = Chunks(self.steps(), self.done, self.ends.append)

    def steps(self) -> Steps[int]:
        """A few pieces."""
        try:
            for n in range(5):
                yield n / 5
            if self.breaks:
                raise ValueError("broken")
            return 7
        finally:
            self.closed = True

    def done(self, number: int) -> None:
        """The end."""
        self.ends.append(number)


@pytest.mark.parametrize("way", ["by itself", "at once", "stopped", "broken"])
def test_ends_once_and_leaves_nothing(way):
    work = Work(way == "broken")
    ends = work.ends
    if way == "stopped":
        work.chunks.stop()
    elif way == "at once":
        work.chunks.finish()
    else:
        standin.wait_until(lambda: ends, 10)
    standin.spin(0.02)
    work.chunks.stop()  # once more does no harm
    assert work.closed or way == "stopped"  # before its first piece
    assert [str(end) for end in ends] == {"stopped": [], "broken": ["broken"]}.get(way, ["7"])
    ends.clear()  # an exception holds what it went through
    seen = weakref.ref(work)
    del work
    gc.collect()
    assert seen() is None
