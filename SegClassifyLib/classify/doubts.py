"""Why to trust a result less: what sets the image apart from the training cases, in sentences."""

from __future__ import annotations

from dataclasses import dataclass

from SegClassifyLib.features.spec import CaseFeatures
from SegClassifyLib.package.model import Model
from SegClassifyLib.volumes.image import LabelMap


@dataclass(frozen=True)
class Doubts:
    """What speaks against believing a result.

    Args:
        warnings: sentences, the gravest first.
        novelty: percentile among the training cases, 0 to 100; ``None`` where the model cannot tell.
        novel: too unlike the training cases to believe the probabilities.
    """

    warnings: tuple[str, ...]
    novelty: float | None
    novel: bool


def doubts_of(model: Model, features: CaseFeatures, label_map: LabelMap) -> Doubts:
    """Compare one image with the training cases of a model.

    Raises:
        ModelPackageError: the model cannot be compared with what its segmenter gives.
    """
    channels = [c.name for c in model.segmenter.preprocessing.channels]
    novelty = model.trust.novelty if model.trust is not None else None
    answer = novelty.ask(features, channels) if novelty is not None else None
    found = list(answer.sentences) if answer is not None else []
    found += model.training.differences(features.observation)
    if not label_map.array.any():
        names = ", ".join(label.name for label in model.segmenter.labels[1:])
        found.append(f"Nothing was segmented (no {names}): the classes rest on the whole image only.")
    else:
        found += model.training.odd_volumes(label_map)
    return Doubts(
        tuple(found), answer.percentile if answer is not None else None, answer is not None and answer.novel
    )
