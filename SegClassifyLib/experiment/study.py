"""What every unit needs: cases, classes, and where features, images and pictures lie on the disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from SegClassifyLib.experiment.draws import Pool
from SegClassifyLib.experiment.settings import CompareSettings
from SegClassifyLib.features.pictures import PictureLayout
from SegClassifyLib.features.spec import FeatureName, FeatureTable
from SegClassifyLib.networks.spec import NetworkSpec

MATERIAL = "material"


@dataclass(frozen=True)
class Study:
    """One comparison, made ready: small enough to be sent to every process; the numbers are read from the disk.

    Args:
        folder: of the output; every process must see it under this path.
        training_set: folder of the training set.
        name: of the training set.
        classes: names, in order.
        cases: names of those that take part.
        pool: their classes and patients, and which may be tested on.
        channels: of the images.
        ndim: of the images.
        settings: of the comparison.
        device: where networks run.
        segmenters: what ``train-segmenter`` left, by name of the run.
        networks: the segmenters' networks, by name of the run.
        weights: files of ImageNet networks, by name.
        material: folder name below ``material/`` and fingerprint in one, by kind and source (``table:run``,
            ``others:run``, ``images:run``, ``pictures``).
        seconds: for the features of one case, by source; NaN where it was not measured.
        untested: runs whose segmenter has seen no case that is tested on: only these may be fine-tuned.
    """

    folder: Path
    training_set: Path
    name: str
    classes: tuple[str, ...]
    cases: tuple[str, ...]
    pool: Pool
    channels: tuple[str, ...]
    ndim: int
    settings: CompareSettings
    device: str = "cpu"
    segmenters: Mapping[str, Path] = field(default_factory=dict)
    networks: Mapping[str, NetworkSpec] = field(default_factory=dict)
    weights: Mapping[str, Path] = field(default_factory=dict)
    material: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    untested: frozenset[str] = frozenset()

    @property
    def tuned_layout(self) -> PictureLayout:
        """Of the pictures that ImageNet networks are fine-tuned on."""
        settings = self.settings.pretrained
        return PictureLayout.of(self.channels, self.ndim, settings.edge_for(self.ndim), settings.slices)

    def place(self, kind: str) -> Path:
        """Folder of a kind of material."""
        return self.folder / MATERIAL / self.material[kind]

    def table(self, sources: Sequence[str], with_maps: bool = False) -> FeatureTable:
        """Features of all cases, those of several sources side by side; maps of the first where they are wanted."""
        tables = [_read_table(self.place(f"table:{s}"), with_maps and s == sources[0]) for s in sources]
        if len(tables) == 1:
            return tables[0]
        names = tuple(name for table in tables for name in table.names)
        return FeatureTable(names, np.concatenate([t.X for t in tables], axis=1), tables[0].maps)

    def others(self, sources: Sequence[str]) -> FeatureTable | None:
        """Features of images whose classes are not looked at, of other patients than all that take part."""
        if any(f"others:{source}" not in self.material for source in sources):
            return None
        places = [self.place(f"others:{source}") for source in sources]
        tables = [_read_table(place, False) for place in places]
        cases = [json.loads((place / "cases.json").read_text(encoding="utf-8")) for place in places]
        common = [name for name in cases[0] if all(name in other for other in cases[1:])]
        parts = [t.X[[names.index(c) for c in common]] for t, names in zip(tables, cases, strict=True)]
        names = tuple(name for table in tables for name in table.names)
        return FeatureTable(names, np.concatenate(parts, axis=1), {}) if common else None

    def images(self, run: str, cases: np.ndarray) -> list[np.ndarray]:
        """Images as a segmenter's preprocessing gives them, ``(C, *spatial)`` float32."""
        folder = self.place(f"images:{run}")
        return [np.load(folder / f"{i}.npy", allow_pickle=False).astype(np.float32) for i in cases]

    def pictures(self, cases: np.ndarray) -> np.ndarray:
        """Pictures for fine-tuning, ``(n, C, S, E, E)`` float32."""
        stored = np.load(self.place("pictures") / "pictures.npy", mmap_mode="r", allow_pickle=False)
        return np.asarray(stored[cases], np.float32)


def write_table(folder: Path, table: FeatureTable, cases: Sequence[str]) -> None:
    """Write features of these cases where :meth:`Study.table` and :meth:`Study.others` find them."""
    (folder / "cases.json").write_text(json.dumps(list(cases)), encoding="utf-8")
    names = [[n.source, n.region, n.statistic, n.channel] for n in table.names]
    (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")
    np.save(folder / "X.npy", table.X, allow_pickle=False)
    (folder / "maps.json").write_text(json.dumps(list(table.maps)), encoding="utf-8")
    for number, values in enumerate(table.maps.values()):
        np.save(folder / f"map{number}.npy", values, allow_pickle=False)


@lru_cache(maxsize=8)
def _read_table(folder: Path, with_maps: bool) -> FeatureTable:
    names = tuple(
        FeatureName(*row) for row in json.loads((folder / "names.json").read_text(encoding="utf-8"))
    )
    X = np.load(folder / "X.npy", mmap_mode="r", allow_pickle=False)
    maps = {}
    if with_maps:
        taps = json.loads((folder / "maps.json").read_text(encoding="utf-8"))
        maps = {
            tap: np.load(folder / f"map{n}.npy", mmap_mode="r", allow_pickle=False)
            for n, tap in enumerate(taps)
        }
    return FeatureTable(names, X, maps)
