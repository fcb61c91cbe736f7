"""An explanation as files: a map on the image's grid, a picture, and everything in words and numbers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from SegClassifyLib.atomic import write_text
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.evidence.spec import EvidenceMap, Explanation
from SegClassifyLib.evidence.words import describe, part_words
from SegClassifyLib.volumes.image import Image


@dataclass(frozen=True)
class SavedMap:
    """Where :func:`save_explanation` put the map and the picture of one class."""

    class_name: str
    volume: Path
    picture: Path


@dataclass(frozen=True)
class SavedExplanation:
    """Where everything is."""

    maps: tuple[SavedMap, ...]
    numbers: Path


def save_explanation(
    explanation: Explanation, image: Image, folder: Path, stem: str, ending: str = ".nrrd"
) -> SavedExplanation:
    """Write every map, its picture, and one JSON document into ``folder``.

    Args:
        explanation: what to write.
        image: that was explained.
        folder: made when needed.
        stem: files begin with it.
        ending: of the maps: ``.nrrd``, ``.nii.gz`` or ``.mha``.

    Raises:
        SegClassifyError: the folder cannot be written to, or the disk is full.
    """
    from SegClassifyLib.evidence.picture import save_picture
    from SegClassifyLib.volumes.write import write_image

    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    saved = []
    for found in explanation.maps:
        name = f"{stem}_evidence_{plain_name(found.class_name)}"
        volume, picture = folder / f"{name}{ending}", folder / f"{name}.png"
        write_image(Image(found.shown[None].astype(np.float32), found.native), volume)
        sentences = (*explanation.warnings, *describe(found, explanation.channels))
        save_picture(image, explanation.label_map, found, picture, sentences)
        saved.append(SavedMap(found.class_name, volume, picture))
    numbers = folder / f"{stem}_evidence.json"
    with disk_errors(folder):
        write_text(numbers, json.dumps(explanation_json(explanation, saved), indent=1, ensure_ascii=False))
    return SavedExplanation(tuple(saved), numbers)


def explanation_json(
    explanation: Explanation, saved: list[SavedMap] | tuple[SavedMap, ...] = ()
) -> dict[str, Any]:
    """Plain data for programs."""
    places = {s.class_name: {"map": s.volume.name, "picture": s.picture.name} for s in saved}
    return {
        "image": explanation.image,
        "model": explanation.model,
        "logits": dict(zip(explanation.classes, explanation.logits, strict=True)),
        "evidence": [
            _map_json(found, explanation) | places.get(found.class_name, {}) for found in explanation.maps
        ],
        "device": explanation.device,
        "notes": list(explanation.notes),
        "warnings": list(explanation.warnings),
    }


def _map_json(found: EvidenceMap, explanation: Explanation) -> dict[str, Any]:
    return {
        "class": found.class_name,
        "against": found.against,
        "kind": found.kind,
        "logit": found.logit,
        "reference": found.reference,
        "base": found.base,
        "sum_of_map": float(found.array.sum(dtype=np.float64)),
        "unit": f"logits per {found.unit}",
        "voxel": found.voxel,
        "words": list(describe(found, explanation.channels)),
        "parts": [
            {
                "words": part_words(part, explanation.channels),
                "source": part.source,
                "region": part.region,
                "statistic": part.statistic,
                "channel": part.channel,
                "value": part.value,
                "in_map": part.in_map,
            }
            for part in found.parts
        ],
    }


def plain_name(name: str) -> str:
    """A class's name as a part of a file's name."""
    return re.sub(r"[^\w-]+", "_", name).strip("_")[:60] or "class"
