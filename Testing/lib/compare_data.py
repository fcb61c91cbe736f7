"""Small comparisons: a set of slices, a segmenter that learned nothing, networks that train for a step or two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from untrained import fresh_family, slice_set

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.experiment.ready import Ready, make_ready
from SegClassifyLib.experiment.run import run_ready
from SegClassifyLib.experiment.settings import CompareSettings
from SegClassifyLib.experiment.units import read_result
from SegClassifyLib.heads.conv import ConvSettings
from SegClassifyLib.training.family import FoldSegmenter, SegmenterFamily, save_family
from SegClassifyLib.training.finetune_settings import FineTuneSettings
from SegClassifyLib.training.settings import PretrainedSettings, ScratchSettings

QUICK = {
    "sizes": (4,),
    "draws": 2,
    "slow_draws": 1,
    "conv": ConvSettings(members=1, steps=2, components=4, width=4),
    "fine_tune": FineTuneSettings(epochs=1),
    "scratch": ScratchSettings(steps=2, batch=4, size=(32, 32)),
    "pretrained": PretrainedSettings(steps=2, batch=4, edge=32),
    "edge": 32,
}


def quick(**more: Any) -> CompareSettings:
    """Settings with which every arm takes a second or two."""
    return CompareSettings.model_validate({**QUICK, **more})


def lesions(folder: Path, classified: int = 12, test: int = 0) -> TrainingSet:
    """So many cases of each class; every one another patient."""
    return slice_set(folder, classified, test)


def with_random_classes(training_set: TrainingSet, seed: int) -> TrainingSet:
    """Classes that have nothing to do with the images, as many cases of each as before."""
    names = [c.name for c in training_set.cases]
    drawn = np.random.default_rng(seed).permutation([str(c.label_class) for c in training_set.cases])
    for name, label in zip(names, drawn, strict=True):
        training_set.change(name, label_class=str(label))
    return training_set


def segmenter_folder(folder: Path, seen: frozenset[str] = frozenset(), folds: int = 0) -> Path:
    """A segmenter said to be trained on images of these hashes, with fold segmenters that each missed a part."""
    family = fresh_family(seen)
    parts = [frozenset(sorted(seen)[k::folds]) for k in range(folds)]
    family = SegmenterFamily(family.full, tuple(FoldSegmenter(fresh_family().full, p) for p in parts))
    save_family(family, folder)
    return folder


def hashes(training_set: TrainingSet) -> list[str]:
    """Content hashes of the images, in order."""
    return [str(c.image_hash) for c in training_set.cases]


def ready(
    training_set: TrainingSet,
    segmenter: Path,
    output: Path,
    *arms: str,
    settings: CompareSettings | None = None,
    **more: Any,
) -> Ready:
    """A comparison made ready."""
    return make_ready(training_set, [segmenter], output, settings or quick(), arms or ("linear",), **more)


ARMS = ("linear", "scratch-encoder")
"""A quick one, and one whose network draws random numbers."""


def run_here(training_set: TrainingSet, segmenter: Path, output: Path) -> Ready:
    """Both arms in this process."""
    made = ready(training_set, segmenter, output, *ARMS)
    run_ready(made, jobs=1)
    return made


def computed(made: Ready) -> list[str]:
    """Logits and probabilities of every unit, to the last bit."""
    found = []
    for unit in made.units:
        result = read_result(unit, made.study.folder)
        assert result is not None
        found.append(json.dumps([unit.arm.key, unit.draw, result.logits.tolist(), result.proba.tolist()]))
    return found
