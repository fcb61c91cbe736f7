"""What a new model learns of when to believe it: prediction sets and novelty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SegClassifyLib.evaluation.crossvalidate import CrossValidation
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.training.background import Background
from SegClassifyLib.training.honest_features import HonestFeatures
from SegClassifyLib.trust.answers import HeldOutAnswers, fewest_patients, never_ruled_out
from SegClassifyLib.trust.novelty import FEWEST_PATIENTS, Novelty, learn_novelty
from SegClassifyLib.trust.trust import Trust
from SegClassifyLib.volumes.observation import Observation

_ENOUGH_UNKNOWN = 30
"""Patients that the segmenter does not know, from which on novelty is learned from these alone.

What it knows, and what a fold segmenter and a translation make of it, differs from every new image: with fewer such
patients only the look of images is compared, or every image might be called novel.
"""


def learn_trust(
    material: HonestFeatures,
    table: FeatureTable,
    validation: CrossValidation,
    y: np.ndarray,
    groups: np.ndarray,
    kind: str,
    seed: int,
    background: Background | None = None,
) -> Trust:
    """Trust that goes with a head.

    Args:
        material: the training cases.
        table: all their features, not only those the head uses.
        validation: of the head.
        y, groups: classes and patients ``(N,)``.
        kind: of head.
        seed: decides which patients are left out together.
        background: training images of other patients.
    """
    # A fine-tuned segmenter's features are not those that were read for training.
    more = background.observations if background else ()
    novelty = _novelty(material, table if kind != "fine-tuned" else None, groups, seed, more)
    return Trust(HeldOutAnswers.of(validation, y, groups), novelty)


def trust_notes(trust: Trust, classes: Sequence[str]) -> list[str]:
    """Sentences on what cannot be told with so few cases."""
    notes = []
    if trust.answers is not None:
        always = never_ruled_out(trust.answers, trust.confidence)
        if always:
            notes.append(
                f"Fewer than {fewest_patients(trust.confidence)} patients in {', '.join(classes[k] for k in always)}: "
                f"at {trust.confidence:.0%} confidence no answer rules such a class out."
            )
    if trust.novelty is None:
        notes.append(
            f"Fewer than {FEWEST_PATIENTS} patients: images unlike the training cases are not recognised."
        )
    return notes


def _novelty(
    material: HonestFeatures,
    table: FeatureTable | None,
    groups: np.ndarray,
    seed: int,
    more: Sequence[Observation],
) -> Novelty | None:
    features = list(material.features)
    plain = np.flatnonzero([c.name not in set(material.known) for c in material.cases])
    if table is None or not material.known:
        return learn_novelty(table, features, groups, seed, more)
    if len(np.unique(groups[plain])) < _ENOUGH_UNKNOWN:
        return learn_novelty(None, features, groups, seed, more)
    unknown = FeatureTable(table.names, table.X[plain], {})
    # Cases that the segmenter knows look like any other.
    others = np.flatnonzero(~np.isin(groups, groups[plain]))
    known = [features[i].observation for i in others]
    return learn_novelty(unknown, [features[i] for i in plain], groups[plain], seed, [*known, *more])
