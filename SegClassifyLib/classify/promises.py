"""Whether a model keeps its promises on cases it does not know: sets that hold, false alarms that are rare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.classify.result import Classification
from SegClassifyLib.evaluation.intervals import Interval, wilson
from SegClassifyLib.evaluation.reliability import Reliability


@dataclass(frozen=True)
class Promises:
    """How a model's words on its own trustworthiness turned out.

    Args:
        reliability: whether the probabilities mean what they say.
        confidence: that was promised for the prediction sets, 0 to 1.
        covered: share of the cases whose true class was in their set, with its 95 % Wilson interval, of those whose set
            promised something: not those called unlike the training cases; ``None`` without such cases.
        by_class: the same of each class, in the model's order; ``None`` where a class has no case.
        set_size: mean number of classes in these sets.
        promising: how many cases have such a set.
        flagged: share of the cases called unlike the training cases; ``None`` for a model that cannot tell.
    """

    reliability: Reliability
    confidence: float
    covered: Interval | None
    by_class: tuple[Interval | None, ...]
    set_size: float
    promising: int
    flagged: Interval | None

    def sentences(self, classes: Sequence[str]) -> tuple[str, ...]:
        """What came out, in words."""
        said = [self.reliability.sentence]
        if self.covered is not None:
            each = ", ".join(
                f"{name} {i.value:.0%}"
                for name, i in zip(classes, self.by_class, strict=True)
                if i is not None
            )
            said.append(
                f"Prediction sets, promised to hold the true class of {self.confidence:.0%}, held that of "
                f"{_share(self.covered)} of {self.promising} cases ({each}) and name {self.set_size:.1f} of "
                f"{len(classes)} classes on average."
            )
        if self.flagged is not None:
            uncounted = self.covered is not None and self.flagged.value > 0
            said.append(
                f"{_share(self.flagged)} of the cases were called unlike the training cases"
                f"{'; their prediction sets promise nothing and are not counted' if uncounted else ''}."
            )
        return tuple(said)


def check_promises(
    y: np.ndarray, answers: Sequence[Classification], reliability: Reliability, classes: Sequence[str]
) -> Promises:
    """Compare what was said of N cases with the truth.

    Args:
        y: true classes ``(N,)``.
        answers: one a case.
        reliability: of their probabilities.
        classes: names.
    """
    covered, size = None, float("nan")
    by_class: tuple[Interval | None, ...] = (None,) * len(classes)
    promising = [(k, a.prediction_set) for k, a in zip(y, answers, strict=True) if a.promised is not None]
    if promising:
        held = np.array([classes[k] in named for k, named in promising])
        true = np.array([k for k, _ in promising])
        covered = wilson(int(held.sum()), len(held))
        by_class = tuple(
            wilson(int(held[true == k].sum()), int((true == k).sum())) if (true == k).any() else None
            for k in range(len(classes))
        )
        size = float(np.mean([len(named) for _, named in promising]))
    flagged = None
    if all(a.novelty is not None for a in answers):
        flagged = wilson(sum(a.novel for a in answers), len(answers))
    return Promises(reliability, answers[0].confidence, covered, by_class, size, len(promising), flagged)


def _share(interval: Interval) -> str:
    return f"{interval.value:.0%} ({interval.low:.0%} to {interval.high:.0%})"
