"""Two finished models on the same labelled cases that neither was trained on."""

from __future__ import annotations

from typing import Literal

import numpy as np

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.classify.held_out import HeldOut, evaluate_held_out
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.evaluation.comparison import Comparison, compare
from SegClassifyLib.progress import Progress


def compare_held_out(
    first: Classifier,
    second: Classifier,
    training_set: TrainingSet,
    part: Literal["test", "all"] = "test",
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Classify with both what neither knows, and compare.

    Args:
        first, second: the models, loaded.
        training_set, part: as for :func:`~.held_out.evaluate_held_out`.
        seed: of the bootstrap.
        progress: told case by case; may cancel.

    Raises:
        TrainingSetError: no case that both answered and neither was trained on; other classes.
    """
    if set(first.model.classes) != set(second.model.classes):
        raise TrainingSetError(
            f"{first.model.name} tells {', '.join(first.model.classes)} apart and {second.model.name} "
            f"{', '.join(second.model.classes)}: compare models of the same classes."
        )
    one = evaluate_held_out(first, training_set, part, seed, progress)
    other = evaluate_held_out(second, training_set, part, seed, progress)
    shared = [name for name in one.names if name in set(other.names)]
    if not shared:
        raise TrainingSetError(
            f"{training_set.name} has no case that neither {first.model.name} nor {second.model.name} was trained on: "
            "add some, or compare on folds."
        )
    rows, others = ([result.names.index(name) for name in shared] for result in (one, other))
    columns = [other.classes.index(name) for name in one.classes]
    note = f"Both classified {len(shared)} cases of {training_set.name} that neither was trained on."
    return compare(
        (first.model.name, second.model.name),
        one.y[rows],
        one.proba[rows],
        other.proba[np.ix_(others, columns)],
        one.groups[rows],
        one.classes,
        shared,
        seed,
        [note, *_failed(one, other)],
    )


def _failed(one: HeldOut, other: HeldOut) -> list[str]:
    names = sorted({name for result in (one, other) for name, _ in result.failures})
    return [f"{len(names)} cases could not be classified: {', '.join(names)}."] if names else []
