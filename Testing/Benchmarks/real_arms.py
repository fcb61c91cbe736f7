"""The ways to classify that the real-data benchmark compares, all on the same draws of cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.evaluation.draws import DrawResult, draw_cases, few_shot, summarise_draws
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import FeatureName, FeatureTable
from SegClassifyLib.heads.conv import ConvHead
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.preprocessing.apply import preprocess
from SegClassifyLib.progress import Progress
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training.honest_features import image_source
from SegClassifyLib.training.scratch import ScratchClassifier
from SegClassifyLib.training.settings import ScratchSettings
from SegClassifyLib.volumes.image import Image

Arm = Callable[[int], Sequence[DrawResult]]
"""Number of draws to results, one for each number of cases per class."""


class Arms:
    """Features of all cases of a set, computed once, and the arms on them.

    Args:
        training_set: cases with a class; those of split "test" are tested on.
        segmenter: trained on cases of split "train" only.
        cache: folder for features.
        per_class: training cases of each class.
        seed: of the draws.
        kept: names of the cases that take part; all where not given.
    """

    def __init__(
        self,
        training_set: TrainingSet,
        segmenter: Segmenter,
        cache: Path,
        per_class: Sequence[int],
        seed: int,
        progress: Progress,
        kept: set[str] | None = None,
    ) -> None:
        self.training_set, self.segmenter, self.per_class, self.seed = (
            training_set,
            segmenter,
            per_class,
            seed,
        )
        self.progress = progress
        self.cases: tuple[Case, ...] = tuple(
            c for c in training_set.cases if c.label_class and (kept is None or c.name in kept)
        )
        self.y = np.asarray([training_set.classes.index(str(c.label_class)) for c in self.cases])
        self.groups = np.asarray([c.group_name for c in self.cases])
        self.test = np.flatnonzero([c.split == "test" for c in self.cases])
        extractor = FeatureExtractor(segmenter, "cpu", FeatureCache(cache))
        sources = [image_source(training_set, c) for c in self.cases]
        self.table = FeatureTable.stack(extractor.extract(sources, progress))

    def features(self, draws: int) -> Sequence[DrawResult]:
        """Segmenter features and descriptors, linear head."""
        return self._head(LinearHead, self.table, draws)

    def taps_only(self, draws: int) -> Sequence[DrawResult]:
        """Segmenter features without descriptors of the predicted labels, linear head."""
        return self._head(LinearHead, self._only(lambda n: not n.is_descriptor), draws)

    def conv(self, draws: int) -> Sequence[DrawResult]:
        """Convolutional head on the segmenter's feature maps."""
        return self._head(ConvHead, self.table, draws)

    def shape(self, draws: int) -> Sequence[DrawResult]:
        """Shape of the predicted labels only, linear head."""
        return self._head(LinearHead, self._only(lambda n: n.source == "shape"), draws)

    def scratch(self, draws: int, steps: int) -> Sequence[DrawResult]:
        """The segmenter's encoder trained from scratch on the same cases."""
        images = [
            preprocess(self.training_set.load_image(c), self.segmenter.preprocessing).array
            for c in self.cases
        ]
        results = []
        for n in self.per_class:
            plan = draw_cases(self.y, self.groups, n, self.test, draws, self.seed)
            if not plan:
                continue
            probas = []
            for number, fold in enumerate(plan):
                self.progress.report("From scratch", number, len(plan), f"{n} per class")
                classifier = ScratchClassifier(self.segmenter.network, ScratchSettings(steps=steps))
                classifier.fit([images[i] for i in fold.train], self.y[fold.train], self.seed + number)
                probas.append(classifier.predict_proba([images[i] for i in fold.test]))
            results.append(summarise_draws(n, plan, probas, self.y, self.groups, self.seed))
        return results

    def imagenet(self, weights: Path, cache: Path) -> tuple[Arm, Arm]:
        """ImageNet features with a linear head, alone and beside the segmenter's."""
        names, X = _imagenet_features(self.training_set, self.cases, weights, cache, self.progress)
        alone = FeatureTable(names, X, {})
        both = FeatureTable(self.table.names + names, np.concatenate([self.table.X, X], axis=1), {})
        return (lambda d: self._head(LinearHead, alone, d)), (lambda d: self._head(LinearHead, both, d))

    def _only(self, wanted: Callable[[FeatureName], bool]) -> FeatureTable:
        return self.table.columns(np.asarray([wanted(n) for n in self.table.names]))

    def _head(
        self, head: Callable[[], LinearHead | ConvHead], table: FeatureTable, draws: int
    ) -> list[DrawResult]:
        return few_shot(
            head, table, self.y, self.groups, self.test, self.per_class, draws, self.seed, self.progress
        )


def _imagenet_features(
    training_set: TrainingSet, cases: Sequence[Case], weights: Path, cache: Path, progress: Progress
) -> tuple[tuple[FeatureName, ...], np.ndarray]:
    """Globally pooled features of EfficientNet-Lite0, ``(N, 1280)``."""
    import torch

    from SegClassifyLib.networks.efficientnet_lite import imagenet_preprocessing, load_efficientnet_lite0

    if cache.exists():
        X = np.load(cache)
    else:
        network, spec = load_efficientnet_lite0(weights), imagenet_preprocessing()
        rows = []
        with torch.inference_mode():
            for number, case in enumerate(cases):
                progress.report("ImageNet features", number, len(cases))
                grey = training_set.load_image(case)
                colour = Image(np.repeat(grey.array, 3, axis=0), grey.geometry)
                array = torch.from_numpy(preprocess(colour, spec).array)[None]
                rows.append(network.extract_features(array).mean((2, 3))[0].numpy())
        X = np.stack(rows)
        np.save(cache, X)
    return tuple(FeatureName("imagenet:pooled", "all", "mean", c) for c in range(X.shape[1])), X
