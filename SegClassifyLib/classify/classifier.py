"""The one pass: an image in, labels, class probabilities and warnings out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from SegClassifyLib.classify.result import Classification
from SegClassifyLib.devices import resolve_device
from SegClassifyLib.errors import ImageError
from SegClassifyLib.features.spec import CaseFeatures
from SegClassifyLib.inference.extract import case_features
from SegClassifyLib.inference.runner import Runner
from SegClassifyLib.package.decision import Decision
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import open_package
from SegClassifyLib.preprocessing.apply import preprocess
from SegClassifyLib.progress import Laps, Progress
from SegClassifyLib.volumes.image import Image, LabelMap
from SegClassifyLib.volumes.read import read_channels


class Classifier:
    """A model kept ready for many images.

    Args:
        model: what to run.
        device: "auto", "cpu", "cuda" or "mps".

    Example:
        >>> classifier = Classifier.open(Path("models/tumour-type"))       # doctest: +SKIP
        >>> classifier.classify([Path("patient_07.nii.gz")]).predicted     # doctest: +SKIP
        'solid'

    Raises:
        DeviceError: the device is not there.
        ModelPackageError: head and segmenter do not fit.
    """

    def __init__(self, model: Model, device: str = "auto") -> None:
        self.model = model
        self.runner = Runner(model.segmenter, resolve_device(device))
        self._decision = Decision(model) if model.head is not None else None
        self._wants_maps = self._decision is not None and self._decision.wants_maps

    @classmethod
    def open(cls, package: Path | str, device: str = "auto") -> Classifier:
        """From a model package on disk, a folder or a zip file."""
        return cls(open_package(Path(package)), device)

    def read(self, paths: Sequence[Path | str]) -> Image:
        """Read a case's images: a file (or DICOM folder) for each channel of the model, or one that holds them all.

        Raises:
            ImageError: too few or too many files, or one that cannot be used.
        """
        channels = self.model.segmenter.preprocessing.channels
        files = [Path(p) for p in paths]
        if len(files) not in (1, len(channels)):
            raise ImageError(
                f"{len(files)} image(s) given where {self.model.name} needs {len(channels)}: "
                f"{', '.join(c.name for c in channels)}, in this order."
            )
        return read_channels(files, [c.name for c in channels])

    def classify(
        self, image: Image | Sequence[Path | str], progress: Progress | None = None
    ) -> Classification:
        """Segment and classify one case.

        Args:
            image: all channels on one grid, or the files to read them from.
            progress: told tile by tile; may cancel.

        Raises:
            ImageError: the image cannot be read or does not fit the model.
            DeviceError: not enough memory even in the smallest parts.
            Cancelled: asked to stop.
        """
        progress = progress or Progress()
        clock = Laps()
        if not isinstance(image, Image):
            progress.report("Reading")
            image = self.read(image)
        clock.lap("read")
        progress.report("Preparing")
        prepared = preprocess(image, self.model.segmenter.preprocessing)
        clock.lap("prepare")
        result = self.runner.run(prepared, features=True, maps=self._wants_maps, progress=progress)
        clock.lap("network")
        progress.report("Classifying")
        features = case_features(self.model.segmenter, image, prepared, result)
        probabilities = self._probabilities(features)
        clock.lap("classify")
        progress.report("Writing back")
        label_map = prepared.to_original(result.labels, self.model.segmenter.labels)
        warnings = self._warnings(features, label_map)
        clock.lap("write back")
        return Classification(
            image.name,
            self.model.name,
            self.model.classes,
            probabilities,
            label_map,
            features,
            warnings,
            result.notes,
            result.device,
            clock.seconds,
        )

    def _probabilities(self, features: CaseFeatures) -> np.ndarray:
        if self._decision is None:
            return np.empty(0)
        return self._decision.probabilities(self._decision.table([features]))[0]

    def _warnings(self, features: CaseFeatures, label_map: LabelMap) -> tuple[str, ...]:
        found = list(self.model.training.differences(features.observation))
        if not label_map.array.any():
            names = ", ".join(label.name for label in self.model.segmenter.labels[1:])
            found.append(f"Nothing was segmented (no {names}): the classes rest on the whole image only.")
        return tuple(found)
