"""Small models that classify, and images for them in both forms that the worker takes, for the worker's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from package_data import VNET, small_model, small_segmenter, without_head

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.heads.base import HeadState, names_to_json
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import save_package
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image
from SegClassifyLib.volumes.write import write_image
from SegClassifyLib.worker.client import WorkerClient
from SegClassifyLib.worker.protocol import VolumeSource

FLAT = NetworkSpec(
    name="VNetDS", ndim=2, in_channels=1, out_channels=3, arguments={"base_filters": 2, "num_blocks": [1, 1]}
)


def classifying_model(spec: NetworkSpec = VNET, mode: Literal["whole", "window"] = "window") -> Model:
    """A model whose head, of random numbers, fits its features."""
    segmenter = small_segmenter(spec, mode)
    bare = replace(without_head(small_model()), segmenter=segmenter)
    array = np.random.default_rng(0).normal(size=(spec.in_channels, *(24,) * spec.ndim)).astype(np.float32)
    names = Classifier(bare, "cpu").classify(Image(array, Geometry.plain((24,) * spec.ndim))).features.names
    arrays = {
        "shift": np.zeros(len(names)),
        "spread": np.ones(len(names)),
        "weight": np.ones(len(names)),
        "coefficients": np.random.default_rng(3).normal(0, 0.001, (2, len(names))),
        "bias": np.array([0.1, -0.1]),
    }
    config = {"settings": {}, "names": names_to_json(names), "strength": 1.0}
    return replace(bare, head=HeadState("linear", config, arrays), classes=("ring", "solid"))


def package(folder: Path, spec: NetworkSpec = VNET, mode: Literal["whole", "window"] = "window") -> Path:
    """Such a model on disk."""
    return save_package(classifying_model(spec, mode), folder)


def oblique(size: tuple[int, int, int]) -> Geometry:
    """A grid along no axis of the body, far from the origin."""
    turn, tilt = np.deg2rad(25.0), np.deg2rad(-10.0)
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    flipped = np.diag([-1.0, 1.0, -1.0])
    return Geometry(
        size, (1.1, 0.9, 2.3), (-40.0, 12.5, 733.0), tuple((about_z @ about_x @ flipped).ravel().tolist())
    )


def blobs(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """``shape`` int16: noise with a bright block, so that turned axes change the answer."""
    rng = np.random.default_rng(seed)
    array = rng.normal(100, 20, shape)
    array[tuple(slice(n // 5, n // 2) for n in shape)] += 150
    return array.astype(np.int16)


def write_file(array: np.ndarray, geometry: Geometry, path: Path) -> Path:
    """``(D, H, W)`` or ``(H, W)`` as an image file."""
    write_image(Image(array[None], geometry), path)
    return path


def map_source(array: np.ndarray, geometry: Geometry, path: Path, name: str = "") -> VolumeSource:
    """``(D, H, W)`` as the panel hands it over: voxels in a .npy file at ``path``."""
    np.save(path, array)
    return VolumeSource(name or path.stem, str(path), geometry.spacing, geometry.origin, geometry.direction)


@contextmanager
def running_worker(*arguments: str, **variables: str) -> Iterator[WorkerClient]:
    """A worker on one thread, as the tests themselves are."""
    with WorkerClient(env={**os.environ, "OMP_NUM_THREADS": "1", **variables}, arguments=arguments) as worker:
        yield worker
