"""What a person should look at after a training: AUC of each class, labels to doubt, what more cases would bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from SegClassifyLib.evaluation.doubts import Doubts, find_doubts
from SegClassifyLib.evaluation.intervals import Interval, class_auc_intervals
from SegClassifyLib.evaluation.learning_curve import LearningCurve, learning_curve
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.classifier import TrainedClassifier

_DRAWS = {"linear": 5, "conv": 1}
"""How often the learning curve is drawn, by kind of head: the slow one once."""


@dataclass(frozen=True)
class Review:
    """What follows from a training.

    Args:
        auc: of each class against the rest, with its 95 % interval over patients, in the order of the classes.
        doubts: cases whose label looks wrong, and cases the classifier is unsure of.
        curve: learning curve and outlook; ``None`` where it was not asked for.
    """

    auc: tuple[Interval, ...]
    doubts: Doubts
    curve: LearningCurve | None


def review_classifier(
    trained: TrainedClassifier,
    further: Sequence[int] = (50,),
    most_doubtful: int = 10,
    progress: Progress | None = None,
) -> Review:
    """Look at a training again, with its own seed.

    Args:
        trained: what :func:`~.classifier.train_classifier` gave.
        further: numbers of further cases to look ahead to; without any, no curve is drawn.
        most_doubtful: how many doubtful cases are named.
        progress: told of every fit of the curve; may cancel.
    """
    proba, y, classes = trained.validation.proba, trained.y, trained.model.classes
    seed = trained.model.provenance.seed or 0
    auc = class_auc_intervals(y, proba, trained.groups, seed)
    doubts = find_doubts(trained.validation, y, trained.cases, classes, most_doubtful)
    curve = _curve(trained, further, seed, progress) if further else None
    return Review(auc, doubts, curve)


def _curve(
    trained: TrainedClassifier, further: Sequence[int], seed: int, progress: Progress | None
) -> LearningCurve:
    state = trained.model.head
    assert state is not None
    if state.kind not in _DRAWS:
        refusal = (
            f"The {state.kind} classifier takes too long to train for a learning curve; train a linear one."
        )
        return LearningCurve((), (), refusal, seed)
    table = trained.table if state.kind == "conv" else replace(trained.table, maps={})
    return learning_curve(
        trained.prototype.fresh,
        table,
        trained.y,
        trained.groups,
        further,
        draws=_DRAWS[state.kind],
        seed=seed,
        progress=progress,
        classes=trained.model.classes,
        whole=trained.validation,
    )
