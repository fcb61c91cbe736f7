"""What is said about how good a model is, and about single cases. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from SegClassifyLib.worker.plain import PlainData


@dataclass(frozen=True)
class ScoreInfo(PlainData):
    """A number with its 95 % interval; ``low`` and ``high`` are ``None`` where it has none.

    Args:
        name: "balanced accuracy", "accuracy", "AUC of glioma" …
        value: of the score; ``None`` where it is not defined.
        low, high: ends of the interval.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CaseAnswer(PlainData):
    """What a classifier said of a case it had not seen (a training case: mean over the repeats of cross-validation).

    Args:
        case: its name.
        class_name: the class it has.
        predicted: the class it was given.
        probabilities: of every class.
    """

    case: str
    class_name: str
    predicted: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class CaseDoubt(PlainData):
    """A case to look at, and why.

    Args:
        case: its name.
        sentence: why.
        looks_like: for a label that looks wrong: the class it looks like; else empty.
    """

    case: str
    sentence: str
    looks_like: str = ""
