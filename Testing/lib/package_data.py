"""Small models for the tests of the model package."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from SegClassifyLib.features.taps import find_taps
from SegClassifyLib.heads.base import HeadState
from SegClassifyLib.networks.registry import build_network
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package import files
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.provenance import ClassCount, Provenance, Score, software_versions
from SegClassifyLib.package.reference import Range, TrainingReference
from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, IntensitySpec, PreprocessingSpec
from SegClassifyLib.segmenter import InferenceSpec, Segmenter
from SegClassifyLib.volumes.image import Label

VNET = NetworkSpec(
    name="VNetDS", ndim=3, in_channels=2, out_channels=3, arguments={"base_filters": 2, "num_blocks": [1, 1]}
)
"""Of ours: building it does not import MONAI, which takes seconds."""


def small_segmenter(spec: NetworkSpec = VNET, mode: Literal["whole", "window"] = "window") -> Segmenter:
    """A network with fresh weights for 2 mm voxels; channels T1, FLAIR, …; labels tumour, œdema, …."""
    torch.manual_seed(1)
    network = build_network(spec)
    names = ("T1", "FLAIR", "T2")[: spec.in_channels]
    labels = (Label(0, "background"), Label(1, "tumour", (0.1, 0.2, 0.3)), Label(2, "œdema"))
    return Segmenter(
        network=spec,
        preprocessing=PreprocessingSpec(
            ndim=spec.ndim,
            channels=tuple(ChannelSpec(name=n, intensity=IntensitySpec(nonzero=n == "FLAIR")) for n in names),
            grid=GridSpec(spacing=(2.0,) * spec.ndim, multiple_of=2),
        ),
        labels=labels[: spec.out_channels],
        taps=find_taps(network, spec),
        state=dict(network.state_dict()),
        inference=InferenceSpec(mode=mode, window=(32, 32, 16)[: spec.ndim], halo=4),
    )


def small_model() -> Model:
    """All fields filled, head arrays of every awkward kind."""
    scrambled = np.arange(6.0).reshape(2, 3).T  # not in C order: safetensors alone would store it wrongly
    arrays = {"weight": scrambled, "bias": np.array(3.5, np.float32), "mask": np.array([True, False])}
    return Model(
        name="Tumour type",
        description="Tells three tumours apart.\n\nSecond paragraph.",
        segmenter=small_segmenter(),
        head=HeadState("linear", {"strength": 0.1, "names": [["shape", "tumour", "volume_mm3", -1]]}, arrays),
        classes=("ring", "solid"),
        temperature=1.7,
        training=TrainingReference(cases=20, spacing=(Range(low=1, high=2),) * 3),
        provenance=Provenance(
            data_set="phantoms",
            data_hash="0123",
            counts=(
                ClassCount(name="ring", cases=10, groups=9),
                ClassCount(name="solid", cases=12, groups=12),
            ),
            cross_fitting="features from segmenters that had not seen the case",
            seed=7,
            software=software_versions(),
            scores=(
                Score(metric="balanced accuracy", value=0.8, low=0.6, high=0.9, how="5-fold by patient"),
            ),
            authors=("A. Author",),
            citation="Author A, 2026",
            licence="CC-BY-4.0",
            licence_text="The whole text.\n",
        ),
    )


def without_head(model: Model) -> Model:
    """The same, only segmenting."""
    return replace(model, head=None, classes=(), temperature=1.0)


def rehash_package(folder: Path) -> None:
    """What someone who knows the format can do: change a file and the hashes with it."""
    (folder / files.HASHES).unlink()
    files.write_file_list(folder)


def edit_package(folder: Path, change: Callable[[dict], None], name: str = files.DESCRIPTION) -> None:
    """Change a JSON document of a package, hashes included."""
    document = json.loads((folder / name).read_text(encoding="utf-8"))
    change(document)
    (folder / name).write_text(json.dumps(document), encoding="utf-8")
    rehash_package(folder)


def assert_same_model(a: Model, b: Model) -> None:
    """Fail unless all of two models with heads is the same."""
    assert (a.name, a.description, a.classes, a.temperature) == (
        b.name,
        b.description,
        b.classes,
        b.temperature,
    )
    assert (a.training, a.provenance) == (b.training, b.provenance)
    assert a.segmenter.fingerprint == b.segmenter.fingerprint
    for field in ("network", "preprocessing", "labels", "taps", "inference"):
        assert getattr(a.segmenter, field) == getattr(b.segmenter, field)
    assert a.segmenter.state.keys() == b.segmenter.state.keys()
    assert all(torch.equal(v, b.segmenter.state[k]) for k, v in a.segmenter.state.items())
    assert a.head is not None and b.head is not None
    assert (a.head.kind, a.head.config) == (b.head.kind, b.head.config)
    for name, array in a.head.arrays.items():
        assert array.dtype == b.head.arrays[name].dtype
        np.testing.assert_array_equal(array, b.head.arrays[name])
