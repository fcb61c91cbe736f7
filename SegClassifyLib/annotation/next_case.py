"""Which case to annotate next: the one that the classifier would learn most from, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SegClassifyLib.annotation.candidates import Candidate, Origin, candidates_in_folder, candidates_in_set
from SegClassifyLib.annotation.order import Pick, annotation_order
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import Cancelled, SegClassifyError, TrainingSetError
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import CaseFeatures
from SegClassifyLib.heads.linear import LinearSettings
from SegClassifyLib.heads.scaling import Scaling
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.package.decision import Decision
from SegClassifyLib.package.model import Model
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.honest_features import image_source

_TORN = 0.5
"""Uncertainty from which on the classifier is said to hesitate."""

_UNLIKE = 0.5
"""Share of the candidates that must be nearer before a case is called unlike the labelled ones."""


@dataclass(frozen=True)
class Suggestion:
    """A case worth annotating.

    Args:
        name: of the case, or of the file where it is not in the set.
        paths: its images, one a channel.
        origin: whether it is in the set already, or in the folder.
        group: its patient, as far as known.
        probabilities: of each class, by the model.
        unsure, distance, farther_than: see :class:`.order.Pick`.
        reason: why, in a sentence.
    """

    name: str
    paths: tuple[Path, ...]
    origin: Origin
    group: str
    probabilities: tuple[float, ...]
    unsure: float
    distance: float
    farther_than: float
    reason: str


@dataclass(frozen=True)
class NextCases:
    """What to annotate next.

    Args:
        suggestions: the most useful first.
        classes: of the model, in the order of the probabilities.
        candidates: how many cases without a class were looked at.
        labelled: how many cases with a class they were compared with.
        skipped: cases that could not be used, and why.
    """

    suggestions: tuple[Suggestion, ...]
    classes: tuple[str, ...]
    candidates: int
    labelled: int
    skipped: tuple[tuple[str, str], ...]


def next_cases(
    model: Model,
    training_set: TrainingSet,
    folder: Path | None = None,
    count: int = 10,
    device: str = "cpu",
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> NextCases:
    """Order the set's cases without a class, and the images of a folder, by what the classifier would learn from them.

    Nothing in it is drawn at random: the same set and model give the same order.

    Args:
        model: with a classifier.
        training_set: what is labelled already, and cases that are not.
        folder: more images; those that the set holds (by content) are passed over.
        count: how many to suggest at most.
        device: where to run the network for cases that are not in the cache.
        cache: of features.
        progress: told of every case; may cancel.

    Raises:
        ModelPackageError: the model has no classifier.
        TrainingSetError: no case without a class.
    """
    progress = progress or Progress()
    decision = Decision(model)
    candidates = candidates_in_set(training_set)
    skipped: tuple[tuple[str, str], ...] = ()
    if folder is not None:
        more, skipped = candidates_in_folder(folder, training_set)
        candidates += more
    if not candidates:
        where = "" if folder is None else f" and {folder} no image"
        raise TrainingSetError(
            f"{training_set.name} has no case without a class{where}: add cases, or name a folder of images."
        )
    reader = _Reader(FeatureExtractor(model.segmenter, device, cache), cache)
    labelled = [c for c in training_set.cases if c.trains_classifier]
    known = [
        reader.features(Candidate(image_source(training_set, c), c.group_name, "set"), progress)
        for c in labelled
    ]
    # Any case of the set is passed over in the folder, a test case above all.
    seen = {c.image_hash for c in training_set.cases if c.image_hash}
    usable, features, failed = _fresh(candidates, seen, reader, progress)
    if not usable:
        raise TrainingSetError(
            "No case without a class is left to choose from: "
            + (
                f"the first said: {failed[0][1]}"
                if failed
                else "all images of the folder are in the training set."
            )
        )
    proba, Z, others = _seen_by_head(decision, features, known)
    groups = np.array([c.group for c in usable])
    picks = annotation_order(proba, Z, others, groups, count, frozenset(c.group_name for c in labelled))
    suggestions = tuple(
        _suggestion(usable[p.index], proba[p.index], p, model.classes, len(known)) for p in picks
    )
    return NextCases(suggestions, model.classes, len(usable), len(known), (*skipped, *failed))


class _Reader:
    """Features case by case, and the content hash that goes with them."""

    def __init__(self, extractor: FeatureExtractor, cache: FeatureCache | None) -> None:
        self._extractor, self._cache = extractor, cache

    def features(self, candidate: Candidate, progress: Progress) -> CaseFeatures:
        """Of one case, from the cache if it is there."""
        progress.report("Looking at cases", note=candidate.source.name)
        quiet = Progress(is_cancelled=progress.is_cancelled)
        return self._extractor.extract([candidate.source], quiet)[0]

    def content(self, candidate: Candidate) -> str:
        """Hash of the image."""
        known = candidate.image_hash
        if known is None and self._cache is not None:
            known = self._cache.image_hash(candidate.source.paths)
        return known or candidate.source.load().content_hash()


def _fresh(
    candidates: Sequence[Candidate], seen: set[str], reader: _Reader, progress: Progress
) -> tuple[list[Candidate], list[CaseFeatures], tuple[tuple[str, str], ...]]:
    """Candidates that can be read and whose image is neither in the set nor an earlier candidate's."""
    usable: list[Candidate] = []
    features: list[CaseFeatures] = []
    failed: list[tuple[str, str]] = []
    met: set[str] = set()
    for number, candidate in enumerate(candidates):
        progress.report("Looking at cases without a class", number, len(candidates), candidate.source.name)
        try:
            found = reader.features(candidate, Progress(is_cancelled=progress.is_cancelled))
            content = reader.content(candidate)
        except Cancelled:
            raise
        except SegClassifyError as error:
            failed.append((candidate.source.name, str(error)))
            continue
        if content in met or (candidate.origin == "folder" and content in seen):
            continue
        met.add(content)
        usable.append(candidate)
        features.append(found)
    progress.report("Looking at cases without a class", len(candidates), len(candidates))
    return usable, features, tuple(failed)


