"""One image explained: a pass that classifies it, and for pooled features a second one that splits them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.classify.doubts import doubts_of
from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.evidence.direction import Direction, direction
from SegClassifyLib.evidence.from_maps import evidence_from_maps
from SegClassifyLib.evidence.layers import Layer, add_exactly
from SegClassifyLib.evidence.native import add_on_native, size_of
from SegClassifyLib.evidence.pooled import PooledEvidence, add_precisely, is_peak
from SegClassifyLib.evidence.spec import EvidenceMap, Explanation, Kind, Part, Reference, Unit
from SegClassifyLib.features.maps import MapBuilder
from SegClassifyLib.features.pooling import Pooler
from SegClassifyLib.features.spec import CaseFeatures
from SegClassifyLib.heads.base import HeadState
from SegClassifyLib.inference.extract import case_features
from SegClassifyLib.inference.runner import Pass, largest
from SegClassifyLib.inference.sweep import Seen, Sweep
from SegClassifyLib.package.decision import Decision
from SegClassifyLib.preprocessing.apply import Prepared, preprocess
from SegClassifyLib.progress import Progress
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.volumes.formats import kind_by_ending
from SegClassifyLib.volumes.image import Image


@dataclass(frozen=True)
class _Found:
    """One class's evidence before it is brought to a grid."""

    row: np.ndarray
    base: float
    layers: tuple[Layer, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Case:
    """What the passes gave."""

    result: Pass
    features: CaseFeatures
    logits: np.ndarray
    kind: Kind
    found: tuple[_Found, ...]


def explain(
    classifier: Classifier,
    image: Image | Sequence[Path | str],
    class_names: Sequence[str] = (),
    against: str | None = None,
    label: str | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Say where a model's answer comes from.

    Args:
        classifier: the model, loaded.
        image: all channels on one grid, or the files to read them from.
        class_names: a map for each of these; the class with the largest logit where none is named.
        against: explain what speaks for a class rather than for this one.
        label: map only what was read in or round this label; the rest is listed.
        progress: told tile by tile; may cancel.

    Raises:
        ModelPackageError: the model has no classifier, or not such a class or label.
        ImageError: the image cannot be read or does not fit the model.
        Cancelled: asked to stop.

    Example:
        >>> explanation = explain(classifier, [Path("patient_07.nii.gz")])     # doctest: +SKIP
        >>> explanation.maps[0].parts[0].region                                # doctest: +SKIP
        'tumour'
    """
    progress = progress or Progress()
    model = classifier.model
    if model.head is None:
        raise ModelPackageError(
            f"{model.name} only segments, so there is no answer to explain: train a classifier."
        )
    for name in (*class_names, *([against] if against is not None else [])):
        _check_known(name, model.classes, f"{model.name} has no class")
    if label is not None:
        _check_known(label, [x.name for x in model.segmenter.labels], f"{model.name} has no label")
    if not isinstance(image, Image):
        progress.report("Reading")
        image = classifier.read(image)
    progress.report("Preparing")
    prepared = preprocess(image, model.segmenter.preprocessing)
    asked = _Asked(
        model.head,
        Decision(model),
        model.segmenter,
        image,
        prepared,
        model.classes,
        tuple(class_names),
        against,
        label,
    )
    case = classifier.runner.sweep(
        prepared, lambda sweep: _explain(sweep, asked, classifier.runner.step), model.segmenter.taps, progress
    )
    progress.report("Writing back")
    names = asked.names(case.logits)
    maps = tuple(_to_grids(found, name, asked, case) for found, name in zip(case.found, names, strict=True))
    label_map = prepared.to_original(case.result.labels, model.segmenter.labels)
    return Explanation(
        image.name,
        model.name,
        model.classes,
        tuple(c.name for c in model.segmenter.preprocessing.channels),
        tuple(float(x) for x in case.logits),
        maps,
        label_map,
        case.result.device,
        classifier.runner.notes(case.result.windows, case.result.device),
        doubts_of(model, case.features, label_map).warnings,
    )


@dataclass(frozen=True)
class _Asked:
    """What is to be explained, of what."""

    head: HeadState
    decision: Decision
    segmenter: Segmenter
    image: Image
    prepared: Prepared
    classes: tuple[str, ...]
    class_names: tuple[str, ...]
    against: str | None
    label: str | None

    def names(self, logits: np.ndarray) -> tuple[str, ...]:
        """The classes to explain: a class is not compared with itself."""
        if self.class_names:
            return self.class_names
        order = [self.classes[i] for i in np.argsort(-logits)]
        return (next(name for name in order if name != self.against),)

    def row(self, name: str) -> np.ndarray:
        """``(K,)`` weights of the logits."""
        row = np.zeros(len(self.classes))
        row[self.classes.index(name)] += 1
        if self.against is not None:
            row[self.classes.index(self.against)] -= 1
        return row


def _explain(sweep: Sweep, asked: _Asked, step: int) -> _Case:
    """All passes; begun again from here where memory does not do."""
    segmenter, shape = asked.segmenter, asked.prepared.array.shape[1:]
    labels = np.zeros(shape, np.uint8 if len(segmenter.labels) <= 256 else np.uint16)
    names = [x.name for x in segmenter.labels]
    pooler, precise = (Pooler(segmenter.taps, len(asked.prepared.array), names) for _ in range(2))
    builder = MapBuilder(segmenter.taps, shape, step)
    wants_maps = asked.head.kind == "conv"

    def take(seen: Seen) -> None:
        core = seen.window.core_inside
        labels[seen.window.core] = largest(seen.logits[(slice(None), *core)], labels.dtype)
        pooler.add(seen.image, seen.taps, seen.logits, core, seen.valid)
        if wants_maps:
            builder.add(seen.taps, seen.logits, seen.window.whole, seen.window.core)
        else:
            add_precisely(precise, seen)

    sweep.each("Segmenting", take)
    maps = builder.maps(asked.prepared.path.inside) if wants_maps else {}
    result = Pass(labels, pooler.names(), pooler.vector(), maps, sweep.device, sweep.count, ())
    features = case_features(segmenter, asked.image, asked.prepared, result)
    table = asked.decision.table([features])
    logits = asked.decision.head.logits(table)[0]
    rows = [asked.row(name) for name in asked.names(logits)]
    if wants_maps:
        split = evidence_from_maps(
            asked.decision.head, table, segmenter, asked.prepared.path.inside, rows, asked.label
        )
        found = tuple(_Found(row, *part) for row, part in zip(rows, split, strict=True))
        return _Case(result, features, logits, "integrated gradients", found)
    directions = [direction(asked.head, features, segmenter, row) for row in rows]
    in_map = _in_map(features, len(pooler.names()), asked.label)
    in_map &= ~directions[0].steady
    placed = PooledEvidence(precise, [d.only(in_map) for d in directions], shape)
    sweep.each("Explaining", placed.add)
    found = tuple(
        _Found(row, d.base, layers, _parts(d, in_map))
        for row, d, layers in zip(rows, directions, placed.layers(), strict=True)
    )
    return _Case(result, features, logits, "exact", found)


def _in_map(features: CaseFeatures, pooled: int, label: str | None) -> np.ndarray:
    """``(F,)`` bool: pooled features, of one label where one is named; descriptors have no place in the image.

    A peak is the probability of a single cell. It would be the most glaring place of a map whatever it weighs.
    """
    keep = np.arange(len(features.names)) < pooled
    keep &= np.asarray([not is_peak(n) for n in features.names])
    if label is not None:
        keep &= np.asarray([name.label == label for name in features.names])
    return keep


def _parts(asked: Direction, in_map: np.ndarray) -> tuple[Part, ...]:
    """Contributions summed over a tap's channels; descriptors one by one."""
    sums: dict[tuple[str, str, str, int, bool], float] = {}
    for name, value, placed in zip(asked.names, asked.contribution, in_map, strict=True):
        channel = name.channel if name.is_descriptor else -1
        key = (name.source, name.region, name.statistic, channel, bool(placed))
        sums[key] = sums.get(key, 0.0) + float(value)
    parts = [Part(*key[:4], value, key[4]) for key, value in sums.items() if value]
    return tuple(sorted(parts, key=lambda part: -abs(part.value)))


def _to_grids(found: _Found, name: str, asked: _Asked, case: _Case) -> EvidenceMap:
    prepared = asked.prepared
    path = prepared.path
    reference: Reference = "image" if asked.head.kind == "fine-tuned" else "training"
    voxel = size_of(path.native.spacing)
    shown = add_on_native(found.layers, path) / np.float32(voxel)
    return EvidenceMap(
        name,
        asked.against,
        case.kind,
        float(found.row @ case.logits),
        reference,
        found.base,
        add_exactly(found.layers, prepared.array.shape[1:]),
        path.geometry,
        shown.reshape(prepared.original.shape),
        prepared.original,
        _unit(asked.image, path.native.ndim),
        voxel,
        found.layers,
        found.parts,
    )


def _unit(image: Image, ndim: int) -> Unit:
    """What a density is of; the grid of 1 mm of a PNG and its like is made up: theirs is told by the pixel."""
    if any(kind_by_ending(path) == "picture" for path in image.sources):
        return "1000 voxels" if ndim == 3 else "100 pixels"
    return "ml" if ndim == 3 else "cm2"


def _check_known(name: str, known: Sequence[str], sentence: str) -> None:
    if name not in known:
        raise ModelPackageError(f"{sentence} {name!r}: it has {', '.join(known)}.")
