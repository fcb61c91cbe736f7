"""A segmenter with the fold segmenters that were trained beside it, on disk and in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from SegClassifyLib.atomic import write_text
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import open_package, save_package

MODEL_FOLDER = "model"
_FOLDS_FOLDER = "crossfit"
_FOLDS_FILE = "folds.json"


@dataclass(frozen=True)
class FoldSegmenter:
    """A segmenter trained without some of the full segmenter's cases.

    Args:
        model: as the full one, other weights.
        held_out: content hashes of the images it did not see.
    """

    model: Model
    held_out: frozenset[str]


@dataclass(frozen=True)
class SegmenterFamily:
    """What ``train-segmenter`` leaves and ``train-classifier`` takes.

    Args:
        full: trained on all cases; the one that is deployed.
        folds: none where no cross-fitting was wanted.
    """

    full: Model
    folds: tuple[FoldSegmenter, ...] = ()

    @property
    def seen(self) -> frozenset[str]:
        """Content hashes of the images that trained the full segmenter."""
        return frozenset(self.full.provenance.segmenter_images)

    def fold_without(self, image_hash: str) -> int | None:
        """Number of the fold segmenter that did not see an image."""
        for number, fold in enumerate(self.folds):
            if image_hash in fold.held_out:
                return number
        return None


def save_family(family: SegmenterFamily, folder: Path) -> Path:
    """Write ``folder/model`` and ``folder/crossfit/0…``; returns the path of the full model's package.

    Raises:
        ModelPackageError: it cannot be written there.
    """
    folds = folder / _FOLDS_FOLDER
    with disk_errors(folds, ModelPackageError):
        # Fold segmenters of an earlier training have nothing to do with the new one.
        (folds / _FOLDS_FILE).unlink(missing_ok=True)
    path = save_package(family.full, folder / MODEL_FOLDER, overwrite="replace")
    for number, fold in enumerate(family.folds):
        save_package(fold.model, folds / str(number), overwrite="replace")
    if family.folds:
        content = {"held_out": [sorted(fold.held_out) for fold in family.folds]}
        with disk_errors(folds, ModelPackageError):
            write_text(folds / _FOLDS_FILE, json.dumps(content, indent=1))
    return path


def open_family(folder: Path) -> SegmenterFamily:
    """Open what ``train-segmenter`` left, or any model package (which then has no folds).

    Raises:
        ModelPackageError: neither, or damaged.
    """
    if not (folder / MODEL_FOLDER).is_dir():
        return SegmenterFamily(open_package(folder))
    full = open_package(folder / MODEL_FOLDER)
    index = folder / _FOLDS_FOLDER / _FOLDS_FILE
    if not index.exists():
        return SegmenterFamily(full)
    try:
        held_out = [
            frozenset(map(str, hashes))
            for hashes in json.loads(index.read_text(encoding="utf-8"))["held_out"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelPackageError(f"{index} is damaged ({error}): train the segmenter again.") from error
    folds = [
        FoldSegmenter(open_package(folder / _FOLDS_FOLDER / str(number)), hashes)
        for number, hashes in enumerate(held_out)
    ]
    return SegmenterFamily(full, tuple(folds))