def _seen_by_head(
    decision: Decision, candidates: list[CaseFeatures], labelled: list[CaseFeatures]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities ``(M, K)`` of the candidates; scaled features of candidates ``(M, F)`` and labelled ``(N, F)``."""
    table = decision.table([*candidates, *labelled])
    proba = decision.probabilities(table.rows(np.arange(len(candidates))))
    learned = LinearSettings()
    Z = Scaling.of(table.X, table.names, learned.balance, learned.descriptors).apply(table.X)
    return proba, Z[: len(candidates)], Z[len(candidates) :]


def _suggestion(
    candidate: Candidate, proba: np.ndarray, pick: Pick, classes: Sequence[str], labelled: int
) -> Suggestion:
    return Suggestion(
        name=candidate.source.name,
        paths=candidate.source.paths,
        origin=candidate.origin,
        group=candidate.group,
        probabilities=tuple(float(p) for p in proba),
        unsure=pick.unsure,
        distance=pick.distance,
        farther_than=pick.farther_than,
        reason=_reason(proba, pick, classes, labelled),
    )


def _reason(proba: np.ndarray, pick: Pick, classes: Sequence[str], labelled: int) -> str:
    """What the classifier makes of the case, and how unlike the labelled ones it is."""
    first, second = np.argsort(-proba, kind="stable")[:2].tolist()
    if pick.unsure >= _TORN:
        said = (
            f"The classifier hesitates between {classes[first]} ({proba[first]:.0%}) and {classes[second]} "
            f"({proba[second]:.0%})"
        )
    else:
        said = f"The classifier says {classes[first]} ({proba[first]:.0%})"
    if not labelled:
        return f"{said}."
    if pick.farther_than >= _UNLIKE:
        others = "any other case" if pick.farther_than == 1 else f"{pick.farther_than:.0%} of the other cases"
        return f"{said}, and the case is less like those with a class, or above in this list, than {others}."
    return f"{said}; cases like it have a class or are above in this list."
