"""From a training set's label maps to a segmenter, with fold segmenters for cross-fitting beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.networks.plan import plan_network
from SegClassifyLib.networks.registry import divisor
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.provenance import Provenance, Score, software_versions
from SegClassifyLib.package.reference import summarise
from SegClassifyLib.preprocessing.apply import preprocess
from SegClassifyLib.preprocessing.grid import plan_grid
from SegClassifyLib.preprocessing.plan import plan_preprocessing
from SegClassifyLib.preprocessing.spec import PreprocessingSpec
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.family import FoldSegmenter, SegmenterFamily, save_family
from SegClassifyLib.training.sample import Sample
from SegClassifyLib.training.segmenter import TrainedSegmenter, train_segmenter
from SegClassifyLib.training.settings import SegmenterSettings
from SegClassifyLib.volumes.observation import Observation, observe

_LOOKED_AT = 50


class SegmenterPlan(BaseModel):
    """What may be decided by the user; everything ``None`` is chosen from the data.

    Args:
        network: any of the registry; the authors-style network as deep as the images allow.
        preprocessing: grid and intensity scaling.
        training: budget, loss, augmentation, seed.
        folds: fold segmenters for cross-fitting; ``None``: 3 if cases that train the segmenter also have a class
            and may train the classifier, else none; 0: none.
        max_voxels: of the median model grid.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: NetworkSpec | None = None
    preprocessing: PreprocessingSpec | None = None
    training: SegmenterSettings = SegmenterSettings()
    folds: int | None = Field(default=None, ge=0)
    max_voxels: int | None = Field(default=None, ge=64)


@dataclass(frozen=True)
class TrainedFamily:
    """The family and how the full segmenter's training went."""

    family: SegmenterFamily
    trained: TrainedSegmenter
    package: Path


@dataclass(frozen=True)
class _Material:
    cases: tuple[Case, ...]
    samples: tuple[Sample, ...]
    observations: tuple[Observation, ...]
    network: NetworkSpec
    preprocessing: PreprocessingSpec


def train_segmenter_from_set(
    training_set: TrainingSet,
    folder: Path,
    plan: SegmenterPlan | None = None,
    name: str = "",
    device: str = "cpu",
    progress: Progress | None = None,
) -> TrainedFamily:
    """Train, cross-fit, and write the packages to ``folder``; goes on where an interrupted run stopped.

    Args:
        training_set: its training cases with a corrected segmentation, whose role is not "classifier", are used.
        folder: gets ``model/``, ``crossfit/`` and, while training, ``checkpoints/``.
        plan: what not to choose from the data.
        name: of the model; the training set's name with "segmenter" where empty.
        device: "cpu", "cuda" or "mps".

    Raises:
        TrainingError: no case to train on, or a label that no case has.
        ImageError: an image cannot be read.
    """
    plan, progress = plan or SegmenterPlan(), progress or Progress()
    material = _material(training_set, plan, progress)
    labels = training_set.labels

    def train(rows: Sequence[int], part: str, settings: SegmenterSettings) -> TrainedSegmenter:
        return train_segmenter(
            [material.samples[i] for i in rows],
            settings,
            material.network,
            material.preprocessing,
            labels,
            folder / "checkpoints" / part,
            progress=progress,
            device=device,
        )

    everything = range(len(material.cases))
    trained = train(everything, "full", plan.training)
    title = name or f"{training_set.name} segmenter"
    full = _model(training_set, material, everything, trained, plan, title, device)
    folds = []
    for number, held in enumerate(
        _folds(material.cases, _fold_count(plan, material.cases), plan.training.seed)
    ):
        kept = [i for i in everything if i not in held]
        part = train(kept, f"fold{number}", plan.training.model_copy(update={"absent_labels": "allow"}))
        model = _model(training_set, material, kept, part, plan, f"{title}, fold {number}", device)
        folds.append(FoldSegmenter(model, frozenset(str(material.cases[i].image_hash) for i in held)))
    family = SegmenterFamily(full, tuple(folds))
    return TrainedFamily(family, trained, save_family(family, folder))


