"""The one pass: an image in, labels, class probabilities and warnings out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from SegClassifyLib.classify.doubts import doubts_of
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
from SegClassifyLib.trust.answers import PredictionSets, prediction_set
from SegClassifyLib.trust.trust import CONFIDENCE
from SegClassifyLib.volumes.image import Image
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
        answers = model.trust.answers if model.trust is not None else None
        self._sets = PredictionSets(answers, model.temperature) if answers is not None else None

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
        probabilities, possible = self._answer(features)
        clock.lap("classify")
        progress.report("Writing back")
        label_map = prepared.to_original(result.labels, self.model.segmenter.labels)
        doubts = doubts_of(self.model, features, label_map)
        clock.lap("write back")
        return Classification(
            image.name,
            self.model.name,
            self.model.classes,
            probabilities,
            label_map,
            features,
            doubts.warnings,
            result.notes,
            result.device,
            clock.seconds,
            possible,
            self.model.trust.confidence if self.model.trust is not None else CONFIDENCE,
            doubts.novelty,
            doubts.novel,
        )

    def _answer(self, features: CaseFeatures) -> tuple[np.ndarray, tuple[str, ...]]:
        """Probabilities ``(K,)``, and the classes that cannot be ruled out, the most probable first."""
        if self._decision is None:
            return np.empty(0), ()
        table = self._decision.table([features])
        logits = self._decision.head.logits(table)
        probabilities = self._decision.calibration.apply(logits)[0]
        if self._sets is None or self.model.trust is None:
            return probabilities, ()
        p_values = self._sets.p_values(table, logits)[0]
        possible = prediction_set(p_values, probabilities, self.model.trust.confidence)
        return probabilities, tuple(self.model.classes[k] for k in possible)
