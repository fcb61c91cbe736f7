"""Features of an ImageNet network, case by case, each kept on the disk."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import numpy as np

from SegClassifyLib.atomic import whole_file
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.features.imagenet import imagenet_features, imagenet_names
from SegClassifyLib.features.pictures import PictureLayout, pictures
from SegClassifyLib.networks.imagenet import open_imagenet

PICTURE_VERSION = 1
"""Raised whenever the same image would give other pictures."""


class PictureFeatures:
    """Reads images, or what was computed of them before.

    Args:
        folder: where the features of each case are kept.
        training_set: whose images.
        weights: file of the network.
        layout: of the pictures.
        device: where the network runs.

    Attributes:
        names: one for each number.
        key: what decides the numbers, as JSON values.
        seconds: that each newly computed case took.
    """

    def __init__(
        self, folder: Path, training_set: TrainingSet, weights: Path, layout: PictureLayout, device: str
    ) -> None:
        self._folder, self._set, self._layout, self._device = folder, training_set, layout, device
        self._backbone = open_imagenet(weights).to(device)
        self.title = f"ImageNet {self._backbone.title}"
        self.names = imagenet_names(self._backbone, layout)
        self.key = [
            self._backbone.fingerprint, layout.edge, layout.slices, list(layout.channels), PICTURE_VERSION,
        ]  # fmt: skip
        self.seconds: list[float] = []

    def features(self, case: Case) -> np.ndarray:
        """``(F,)`` float32.

        Raises:
            ImageError: the image cannot be read.
        """
        path = self._folder / f"{digest([self.key, signature(self._set, case)])}.npy"
        if path.exists():
            return np.asarray(np.load(path, allow_pickle=False))
        image = self._set.load_image(case)
        started = time.perf_counter()
        stack = pictures(image, self._layout)
        found = imagenet_features(self._backbone, stack, self._layout, self._device)
        self.seconds.append(time.perf_counter() - started)
        with disk_errors(self._folder), whole_file(path) as arriving:
            np.save(arriving, found, allow_pickle=False)
        return found


def signature(training_set: TrainingSet, case: Case) -> list[str]:
    """What tells an image from every other: its content where that was noted, else its files."""
    if case.image_hash:
        return [case.name, case.image_hash]
    files = [path.stat() for path in training_set.image_paths(case)]
    return [case.name, *(f"{s.st_size} {s.st_mtime_ns}" for s in files)]


def digest(content: object) -> str:
    """A short hash of JSON values, for names of files."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]
