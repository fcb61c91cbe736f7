"""A set and classifiers on a segmenter with fresh weights: real features in seconds, no network is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from package_data import small_segmenter

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.provenance import Provenance
from SegClassifyLib.phantoms.sets import Counts, write_slice_set
from SegClassifyLib.training.classifier import train_classifier
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.family import SegmenterFamily

FLAT = NetworkSpec(
    name="VNetDS", ndim=2, in_channels=1, out_channels=2, arguments={"base_filters": 2, "num_blocks": [1, 1]}
)


def slice_set(folder: Path, classified: int = 7, test: int = 0, seed: int = 0) -> TrainingSet:
    """Round and spiculated lesions, so many of each, 48 x 48."""
    counts = Counts(segmented=0, classified=classified, both=0, test=test)
    return write_slice_set(folder, counts, seed=seed, shape=(48, 48))


def fresh_family(seen: frozenset[str] = frozenset()) -> SegmenterFamily:
    """A segmenter that learned nothing, said to be trained on images of these content hashes."""
    segmenter = small_segmenter(FLAT, "whole")
    provenance = Provenance(segmenter_images=tuple(sorted(seen)), segmenter_cases=len(seen))
    return SegmenterFamily(Model("Fresh", "Knows nothing.", segmenter, provenance=provenance))


def quick_model(
    training_set: TrainingSet, family: SegmenterFamily, cache: Path, name: str = "Lesions"
) -> Model:
    """A linear classifier on the set's labelled cases."""
    settings = ClassifierSettings(head="linear", repeats=1, folds=2)
    return replace(
        train_classifier(training_set, family, settings, name, FeatureCache(cache)).model, name=name
    )
