"""Models whose every feature counts, and images for them, for the tests of evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from package_data import small_model, small_segmenter, without_head

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.features.spec import CaseFeatures
from SegClassifyLib.heads.base import HeadState, names_to_json
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.model import Model
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image

CLASSES = ("ring", "solid", "mixed")


def spec(ndim: Literal[2, 3], labels: int = 3) -> NetworkSpec:
    """Of ours, small, two channels."""
    arguments = {"base_filters": 3, "num_blocks": [1, 1]}
    return NetworkSpec(name="VNetDS", ndim=ndim, in_channels=2, out_channels=labels, arguments=arguments)


def image(shape: tuple[int, ...], seed: int = 0, spacing: float = 2.0) -> Image:
    """Two channels of noise with a bright block."""
    rng = np.random.default_rng(seed)
    array = rng.normal(0, 1, (2, *shape)).astype(np.float32)
    array[(slice(None), *(slice(n // 4, n // 2) for n in shape))] += 3
    return Image(array, Geometry.plain(shape[::-1], (spacing,) * len(shape)))


def features_of(model: Model, case: Image) -> CaseFeatures:
    """Of one image."""
    return Classifier(replace(model, head=None, classes=(), temperature=1.0), "cpu").classify(case).features


def linear_model(
    ndim: Literal[2, 3], mode: Literal["whole", "window"], shape: tuple[int, ...], seed: int = 0
) -> Model:
    """Three classes; random weights for every feature; one feature far beyond where it is clipped."""
    bare = replace(without_head(small_model()), segmenter=small_segmenter(spec(ndim), mode))
    average = features_of(bare, image(shape, seed=7))
    rng = np.random.default_rng(seed)
    count = len(average.names)
    coefficients = rng.normal(0, 0.05, (3, count))
    arrays = {
        "shift": average.vector.astype(np.float64),
        "spread": np.abs(average.vector).astype(np.float64) * 0.3 + 0.05,
        "weight": rng.uniform(0.5, 1.5, count),
        "coefficients": coefficients - coefficients.mean(0),
        "bias": np.array([0.2, -0.3, 0.1]),
    }
    arrays["shift"][3] += 20 * arrays["spread"][3]
    config = {"settings": {}, "names": names_to_json(average.names), "strength": 1.0}
    return replace(bare, head=HeadState("linear", config, arrays), classes=CLASSES)


def fine_tuned_model(shape: tuple[int, ...]) -> Model:
    """The same weights as a head that keeps no averages."""
    model = linear_model(2, "whole", shape)
    assert model.head is not None
    arrays = {"weight": model.head.arrays["coefficients"], "bias": model.head.arrays["bias"]}
    return replace(model, head=HeadState("fine-tuned", {"names": model.head.config["names"]}, arrays))
