"""Features of a training set's cases, none of them flattered by a segmenter that was trained on the case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import CaseFeatures
from SegClassifyLib.inference.extract import FeatureExtractor, ImageSource
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.classifier_settings import SeenCases
from SegClassifyLib.training.crossfit import learn_translation
from SegClassifyLib.training.family import FoldSegmenter, SegmenterFamily


@dataclass(frozen=True)
class HonestFeatures:
    """Features of those cases that may be used.

    Args:
        cases: in the order of the training set.
        features: one each.
        left_out: names of cases that trained the segmenter and could not be cross-fitted.
        notes: sentences on what was done, for report and model card.
        flattering: some features come from a segmenter that knew the case; the estimate is too good.
        known: names of those of the cases that also trained the segmenter, cross-fitted or flattering.
    """

    cases: tuple[Case, ...]
    features: tuple[CaseFeatures, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    flattering: bool
    known: tuple[str, ...] = ()


def image_source(training_set: TrainingSet, case: Case) -> ImageSource:
    """How the feature extractor gets at a case's image."""
    return ImageSource(
        case.name, tuple(training_set.image_paths(case)), lambda: training_set.load_image(case)
    )


def honest_features(
    training_set: TrainingSet,
    cases: Sequence[Case],
    family: SegmenterFamily,
    seen: SeenCases = "crossfit",
    device: str = "cpu",
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> HonestFeatures:
    """Extract features as ``seen`` says (see :class:`.classifier_settings.ClassifierSettings`)."""
    progress = progress or Progress()
    known = {c.name for c in cases if c.image_hash in family.seen}
    fold_of = {
        c.name: fold
        for c in cases
        if c.name in known
        and seen == "crossfit"
        and (fold := family.fold_without(str(c.image_hash))) is not None
    }
    left_out = {name for name in known if seen != "include" and name not in fold_of}
    plain = [c for c in cases if c.name not in left_out and c.name not in fold_of]
    extractor = FeatureExtractor(family.full.segmenter, device, cache)
    found = dict(
        zip(
            (c.name for c in plain),
            extractor.extract([image_source(training_set, c) for c in plain], progress),
            strict=True,
        )
    )
    explained: list[float] = []
    for number in sorted(set(fold_of.values())):
        held = [c for c in cases if fold_of.get(c.name) == number]
        features, share = _translated(
            training_set, held, family, family.folds[number], device, cache, progress
        )
        found |= features
        explained.append(share)
    used = tuple(c for c in cases if c.name in found)
    return HonestFeatures(
        used,
        tuple(found[c.name] for c in used),
        tuple(sorted(left_out)),
        _notes(known, fold_of, left_out, explained, seen),
        seen == "include" and bool(known),
        tuple(c.name for c in used if c.name in known),
    )


def _translated(
    training_set: TrainingSet,
    held: Sequence[Case],
    family: SegmenterFamily,
    fold: FoldSegmenter,
    device: str,
    cache: FeatureCache | None,
    progress: Progress,
) -> tuple[dict[str, CaseFeatures], float]:
    """Features of ``held`` by a fold segmenter that did not see them, said in the full segmenter's terms."""
    both = [
        c for c in training_set.cases if c.image_hash in family.seen and c.image_hash not in fold.held_out
    ]
    sources = [image_source(training_set, c) for c in both]
    mine = FeatureExtractor(fold.model.segmenter, device, cache)
    full = FeatureExtractor(family.full.segmenter, device, cache)
    translation = learn_translation(mine.extract(sources, progress), full.extract(sources, progress))
    held_features = mine.extract([image_source(training_set, c) for c in held], progress)
    translated = {c.name: translation.apply(f) for c, f in zip(held, held_features, strict=True)}
    return translated, translation.explained


def _notes(
    known: set[str], fold_of: dict[str, int], left_out: set[str], explained: list[float], seen: SeenCases
) -> tuple[str, ...]:
    notes = []
    if fold_of:
        notes.append(
            f"{len(fold_of)} cases also trained the segmenter; their features come from {len(explained)} fold "
            f"segmenters that had not seen them (translation explains {sum(explained) / len(explained):.0%} of "
            "the variance)."
        )
    if left_out:
        notes.append(
            f"{len(left_out)} labelled cases were left out because they trained the segmenter: train it with "
            "cross-fitting to use them."
        )
    if seen == "include" and known:
        notes.append(
            f"{len(known)} cases also trained the segmenter and were used all the same: the estimate flatters."
        )
    return tuple(notes)
