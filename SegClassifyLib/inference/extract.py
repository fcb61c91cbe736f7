"""The features of a case: pooled taps and descriptors, from one pass or from the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.descriptors import describe_labels, descriptor_names
from SegClassifyLib.features.spec import CaseFeatures
from SegClassifyLib.inference.runner import Pass, Runner
from SegClassifyLib.preprocessing.apply import Prepared, preprocess
from SegClassifyLib.progress import Progress
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.volumes.image import Image
from SegClassifyLib.volumes.observation import observe


@dataclass(frozen=True)
class ImageSource:
    """A case's image, read only when it must be.

    Args:
        name: of the case.
        paths: its files, one a channel.
        load: reads it.
    """

    name: str
    paths: tuple[Path, ...]
    load: Callable[[], Image]


def case_features(segmenter: Segmenter, image: Image, prepared: Prepared, result: Pass) -> CaseFeatures:
    """Join what a pass pooled with the descriptors of the labels it predicted."""
    inside = prepared.path.inside
    labels, grey = result.labels[inside], prepared.array[(slice(None), *inside)]
    described = describe_labels(labels, grey, prepared.spacing, segmenter.labels)
    names = result.names + descriptor_names(segmenter.labels, len(grey))
    return CaseFeatures(names, np.concatenate([result.pooled, described]), result.maps, observe(image))


class FeatureExtractor:
    """Gives features case by case; loads the network only when a case is not in the cache.

    Args:
        segmenter: whose features.
        device: where to run it.
        cache: where to look first; ``None`` always runs.
    """

    def __init__(self, segmenter: Segmenter, device: str = "cpu", cache: FeatureCache | None = None) -> None:
        self.segmenter = segmenter
        self._device = device
        self._cache = cache
        self._runner: Runner | None = None

    def extract(self, sources: Sequence[ImageSource], progress: Progress | None = None) -> list[CaseFeatures]:
        """Features of all cases, in order.

        Raises:
            ImageError: an image cannot be read or does not fit the segmenter.
            Cancelled: what is done stays in the cache.
        """
        progress = progress or Progress()
        found = []
        for number, source in enumerate(sources):
            progress.report("Reading features", number, len(sources), source.name)
            found.append(self._one(source, progress))
        progress.report("Reading features", len(sources), len(sources))
        return found

    def _one(self, source: ImageSource, progress: Progress) -> CaseFeatures:
        cache, known = self._cache, None
        if cache is not None and source.paths:
            known = cache.image_hash(source.paths)
            stored = cache.get(known, self.segmenter) if known else None
            if stored is not None:
                return stored
        image = source.load()
        if cache is not None and known is None:
            known = image.content_hash()
            if source.paths:
                cache.remember_hash(source.paths, known)
            stored = cache.get(known, self.segmenter)
            if stored is not None:
                return stored
        features = self.run(image, Progress(is_cancelled=progress.is_cancelled))[2]
        if cache is not None and known is not None:
            cache.put(known, self.segmenter, features)
        return features

    def run(self, image: Image, progress: Progress | None = None) -> tuple[Prepared, Pass, CaseFeatures]:
        """One image through the network."""
        if self._runner is None:
            self._runner = Runner(self.segmenter, self._device)
        prepared = preprocess(image, self.segmenter.preprocessing)
        result = self._runner.run(prepared, features=True, maps=True, progress=progress)
        return prepared, result, case_features(self.segmenter, image, prepared, result)
