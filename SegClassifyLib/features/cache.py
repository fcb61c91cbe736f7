"""Features kept on disk by content: a case is run through the segmenter once."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np

from SegClassifyLib.atomic import whole_file, write_text
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.features.spec import FEATURE_VERSION, CaseFeatures, FeatureName
from SegClassifyLib.preprocessing.spec import PREPROCESSING_VERSION
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.volumes.observation import observation_from_json

_MAP = "map:"


class FeatureCache:
    """A folder of features.

    The file's name is a hash of the image's content, of the segmenter (weights, preprocessing, taps) and of the
    versions of the code that makes the numbers, so features made otherwise are never found.

    Args:
        folder: made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hashes = folder / "hashes.json"
        self._known: dict[str, str] | None = None

    def get(self, image_hash: str, segmenter: Segmenter) -> CaseFeatures | None:
        """The features, or ``None``; a damaged file counts as not there and is removed."""
        path = self._path(image_hash, segmenter)
        try:
            with np.load(path, allow_pickle=False) as stored:
                names = _names(str(stored["names"]))
                maps = {k[len(_MAP) :]: stored[k] for k in stored.files if k.startswith(_MAP)}
                observation = observation_from_json(json.loads(str(stored["observation"])))
                return CaseFeatures(names, stored["vector"], maps, observation)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)
            return None

    def put(self, image_hash: str, segmenter: Segmenter, features: CaseFeatures) -> None:
        """Keep features; whole or not at all.

        Raises:
            SegClassifyError: the disk is full, or the folder cannot be written to.
        """
        names = json.dumps([[n.source, n.region, n.statistic, n.channel] for n in features.names])
        arrays = {_MAP + k: v for k, v in features.maps.items()}
        content = {
            "names": np.asarray(names),
            "observation": np.asarray(json.dumps(asdict(features.observation))),
            "vector": features.vector,
        }
        with disk_errors(self.folder), whole_file(self._path(image_hash, segmenter)) as path:
            np.savez(path, allow_pickle=False, **content, **arrays)

    def image_hash(self, paths: Sequence[Path]) -> str | None:
        """Content hash of an image that was read before and has not been touched since (size and time of change)."""
        return self._memo().get(_signature(paths))

    def remember_hash(self, paths: Sequence[Path], image_hash: str) -> None:
        """Note the content hash of an image's files as they are now; raises as :meth:`put`."""
        memo = self._memo()
        memo[_signature(paths)] = image_hash
        with disk_errors(self.folder):
            write_text(self._hashes, json.dumps(memo))

    def _memo(self) -> dict[str, str]:
        if self._known is None:
            try:
                self._known = dict(json.loads(self._hashes.read_text(encoding="utf-8")))
            except (OSError, ValueError):
                self._known = {}
        return self._known

    def _path(self, image_hash: str, segmenter: Segmenter) -> Path:
        key = f"{image_hash} {segmenter.fingerprint} {FEATURE_VERSION} {PREPROCESSING_VERSION}"
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.npz"


@lru_cache(maxsize=8)
def _names(stored: str) -> tuple[FeatureName, ...]:
    """Read once for all cases, which have the same thousands of names; one tuple is also compared in no time."""
    return tuple(FeatureName(*row) for row in json.loads(stored))


def _signature(paths: Sequence[Path]) -> str:
    parts = []
    for path in paths:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        stats = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        parts.append(stats)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