def _material(training_set: TrainingSet, plan: SegmenterPlan, progress: Progress) -> _Material:
    cases = tuple(c for c in training_set.cases if c.trains_segmenter)
    if not cases:
        raise TrainingError(
            f"The training set {training_set.name} has no case with a corrected segmentation that may train the "
            "segmenter: add segmentations, or start from a segmenter that is already trained."
        )
    network, preprocessing = _plan(training_set, cases, plan)
    samples, observations = [], []
    for number, case in enumerate(cases):
        progress.report("Preparing images", number, len(cases), case.name)
        image = training_set.load_image(case)
        label_map = training_set.load_segmentation(case, image)
        prepared = preprocess(image, preprocessing)
        samples.append(Sample(case.name, case.group_name, prepared.array, prepared.to_model(label_map)))
        observations.append(observe(image, label_map, training_set.labels))
    progress.report("Preparing images", len(cases), len(cases))
    return _Material(cases, tuple(samples), tuple(observations), network, preprocessing)


def _plan(
    training_set: TrainingSet, cases: Sequence[Case], plan: SegmenterPlan
) -> tuple[NetworkSpec, PreprocessingSpec]:
    if plan.network is not None and plan.preprocessing is not None:
        return plan.network, plan.preprocessing
    looked = [training_set.load_image(c) for c in cases[:: max(1, len(cases) // _LOOKED_AT)]]
    ndim, channels = training_set.ndim, training_set.channels
    chosen = plan.preprocessing or plan_preprocessing(looked, channels, ndim, 1, plan.max_voxels)
    network = plan.network
    if network is None:
        shapes = [plan_grid(i.geometry, chosen.grid).shape for i in looked if i.geometry.ndim == ndim]
        shape = np.median(shapes, axis=0) if shapes else (256,) * ndim
        network = plan_network(ndim, len(channels), len(training_set.labels), [int(n) for n in shape])
    if plan.preprocessing is None:
        chosen = plan_preprocessing(looked, channels, ndim, divisor(network), plan.max_voxels)
    return network, chosen


def _fold_count(plan: SegmenterPlan, cases: Sequence[Case]) -> int:
    if plan.folds is not None:
        return plan.folds
    return 3 if any(c.label_class and c.role == "both" for c in cases) else 0


def _folds(cases: Sequence[Case], count: int, seed: int) -> list[set[int]]:
    """Held-out cases of each fold; only cases that may train the classifier need one. Groups stay together."""
    useful = [i for i, c in enumerate(cases) if c.label_class and c.role == "both"]
    groups = sorted({cases[i].group_name for i in useful})
    count = min(count, len(groups))
    if count < 2:
        return []
    order = np.random.default_rng(seed).permutation(len(groups))
    fold_of = {groups[g]: position % count for position, g in enumerate(order)}
    # A patient's other images must not be seen either.
    return [{i for i, c in enumerate(cases) if fold_of.get(c.group_name) == fold} for fold in range(count)]


def _model(
    training_set: TrainingSet,
    material: _Material,
    rows: Sequence[int],
    trained: TrainedSegmenter,
    plan: SegmenterPlan,
    name: str,
    device: str,
) -> Model:
    names = ", ".join(label.name for label in training_set.labels[1:])
    provenance = Provenance(
        data_set=training_set.name,
        data_hash=training_set.content_hash(),
        segmenter_cases=len(rows),
        segmenter_images=tuple(sorted(str(material.cases[i].image_hash) for i in rows)),
        seed=plan.training.seed,
        software=software_versions(),
        device=device,
        scores=tuple(
            Score(metric=f"Dice of {label}", value=value, how="held-out patients of the training set")
            for label, value in trained.dice.items()
            if np.isfinite(value)
        ),
        settings={"segmenter": plan.model_dump(mode="json")},
        licence=training_set.document.licence,
    )
    return Model(
        name=name,
        description=f"Segments {names} in the images of {training_set.name}.",
        segmenter=trained.segmenter,
        training=summarise([material.observations[i] for i in rows], training_set.channels),
        provenance=provenance,
    )
