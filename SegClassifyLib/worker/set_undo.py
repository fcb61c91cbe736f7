"""What a worker did to a training set, so that it can be taken back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from SegClassifyLib.cases.training_set import TrainingSet

DEEPEST = 100
"""Steps that are remembered."""

TakeBack = Callable[[TrainingSet], tuple[str, ...]]
"""Takes a change back and gives the names of the cases that it is about."""


@dataclass(frozen=True)
class Step:
    """One change.

    Args:
        words: what it was, as an order ("remove alpha").
        take_back: takes it back.
    """

    words: str
    take_back: TakeBack


class UndoStack:
    """The last changes of a set, the latest on top."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=DEEPEST)
        self._count = 0

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def words(self) -> str:
        """What would be taken back; empty for nothing."""
        return self._steps[-1].words if self._steps else ""

    def push(self, words: str, take_back: TakeBack) -> None:
        """Remember a change."""
        self._steps.append(Step(words, take_back))


def about(what: str, cases: Sequence[str]) -> str:
    """ "remove alpha", "remove 3 cases"."""
    return f"{what} {cases[0]}" if len(cases) == 1 else f"{what} {len(cases)} cases"
