"""Why the numbers of a training cannot be believed, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SegClassifyLib.training.classifier import TrainedClassifier
from SegClassifyLib.training.family import SegmenterFamily

_FEW_GROUPS = 5
_FEW_CASES = 30


def caveats(trained: TrainedClassifier, family: SegmenterFamily, seen: str) -> tuple[str, ...]:
    """Sentences on what is wrong with the estimate, the worst first; empty where nothing is.

    Args:
        trained: the classifier with its cross-validation.
        family: its segmenter.
        seen: what became of cases that trained the segmenter, see :class:`.classifier_settings.ClassifierSettings`.
    """
    found = [*_flattering(trained, family, seen), *_thin(trained), *_unknown_images(family)]
    if len(trained.y) < _FEW_CASES:
        found.append(
            f"Only {len(trained.y)} cases were trained and tested on: the intervals are wide, and even they may be too "
            "narrow."
        )
    guessing = 1 / len(trained.model.classes)
    if not trained.validation.intervals.balanced_accuracy.low > guessing:
        found.append(
            f"The classifier may be no better than guessing, which has a balanced accuracy of {guessing:.2f}."
        )
    return tuple(found)


def plain_notes(trained: TrainedClassifier) -> tuple[str, ...]:
    """Notes on what was done, without those that :func:`caveats` says too."""
    said = ("the estimate flatters.", "the estimate may be far off.")
    return tuple(note for note in trained.notes if not note.endswith(said))


def _flattering(trained: TrainedClassifier, family: SegmenterFamily, seen: str) -> list[str]:
    known = set(trained.model.provenance.classifier_images) & family.seen
    if seen != "include" or not known:
        return []
    return [
        f"The segmenter was trained on {len(known)} of the {len(trained.y)} cases that the classifier is tested on: "
        "the numbers flatter, by as much as ten points."
    ]


def _thin(trained: TrainedClassifier) -> list[str]:
    thin = [
        (name, len(np.unique(trained.groups[trained.y == k]))) for k, name in enumerate(trained.model.classes)
    ]
    few = [f"{name} ({count})" for name, count in thin if count < _FEW_GROUPS]
    if not few:
        return []
    return [f"Fewer than five patients in {_listed(few)}: the numbers may be far off."]


def _unknown_images(family: SegmenterFamily) -> list[str]:
    if family.full.provenance.segmenter_images:
        return []
    return [
        f"{family.full.name} does not say on which images its segmenter was trained: if these cases are among them, "
        "the numbers flatter."
    ]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
