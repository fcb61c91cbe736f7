"""Do evidence maps say what they claim? Sanity checks of a model's maps on real images; prints figures.

Three questions: does a map change when the weights of the head or of the network are random (rank correlation with the
true map, near 0 is good; Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018); does masking the pixels with
most evidence by their local mean change the answer more than masking the same shape elsewhere; does everything add up
to the logit.

Example:
    python Testing/Benchmarks/evidence_sanity.py Resources/Models/breast-ultrasound images/*.png --count 24
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import uniform_filter
from scipy.stats import spearmanr

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.evidence.explain import explain
from SegClassifyLib.evidence.layers import add_exactly
from SegClassifyLib.evidence.spec import EvidenceMap, Explanation
from SegClassifyLib.features.pooling import IMAGE_TAP
from SegClassifyLib.heads.base import HeadState
from SegClassifyLib.networks.registry import build_network
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import open_package
from SegClassifyLib.volumes.image import Image

SHARES = (0.02, 0.05, 0.1)
"""Parts of the image that are masked."""

_ELSEWHERE = 4
"""Places that the mask is moved to."""


def chosen(
    classifier: Classifier, paths: list[Path], count: int, training: bool, rng: np.random.Generator
) -> list[Image]:
    """Images that did not train the segmenter, nor, unless ``training``, the classifier, in random order."""
    provenance = classifier.model.provenance
    known = {*provenance.segmenter_images, *(() if training else provenance.classifier_images)}
    found = []
    for index in rng.permutation(len(paths)):
        image = classifier.read([paths[index]])
        if image.content_hash() not in known:
            found.append(image)
        if len(found) == count:
            break
    return found


def random_head(model: Model, rng: np.random.Generator) -> Model:
    """The same size of weights for every feature, drawn anew."""
    assert model.head is not None
    own = model.head.arrays["coefficients"]
    drawn = np.stack([row[rng.permutation(len(row))] for row in own])
    return replace(
        model, head=HeadState("linear", model.head.config, {**model.head.arrays, "coefficients": drawn})
    )


def random_network(model: Model, seed: int) -> Model:
    """Fresh weights."""
    torch.manual_seed(seed)
    state = build_network(model.segmenter.network).state_dict()
    return replace(model, segmenter=replace(model.segmenter, state=state))


def likeness(
    model: Model, explained: list[Explanation], images: list[Image]
) -> tuple[np.ndarray, np.ndarray]:
    """Rank correlation of another model's maps of the same classes: of the whole maps, and without grey values.

    Grey values are read beside the network's taps and need no network.
    """
    classifier, found = Classifier(model, "cpu"), []
    for one, image in zip(explained, images, strict=True):
        own, other = one.maps[0], explain(classifier, image, (one.maps[0].class_name,)).maps[0]
        inside = own.array != 0  # padding is 0 in every map
        pairs = [(own.array, other.array), (of_taps(own), of_taps(other))]
        found.append([spearmanr(a[inside], b[inside])[0] for a, b in pairs])
    whole, taps = np.asarray(found).T
    return whole, taps


def of_taps(found: EvidenceMap) -> np.ndarray:
    """The part of a map that comes from the network."""
    return add_exactly([layer for layer in found.layers if layer.source != IMAGE_TAP], found.array.shape)


def masked(image: Image, where: np.ndarray) -> Image:
    """The local mean in place of these pixels."""
    size = max(5, round(max(image.array.shape[1:]) / 8))
    grey = image.array.astype(np.float32)
    smooth = np.stack([uniform_filter(channel, size) for channel in grey])
    return Image(np.where(where, smooth, grey), image.geometry)


def log_odds(classifier: Classifier, image: Image, name: str) -> float:
    """Of a class against all others."""
    share = float(
        np.clip(
            classifier.classify(image).probabilities[classifier.model.classes.index(name)], 1e-6, 1 - 1e-6
        )
    )
    return float(np.log(share / (1 - share)))


def changes(
    classifier: Classifier,
    image: Image,
    found: EvidenceMap,
    share: float,
    rng: np.random.Generator,
    strength: Callable[[np.ndarray], np.ndarray],
) -> tuple[float, float]:
    """By how much masking changes the log odds: where evidence is strongest, and elsewhere (mean of several places)."""
    size = strength(found.shown)
    there = size >= np.quantile(size, 1 - share)
    before = log_odds(classifier, image, found.class_name)

    def change(where: np.ndarray) -> float:
        return before - log_odds(classifier, masked(image, where), found.class_name)

    elsewhere = []
    for _ in range(_ELSEWHERE):
        moved = np.roll(
            there, [int(rng.integers(n // 5, n - n // 5)) for n in there.shape], range(there.ndim)
        )
        elsewhere.append(abs(change(moved)))
    return abs(change(there)), float(np.mean(elsewhere))


def interval(values: np.ndarray, rng: np.random.Generator) -> str:
    """Mean with its 95 % bootstrap interval over images."""
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(2000)]
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="a model package with a linear classifier")
    parser.add_argument(
        "images", type=Path, nargs="+", help="images; those that trained the model are left out"
    )
    parser.add_argument(
        "--training", action="store_true", help="also take images that trained the classifier"
    )
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    model = open_package(arguments.model)
    classifier = Classifier(model, "cpu")
    images = chosen(classifier, arguments.images, arguments.count, arguments.training, rng)
    if not images:
        parser.error("all of these images trained the model: give others, or --training")
    explained = [explain(classifier, image) for image in images]
    short = [abs(e.maps[0].total - e.maps[0].logit) for e in explained]
    trained = "the segmenter of" if arguments.training else "any part of"
    print(
        f"{len(images)} images that did not train {trained} {model.name}; the predicted class of each is explained."
    )
    print(f"largest difference between everything added up and the logit: {max(short):.1e}")
    for name, other in (("head", random_head(model, rng)), ("network", random_network(model, 1))):
        whole, taps = (interval(values, rng) for values in likeness(other, explained, images))
        print(f"rank correlation with the map of a random {name}: {whole}; without grey values {taps}")
    for share in SHARES:
        pairs = np.asarray(
            [
                changes(classifier, image, one.maps[0], share, rng, np.abs)
                for image, one in zip(images, explained, strict=True)
            ]
        )
        print(
            f"masking {share:.0%} of the pixels changes the log odds by {interval(pairs[:, 0], rng)} where evidence is "
            f"strongest, {interval(pairs[:, 1], rng)} elsewhere; difference {interval(pairs[:, 0] - pairs[:, 1], rng)}"
        )


if __name__ == "__main__":
    main()
