"""What ``configs/inference.json`` names: the pieces that ``python -m monai.bundle run`` puts together.

Imported by MONAI only, never by the library: this is a door, like the command line.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from SegClassifyLib.errors import ImageError, SegClassifyError
from SegClassifyLib.package.store import open_package, read_description
from SegClassifyLib.volumes.formats import file_stem, kind_by_ending

if TYPE_CHECKING:
    import torch
    from torch import nn

_CHANNEL = re.compile(r"_(\d{4})$")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BundleCase:
    """One case: what its results are called, and its images in the model's order."""

    name: str
    images: tuple[Path, ...]


def find_device(wanted: str = "auto") -> torch.device:
    """The device "auto", "cpu", "cuda" or "mps" as torch knows it."""
    import torch

    from SegClassifyLib.devices import resolve_device

    return torch.device(resolve_device(wanted))


def build(bundle_root: str) -> nn.Module:
    """The package's network with fresh weights."""
    from SegClassifyLib.networks.registry import build_network

    return build_network(read_description(Path(bundle_root)).network)


def load_network(network: nn.Module, bundle_root: str, device: torch.device) -> nn.Module:
    """``network`` with the package's weights, ready to infer on ``device``."""
    network.load_state_dict(open_package(bundle_root).segmenter.state)
    return network.eval().to(device)


def find_cases(bundle_root: str, dataset_dir: str = "", image: str | Sequence[str] = ()) -> list[BundleCase]:
    """The cases to run.

    Args:
        bundle_root: the package.
        dataset_dir: a folder of images; those of models with several channels end in ``_0000``, ``_0001``, … (as
            for nnU-Net), in the model's order.
        image: instead of a folder, the image of one case, or a list with one for each channel.

    Raises:
        ImageError: nothing to run, or a case without one of its channels.
    """
    channels = len(read_description(Path(bundle_root)).preprocessing.channels)
    given = [image] if isinstance(image, str) and image else list(image)
    if given:
        return [BundleCase(file_stem(Path(given[0])), tuple(Path(p) for p in given))]
    folder = Path(dataset_dir)
    if not dataset_dir or not folder.is_dir():
        raise ImageError(
            f"There is no folder {dataset_dir!r}: give --dataset_dir with a folder of images, or --image with one."
        )
    paths = sorted(p for p in folder.iterdir() if kind_by_ending(p) not in (None, "DICOM"))
    if not paths:
        raise ImageError(
            f"The folder {folder} holds no NIfTI, NRRD or MetaImage files and no pictures: choose another one."
        )
    if channels == 1:
        return [BundleCase(file_stem(p), (p,)) for p in paths]
    cases: dict[str, list[Path]] = {}
    for path in paths:
        cases.setdefault(_CHANNEL.sub("", file_stem(path)), []).append(path)
    for name, images in cases.items():
        if len(images) != channels:
            raise ImageError(
                f"The case {name} in {folder} has {len(images)} image(s) and the model needs {channels}."
            )
    return [BundleCase(name, tuple(images)) for name, images in cases.items()]


class BundleInference:
    """Segments and classifies every case as ``segclassify classify`` does: it is the same code.

    Args:
        bundle_root: the package; its hashes are verified.
        cases: as :func:`find_cases` gave them.
        output_dir: gets ``<case>.nii.gz`` (labels) and ``<case>.json`` (probabilities, warnings); by default
            ``eval`` in the package.
        device: where to run.
    """

    def __init__(
        self,
        bundle_root: str,
        cases: Sequence[BundleCase],
        output_dir: str = "",
        device: torch.device | None = None,
    ) -> None:
        from SegClassifyLib.classify.classifier import Classifier

        self._classifier = Classifier.open(bundle_root, str(device or "auto"))
        self._cases = cases
        self._folder = Path(output_dir) if output_dir else Path(bundle_root) / "eval"

    def run(self) -> Path:
        """Run all cases, going on after a bad one.

        Returns:
            The folder with the results.

        Raises:
            ImageError: at the end, when cases failed, with all that was wrong.
        """
        from SegClassifyLib.classify.result import save_classification

        failures = []
        for case in self._cases:
            try:
                result = self._classifier.classify(case.images)
                save_classification(result, self._folder, case.name, segmentation_format=".nii.gz")
                logger.info("%s: %s", case.name, result.sentence)
            except SegClassifyError as error:
                failures.append(f"{case.name}: {error}")
        if failures:
            raise ImageError(f"{len(failures)} of {len(self._cases)} cases failed. " + " ".join(failures))
        return self._folder


def run(evaluator: BundleInference) -> Path:
    """What the configuration's ``run`` calls."""
    return evaluator.run()
