"""Features of all cases of a real set, with classes and patients, as the benchmarks want them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.progress import Progress
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training.honest_features import image_source


class RealFeatures:
    """Features of all cases of a set, computed once.

    Args:
        training_set: cases with a class; those of split "test" are tested on.
        segmenter: trained on cases of split "train" only.
        cache: folder for features.
        progress: told of every case.

    Attributes:
        cases: with a class, in the order of the set.
        y, groups: their classes and patients.
        test: indices of the test cases.
        table: their features.
    """

    def __init__(
        self, training_set: TrainingSet, segmenter: Segmenter, cache: Path, progress: Progress | None = None
    ) -> None:
        self.cases = tuple(c for c in training_set.cases if c.label_class)
        self.y = np.asarray([training_set.classes.index(str(c.label_class)) for c in self.cases])
        self.groups = np.asarray([c.group_name for c in self.cases])
        self.test = np.flatnonzero([c.split == "test" for c in self.cases])
        extractor = FeatureExtractor(segmenter, "cpu", FeatureCache(cache))
        sources = [image_source(training_set, c) for c in self.cases]
        self.table = FeatureTable.stack(extractor.extract(sources, progress))
