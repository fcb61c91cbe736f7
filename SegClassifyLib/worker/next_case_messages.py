"""What is said about the cases to annotate next. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from SegClassifyLib.worker.params import Params
from SegClassifyLib.worker.plain import PlainData


@dataclass(frozen=True)
class SuggestedCase(PlainData):
    """A case worth annotating.

    Args:
        name: of the case, or of the file.
        in_set: whether it is in the set already.
        images: absolute paths, one a channel.
        group: its patient, as far as known.
        probabilities: of every class, by the model.
        reason: why, in a sentence.
    """

    name: str
    in_set: bool
    images: tuple[str, ...]
    group: str
    probabilities: tuple[float, ...]
    reason: str


@dataclass(frozen=True)
class SuggestedCases(PlainData):
    """What to annotate next, the most useful first.

    Args:
        suggestions: in order.
        classes: of the probabilities.
        candidates: how many cases without a class were looked at.
        notes: sentences: what could not be used.
    """

    suggestions: tuple[SuggestedCase, ...]
    classes: tuple[str, ...]
    candidates: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class NextCasesParams(Params[SuggestedCases]):
    """``next_cases``: a job.

    Args:
        folder: of the training set.
        model: path of a model package or classifier run.
        images: a folder of more images; may be empty.
        count: how many at most.
        device: as in :class:`ClassifyParams`.
    """

    METHOD: ClassVar[str] = "next_cases"
    ANSWER: ClassVar[Any] = SuggestedCases

    folder: str
    model: str
    images: str = ""
    count: int = 10
    device: str = "auto"
