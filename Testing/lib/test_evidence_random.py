"""Whole maps depend on what the network learned: those of a shipped model beside those of random networks.

(Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018.)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.evidence.explain import explain
from SegClassifyLib.evidence.spec import EvidenceMap
from SegClassifyLib.heads.base import HeadState
from SegClassifyLib.networks.registry import build_network
from SegClassifyLib.phantoms.slices import LESIONS, make_slice
from SegClassifyLib.volumes.image import Image

MODEL = Path(__file__).parents[2] / "Resources" / "Models" / "breast-ultrasound"

IMAGES = tuple(make_slice(i, LESIONS[i % 2], (128, 128)).image for i in range(6))


@pytest.fixture(scope="module")
def shipped() -> Classifier:
    return Classifier.open(MODEL, "cpu")


@pytest.fixture(scope="module")
def own(shipped: Classifier) -> list[EvidenceMap]:
    """The shipped model's maps of its own answers."""
    return [explain(shipped, image).maps[0] for image in IMAGES]


def likeness(own: list[EvidenceMap], classifier: Classifier, images: tuple[Image, ...]) -> np.ndarray:
    """Rank correlations of a classifier's maps of the same classes, image by image; grey values included."""
    other = [
        explain(classifier, image, (found.class_name,)).maps[0]
        for image, found in zip(images, own, strict=True)
    ]
    return np.asarray(
        [spearmanr(a.shown.ravel(), b.shown.ravel())[0] for a, b in zip(own, other, strict=True)]
    )


def bounds(values: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over images."""
    draws = np.random.default_rng(0).integers(0, len(values), (2000, len(values)))
    low, high = np.percentile(values[draws].mean(1), [2.5, 97.5])
    return float(low), float(high)


def test_a_little_noise_leaves_the_map_as_it_is(shipped: Classifier, own: list[EvidenceMap]) -> None:
    rng = np.random.default_rng(0)
    noisy = tuple(
        Image(np.clip(i.array + rng.normal(0, 8, i.array.shape), 0, 255).astype(np.uint8), i.geometry)
        for i in IMAGES
    )
    assert bounds(likeness(own, shipped, noisy))[0] > 0.9


def test_random_network_weights_destroy_the_whole_map(shipped: Classifier, own: list[EvidenceMap]) -> None:
    model, found = shipped.model, []
    for seed in range(3):
        torch.manual_seed(seed)
        state = build_network(model.segmenter.network).state_dict()
        random = replace(model, segmenter=replace(model.segmenter, state=state))
        found.append(likeness(own, Classifier(random, "cpu"), IMAGES))
    low, high = bounds(np.mean(found, axis=0))
    assert low > -0.4 and high < 0.4


def test_random_head_weights_destroy_the_whole_map(shipped: Classifier, own: list[EvidenceMap]) -> None:
    head, found, rng = shipped.model.head, [], np.random.default_rng(0)
    assert head is not None
    for _ in range(3):
        drawn = np.stack([row[rng.permutation(len(row))] for row in head.arrays["coefficients"]])
        random = HeadState("linear", head.config, {**head.arrays, "coefficients": drawn})
        found.append(likeness(own, Classifier(replace(shipped.model, head=random), "cpu"), IMAGES))
    low, high = bounds(np.mean(found, axis=0))
    assert low > -0.4 and high < 0.4
