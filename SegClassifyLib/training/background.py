"""Cases without a class say how features vary (see :mod:`SegClassifyLib.heads.linear`), and what images look like."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import Cancelled, SegClassifyError
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import CaseFeatures, FeatureTable
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.progress import Progress
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training.honest_features import image_source
from SegClassifyLib.volumes.observation import Observation

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Background:
    """Cases whose class is not looked at.

    Args:
        table: their features, without maps.
        observations: of their images, one each.
    """

    table: FeatureTable
    observations: tuple[Observation, ...]


def background_cases(training_set: TrainingSet, labelled: Sequence[Case], most: int) -> tuple[Case, ...]:
    """Cases beside ``labelled`` that no estimate is made on: of other patients, and not kept for a test.

    Args:
        training_set: to choose from.
        labelled: cases that a classifier is trained and cross-validated on.
        most: how many at most; which ones depends on their images alone.
    """
    groups = {c.group_name for c in labelled}
    others = [c for c in training_set.cases if c.split == "train" and c.group_name not in groups]
    chosen = {c.name for c in sorted(others, key=lambda c: (str(c.image_hash), c.name))[:most]}
    return tuple(c for c in others if c.name in chosen)


def background_features(
    training_set: TrainingSet,
    cases: Sequence[Case],
    segmenter: Segmenter,
    device: str = "cpu",
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Background | None:
    """What ``cases`` show; ``None`` where there are none.

    A case that trained the segmenter is as welcome as any: nothing is learned here that an estimate rests on. One that
    cannot be read is passed over, for it is not what the user asked to train on.
    """
    progress = progress or Progress()
    extractor = FeatureExtractor(segmenter, device, cache)
    found: list[CaseFeatures] = []
    for number, case in enumerate(cases):
        progress.report("Looking at cases without a class", number, len(cases), case.name)
        try:
            (features,) = extractor.extract([image_source(training_set, case)])
        except Cancelled:
            raise
        except SegClassifyError as error:
            _log.warning("Passed over: %s", error)
            continue
        found.append(features)
    progress.report("Looking at cases without a class", len(cases), len(cases))
    if not found:
        return None
    return Background(replace(FeatureTable.stack(found), maps={}), tuple(f.observation for f in found))
