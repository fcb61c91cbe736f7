"""Published networks as segmenters: weights, the preprocessing they were trained with, names of their labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from SegClassifyLib.errors import NetworkError
from SegClassifyLib.features.taps import find_taps
from SegClassifyLib.networks.registry import build_network
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.networks.weights import load_into, read_weights
from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, IntensitySpec, PreprocessingSpec
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.volumes.image import Label
from SegClassifyLib.volumes.labels import BACKGROUND, default_labels


def load_foreign(path: Path | str) -> Segmenter:
    """Any of the networks below, told apart by the names of their weights.

    Args:
        path: a ``.safetensors`` file; MeshNet needs its ``.json`` beside it.

    Raises:
        NetworkError: the file cannot be read, or is of none of them.
    """
    path = Path(path)
    names = read_weights(path).keys()
    if "down0.block1.double_conv.0.weight" in names:
        return load_deepbet(path)
    if "unet1.first.block.0.weight" in names:
        return load_lwnet(path)
    if "model.0.weight" in names:
        return load_meshnet(path)
    raise NetworkError(
        f"The weights in {path} are of no network known here (deepbet LinkNet, MeshNet, LWNet)."
    )


def load_deepbet(path: Path | str) -> Segmenter:
    """Brain extraction from a T1-weighted head MR: deepbet's ``bbox_model.safetensors`` (or ``model.safetensors``).

    deepbet turns a head to R-A-S axes and stretches it to 128³ voxels, each axis by itself, for ``bbox_model``; then
    it cuts out the brain's box with a tenth more on each side and stretches that to 256³ for ``model``. Here a whole
    head is scaled to fit 128³ with its proportions kept, and padded; the finer ``model`` is given images that show the
    brain's box already, fitted to 256³. Percentiles are of the scaled image, as there.

    Raises:
        NetworkError: the file cannot be read, or holds other weights.
    """
    path = Path(path)
    edge = 256 if path.stem == "model" else 128
    intensity = IntensitySpec(
        clip="percentile", lower=0.5, upper=99.5, scale="unit_zscore", gain=0.226, offset=0.449
    )
    preprocessing = PreprocessingSpec(
        ndim=3,
        channels=(ChannelSpec(name="T1", intensity=intensity),),
        # The network's first axis runs to the right, its last to superior; the last axis of our arrays is x.
        grid=GridSpec(orientation="SAR", fit=True, size=(edge, edge, edge)),
    )
    spec = NetworkSpec(name="DeepbetLinkNet", ndim=3, in_channels=1, out_channels=2)
    return _segmenter(spec, preprocessing, ("brain",), read_weights(path), path)


def load_meshnet(path: Path | str) -> Segmenter:
    """A brainchop MeshNet for T1-weighted head MR, with its description in a ``.json`` of the same name beside it.

    Input as FreeSurfer conforms it: 256³ voxels of 1 mm, axes to Left, Inferior and Anterior; 2 % and 98 % quantiles to
    0 and 1.

    Raises:
        NetworkError: a file is missing or cannot be read, or the two do not belong together.
    """
    path = Path(path)
    description = _description(path.with_suffix(".json"))
    try:
        layers, names = description["layers"], description["labels"]
        arguments = {
            "channels": int(layers[0]["out_channels"]),
            "dilations": [int(layer["dilation"]) for layer in layers[:-1]],
            "activation": "elu" if description.get("elu") else "relu",
        }
        spec = NetworkSpec(
            name="MeshNet",
            ndim=3,
            in_channels=int(layers[0]["in_channels"]),
            out_channels=len(names),
            arguments=arguments,
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise NetworkError(
            f"{path.with_suffix('.json')} does not describe a MeshNet ({type(error).__name__}: {error}): get it anew."
        ) from error
    intensity = IntensitySpec(clip="percentile", lower=2, upper=98, scale="unit")
    preprocessing = PreprocessingSpec(
        ndim=3,
        channels=(ChannelSpec(name="T1", intensity=intensity),),
        # The network's first axis runs to the left, its last to anterior; the last axis of our arrays is x.
        grid=GridSpec(orientation="AIL", spacing=(1.0, 1.0, 1.0), size=(256, 256, 256)),
    )
    return _segmenter(spec, preprocessing, names[1:], read_weights(path), path)


def load_lwnet(path: Path | str, threshold: float = 0.42) -> Segmenter:
    """Retinal vessels in a colour photograph of the fundus.

    The photograph should be cropped to the camera's field of view; it is scaled to fit 512 × 512 pixels.

    Args:
        path: of the weights: one output (vessels) or four (artery-vein; labels by number).
        threshold: probability from which a pixel is vessel.

    Raises:
        NetworkError: the file cannot be read, or holds other weights.
    """
    path = Path(path)
    state = read_weights(path)
    final, firsts = state.get("unet2.final.weight"), _widths(state)
    if final is None or not firsts:
        raise NetworkError(f"The weights in {path} are not those of LWNet: it has no unet2.final.weight.")
    outputs = final.shape[0]
    intensity = IntensitySpec(clip="window", lower=0, upper=255, scale="unit")
    preprocessing = PreprocessingSpec(
        ndim=2,
        channels=tuple(ChannelSpec(name=name, intensity=intensity) for name in ("red", "green", "blue")),
        grid=GridSpec(fit=True, size=(512, 512)),
    )
    spec = NetworkSpec(
        name="LWNet",
        ndim=2,
        in_channels=3,
        out_channels=max(2, outputs),
        arguments={"layers": firsts, "threshold": threshold},
    )
    names = ("vessel",) if outputs == 1 else tuple(f"label {number}" for number in range(1, outputs))
    return _segmenter(spec, preprocessing, names, state, path)


def _widths(state: dict[str, torch.Tensor]) -> list[int]:
    """Channels of the W-Net's scales, finest first."""
    names = ["unet1.first.block.0.weight"]
    names += [f"unet1.down_path.{level}.block.0.weight" for level in range(len(state))]
    return [state[name].shape[0] for name in names if name in state]


def _description(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NetworkError(
            f"The description {path} of a MeshNet cannot be read ({error}): it belongs beside the weights."
        ) from error


def _segmenter(
    spec: NetworkSpec,
    preprocessing: PreprocessingSpec,
    names: tuple[str, ...],
    state: dict[str, torch.Tensor],
    path: Path,
) -> Segmenter:
    network = build_network(spec)
    load_into(network, state, path)
    labels: tuple[Label, ...] = (BACKGROUND, *default_labels(names))
    return Segmenter(spec, preprocessing, labels, find_taps(network, spec), state)
