"""Small model packages whose answers are known: ``python -m SegClassifyLib.demo.brightness_models FOLDER``.

The module's own test runs on them, in Slicer too, and makes them in a process of its own. The networks are not
trained: their few weights are set by hand so that they tell voxels apart by brightness alone. On a scale of 0 to 400,
"organ" is what is brighter than 120 and "tumour" what is brighter than 280; a case is "large" rather than "small" where
the tumour is larger than a ball (disc) of 8 mm radius.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.features.spec import FeatureName
from SegClassifyLib.features.taps import find_taps
from SegClassifyLib.heads.base import HeadState, names_to_json
from SegClassifyLib.networks.registry import build_network
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import save_package
from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, IntensitySpec, PreprocessingSpec
from SegClassifyLib.segmenter import InferenceSpec, Segmenter
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label

BRIGHTEST = 400.0
ORGAN, TUMOUR = 0.3, 0.7
LABELS = (Label(0, "background"), Label(1, "organ", (0.9, 0.7, 0.3)), Label(2, "tumour", (0.8, 0.1, 0.2)))
CLASSES = ("small", "large")
TURNING_POINT = math.log(8.0)


def brightness_model(name: str, ndim: Literal[2, 3], channels: tuple[str, ...]) -> Model:
    """A model that looks at the brightness of its first channel."""
    spec = NetworkSpec(
        name="VNetDS",
        ndim=ndim,
        in_channels=len(channels),
        out_channels=len(LABELS),
        arguments={"base_filters": 2, "num_blocks": [1, 1]},
    )
    network = build_network(spec)
    _set_weights(network)
    scale = IntensitySpec(clip="window", lower=0.0, upper=BRIGHTEST, scale="unit")
    segmenter = Segmenter(
        network=spec,
        preprocessing=PreprocessingSpec(
            ndim=ndim,
            channels=tuple(ChannelSpec(name=channel, intensity=scale) for channel in channels),
            grid=GridSpec(multiple_of=2),
        ),
        labels=LABELS,
        taps=find_taps(network, spec),
        state=dict(network.state_dict()),
        inference=InferenceSpec(mode="window", window=(64,) * ndim, halo=4),
    )
    bare = Model(
        name=name, description=f"Tells small tumours from large ones by {channels[0]}.", segmenter=segmenter
    )
    names = _feature_names(bare, ndim, len(channels))
    return Model(bare.name, bare.description, segmenter, _head(names), CLASSES)


def _set_weights(network: Any) -> None:
    """All zero but for a path that carries the first channel past every convolution to the logits."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        network.encoder[0].shortcut.weight[0, 0] = 1.0
        network.decoder[0].shortcut.weight[0, 0] = 1.0
        leg = network.right_leg[0]
        leg.weight[1, 0], leg.bias[1] = 1.0, -ORGAN
        leg.weight[2, 0], leg.bias[2] = 2.0, -(ORGAN + TUMOUR)


def _feature_names(model: Model, ndim: int, channels: int) -> tuple[FeatureName, ...]:
    array = np.full((channels, *(16,) * ndim), 200.0, np.float32)
    array[0][(slice(4, 12),) * ndim] = 350.0
    return Classifier(model, "cpu").classify(Image(array, Geometry.plain((16,) * ndim))).features.names


def _head(names: tuple[FeatureName, ...]) -> HeadState:
    place = names.index(FeatureName("shape", LABELS[2].name, "radius"))
    spread, shift = np.ones(len(names)), np.zeros(len(names))
    shift[place], spread[place] = TURNING_POINT, 0.2
    coefficients = np.zeros((len(CLASSES), len(names)))
    coefficients[:, place] = (-1.0, 1.0)
    arrays = {
        "shift": shift,
        "spread": spread,
        "weight": np.ones(len(names)),
        "coefficients": coefficients,
        "bias": np.zeros(len(CLASSES)),
    }
    return HeadState("linear", {"settings": {}, "names": names_to_json(names), "strength": 1.0}, arrays)


def main(folder: Path) -> None:
    """Write the packages ``volume`` (3D), ``pair`` (3D, T1 and FLAIR) and ``picture`` (2D)."""
    save_package(brightness_model("Brightness of volumes", 3, ("CT",)), folder / "volume")
    save_package(brightness_model("Brightness of pairs", 3, ("T1", "FLAIR")), folder / "pair")
    save_package(brightness_model("Brightness of pictures", 2, ("US",)), folder / "picture")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
