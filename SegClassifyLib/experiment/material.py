"""Features, images and pictures of all cases, computed once and laid down where every process finds them."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from SegClassifyLib.atomic import whole_folder
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import ImageError
from SegClassifyLib.experiment.picture_features import PICTURE_VERSION, PictureFeatures, digest, signature
from SegClassifyLib.experiment.settings import CompareSettings
from SegClassifyLib.experiment.study import MATERIAL, write_table
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.pictures import PictureLayout, pictures
from SegClassifyLib.features.spec import FeatureName, FeatureTable
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.preprocessing.apply import preprocess
from SegClassifyLib.preprocessing.spec import PREPROCESSING_VERSION
from SegClassifyLib.progress import Progress
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training.family import SegmenterFamily
from SegClassifyLib.training.honest_features import honest_features, image_source

_log = logging.getLogger(__name__)
_TIMED = 3
"""Cases whose features are computed anew to say how long one takes."""
_VECTORS = "vectors"


class MaterialStore:
    """Writes below ``folder/material``; what is there already is not computed again.

    Args:
        folder: of the output.
        training_set, cases: whose images.
        device: where networks run.
        cache: of segmenter features.
        progress: told of every case; may cancel.
    """

    def __init__(
        self,
        folder: Path,
        training_set: TrainingSet,
        cases: Sequence[Case],
        device: str,
        cache: FeatureCache,
        progress: Progress,
    ) -> None:
        self._folder = folder / MATERIAL
        self._set, self._cases, self._device, self._cache = training_set, cases, device, cache
        self._progress = progress
        self._signature = digest([signature(training_set, c) for c in cases])

    def segmenter_table(self, family: SegmenterFamily, settings: CompareSettings) -> tuple[str, float]:
        """Name of the folder with a segmenter's features of all cases, and seconds for one case."""
        # Cross-fitted features also depend on the cases that the translation was learned on: the table's own content
        # is its name.
        found = honest_features(
            self._set, self._cases, family, settings.seen, self._device, self._cache, self._progress
        )
        assert [c.name for c in found.cases] == [c.name for c in self._cases]
        table = FeatureTable.stack(list(found.features))
        name = "table-" + _content(table)
        if not (self._folder / name).is_dir():
            seconds = self._time_of(family.full.segmenter)
            with self._writing(name) as work:
                write_table(work, table, [c.name for c in self._cases])
                _write_seconds(work, seconds)
        return name, _read_seconds(self._folder / name)

    def imagenet_table(self, weights: Path, settings: CompareSettings) -> tuple[str, float]:
        """Name of the folder with an ImageNet network's features of all cases, and seconds for one case."""
        reader = self._reader(weights, settings)
        name = "table-" + digest([self._signature, reader.key])
        if not (self._folder / name).is_dir():
            rows = []
            for number, case in enumerate(self._cases):
                self._progress.report(f"Features of {reader.title}", number, len(self._cases), case.name)
                rows.append(reader.features(case))
            with self._writing(name) as work:
                table = FeatureTable(reader.names, np.stack(rows), {})
                write_table(work, table, [c.name for c in self._cases])
                _write_seconds(work, float(np.median(reader.seconds)) if reader.seconds else float("nan"))
        return name, _read_seconds(self._folder / name)

    def segmenter_others(self, segmenter: Segmenter, cases: Sequence[Case]) -> str | None:
        """Name of the folder with a segmenter's features of cases whose classes are not looked at."""
        extractor = FeatureExtractor(segmenter, self._device, self._cache)

        def read(case: Case) -> tuple[tuple[FeatureName, ...], np.ndarray]:
            (found,) = extractor.extract([image_source(self._set, case)])
            return found.names, found.vector

        return self._others(cases, read)

    def imagenet_others(self, weights: Path, settings: CompareSettings, cases: Sequence[Case]) -> str | None:
        """The same of an ImageNet network."""
        reader = self._reader(weights, settings)
        return self._others(cases, lambda case: (reader.names, reader.features(case)))

    def _others(
        self, cases: Sequence[Case], read: Callable[[Case], tuple[tuple[FeatureName, ...], np.ndarray]]
    ) -> str | None:
        """``None`` where there is none. What cannot be read is passed over: nobody asked for it."""
        rows: list[np.ndarray] = []
        kept: list[str] = []
        names: tuple[FeatureName, ...] = ()
        for number, case in enumerate(cases):
            self._progress.report("Looking at other images", number, len(cases), case.name)
            try:
                names, row = read(case)
            except ImageError as error:
                _log.warning("Passed over: %s", error)
                continue
            rows.append(row)
            kept.append(case.name)
        if not rows:
            return None
        table = FeatureTable(names, np.stack(rows), {})
        name = "others-" + _content(table)
        if not (self._folder / name).is_dir():
            with self._writing(name) as work:
                write_table(work, table, kept)
        return name

    def _reader(self, weights: Path, settings: CompareSettings) -> PictureFeatures:
        layout = PictureLayout.of(
            self._set.channels, self._set.ndim, settings.edge_for(self._set.ndim), settings.slices
        )
        return PictureFeatures(self._folder / _VECTORS, self._set, weights, layout, self._device)

    def images(self, segmenter: Segmenter) -> str:
        """Name of the folder with all images as a segmenter's preprocessing gives them."""
        spec = segmenter.preprocessing
        name = "images-" + digest([self._signature, spec.model_dump_json(), PREPROCESSING_VERSION])
        if not (self._folder / name).is_dir():
            with self._writing(name) as work:
                for number, case in enumerate(self._cases):
                    self._progress.report("Preparing images", number, len(self._cases), case.name)
                    array = preprocess(self._set.load_image(case), spec).array
                    np.save(work / f"{number}.npy", array.astype(np.float16), allow_pickle=False)
        return name

    def pictures(self, layout: PictureLayout) -> str:
        """Name of the folder with all images as pictures."""
        name = "pictures-" + digest([self._signature, layout.edge, layout.slices, PICTURE_VERSION])
        if not (self._folder / name).is_dir():
            with self._writing(name) as work:
                stacks = []
                for number, case in enumerate(self._cases):
                    self._progress.report("Preparing pictures", number, len(self._cases), case.name)
                    stacks.append(pictures(self._set.load_image(case), layout).astype(np.float16))
                np.save(work / "pictures.npy", np.stack(stacks), allow_pickle=False)
        return name

    def tidy(self, used: Iterable[str]) -> None:
        """Remove folders that no arm needs any more."""
        keep = {*used, _VECTORS}
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name not in keep:
                    shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        with disk_errors(self._folder), whole_folder(self._folder / name, "replace") as work:
            yield work

    def _time_of(self, segmenter: Segmenter) -> float:
        extractor = FeatureExtractor(segmenter, self._device)
        seconds = []
        for case in self._cases[: _TIMED + 1]:
            self._progress.check()
            image = self._set.load_image(case)
            started = time.perf_counter()
            extractor.run(image)
            seconds.append(time.perf_counter() - started)
        # The first one also loads the network.
        return float(np.median(seconds[1:] or seconds))


def _content(table: FeatureTable) -> str:
    digest = hashlib.sha256(repr(table.names).encode())
    for values in (table.X, *table.maps.values()):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:24]


def _write_seconds(folder: Path, seconds: float) -> None:
    text = json.dumps({"seconds_a_case": None if np.isnan(seconds) else seconds})
    (folder / "time.json").write_text(text, encoding="utf-8")


def _read_seconds(folder: Path) -> float:
    stored = json.loads((folder / "time.json").read_text(encoding="utf-8"))["seconds_a_case"]
    return float("nan") if stored is None else float(stored)
