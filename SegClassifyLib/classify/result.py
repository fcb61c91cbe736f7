"""What one *Classify* gives: in words, as data, and as files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from SegClassifyLib.atomic import write_text
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.features.spec import CaseFeatures
from SegClassifyLib.volumes.image import Image, LabelMap


@dataclass(frozen=True)
class Classification:
    """One image, segmented and classified.

    Args:
        image: what to call it.
        model: name of the model that was run.
        classes: all classes, in the model's order.
        probabilities: ``(K,)`` float64, adding up to 1, in the order of ``classes``; empty for a model without a
            classifier.
        label_map: on the image's own grid.
        features: what the head saw, every number with its name.
        warnings: sentences on why to trust this less.
        notes: sentences on how it was run (smaller parts, another device).
        device: where the network ran.
        seconds: by phase: "read", "prepare", "network", "classify", "write back".
        prediction_set: classes that cannot be ruled out, the most probable first; empty where the model cannot tell.
        confidence: share of cases like the training cases whose true class is in their prediction set, 0 to 1.
        novelty: share of the training cases that are less unlike the others than this image, 0 to 100; ``None`` where
            the model cannot tell.
        novel: too unlike the training cases to believe the probabilities.
    """

    image: str
    model: str
    classes: tuple[str, ...]
    probabilities: np.ndarray
    label_map: LabelMap
    features: CaseFeatures
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    device: str
    seconds: dict[str, float]
    prediction_set: tuple[str, ...] = ()
    confidence: float = 0.9
    novelty: float | None = None
    novel: bool = False

    @property
    def predicted(self) -> str | None:
        """The most probable class; ``None`` for a model without a classifier."""
        return self.classes[int(np.argmax(self.probabilities))] if len(self.probabilities) else None

    @property
    def sentence(self) -> str:
        """The answer in words."""
        if self.predicted is None:
            return "Segmented; this model has no classifier."
        order = np.argsort(-self.probabilities)
        best, rest = order[0], order[1:4]
        others = ", ".join(f"{self.classes[i]} {self.probabilities[i]:.0%}" for i in rest)
        answer = f"{self.classes[best]} ({self.probabilities[best]:.0%}; {others})"
        if self.set_sentence:
            answer += f"; {self.set_sentence}"
        return f"Unlike the training cases, do not rely on this: {answer}" if self.novel else answer

    @property
    def promised(self) -> float | None:
        """Confidence that the prediction set has; ``None`` where it promises nothing.

        That is without a set, and for an image unlike the training cases: what is known of the sets is known of
        images like these.
        """
        return self.confidence if self.prediction_set and not self.novel else None

    @property
    def set_sentence(self) -> str:
        """The prediction set in words, "at 90 % confidence: meningioma or metastasis"; empty if it promises nothing."""
        if self.promised is None:
            return ""
        confidence = f"{100 * self.promised:.0f} % confidence"
        if len(self.prediction_set) == len(self.classes):
            return f"at {confidence} no class can be ruled out"
        *first, last = self.prediction_set
        return f"at {confidence}: {', '.join(first)} or {last}" if first else f"at {confidence}: {last}"

    def label_volumes(self) -> dict[str, float]:
        """Millilitres (square millimetres in 2D) of every label but background, by name."""
        geometry, array = self.label_map.geometry, self.label_map.array
        unit = float(np.prod(geometry.spacing)) / (1000.0 if geometry.ndim == 3 else 1.0)
        counts = np.bincount(
            array.ravel(), minlength=1 + max((x.value for x in self.label_map.labels), default=0)
        )
        return {x.name: float(counts[x.value]) * unit for x in self.label_map.labels if x.value}

    def to_json(self) -> dict[str, Any]:
        """Plain data for programs; probabilities by class, features by name."""
        unit = "ml" if self.label_map.geometry.ndim == 3 else "mm2"
        return {
            "image": self.image,
            "model": self.model,
            "class": self.predicted,
            "probabilities": {c: float(p) for c, p in zip(self.classes, self.probabilities, strict=False)},
            "prediction_set": list(self.prediction_set),
            "confidence": self.promised,
            "novelty_percentile": None if self.novelty is None else round(self.novelty, 1),
            "novel": self.novel,
            "label_volumes": {"unit": unit, **{k: round(v, 4) for k, v in self.label_volumes().items()}},
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "device": self.device,
            "seconds": {k: round(v, 3) for k, v in self.seconds.items()},
        }

    def features_json(self) -> dict[str, float]:
        """Every feature by name."""
        return {str(n): float(v) for n, v in zip(self.features.names, self.features.vector, strict=True)}


@dataclass(frozen=True)
class SavedFiles:
    """Where :func:`save_classification` put things; ``None`` for what was not wanted."""

    segmentation: Path
    result: Path
    overlay: Path | None
    features: Path | None


def save_classification(
    result: Classification,
    folder: Path,
    stem: str,
    image: Image | None = None,
    segmentation_format: str = ".seg.nrrd",
    with_features: bool = False,
) -> SavedFiles:
    """Write a classification into ``folder``.

    Args:
        result: what to write.
        folder: made when needed.
        stem: files begin with it.
        image: for the overlay picture; none without it.
        segmentation_format: ``.nii.gz``, ``.nrrd``, ``.mha``, or ``.seg.nrrd``, which carries names and colours that
            3D Slicer reads.
        with_features: also write every feature by name.

    Raises:
        SegClassifyError: the folder cannot be written to, or the disk is full.
    """
    from SegClassifyLib.volumes.overlay import save_overlay
    from SegClassifyLib.volumes.write import write_label_map

    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    segmentation = folder / f"{stem}{segmentation_format}"
    write_label_map(result.label_map, segmentation)
    overlay = None
    if image is not None:
        overlay = save_overlay(
            image, result.label_map, folder / f"{stem}_overlay.png", f"{stem}: {result.sentence}"
        )
    features = None
    if with_features:
        features = folder / f"{stem}_features.json"
        with disk_errors(folder):
            write_text(features, json.dumps(result.features_json(), indent=1))
    content = result.to_json() | {
        "segmentation": segmentation.name,
        "overlay": overlay.name if overlay else None,
    }
    path = folder / f"{stem}.json"
    with disk_errors(folder):
        write_text(path, json.dumps(content, indent=1))
    return SavedFiles(segmentation, path, overlay, features)
