"""What a training of a segmenter from a training set will do: what was asked for, and the rest chosen from the data."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.networks.plan import plan_network
from SegClassifyLib.networks.registry import axis_divisors, divisor
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.preprocessing.grid import plan_grid
from SegClassifyLib.preprocessing.plan import plan_preprocessing
from SegClassifyLib.preprocessing.spec import PreprocessingSpec
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.batches import choose_patch
from SegClassifyLib.training.settings import SegmenterSettings
from SegClassifyLib.training.start import Start

_LOOKED_AT = 50
_FOLDS = 3
_FULL_WEIGHT = 2.0
"""Minutes of the full segmenter for each minute of a fold segmenter: it is the one that is used afterwards."""


class SegmenterPlan(BaseModel):
    """What may be decided by the user; everything ``None`` is chosen from the data.

    Args:
        network: any of the registry; the authors-style network as deep as the images allow.
        preprocessing: grid and intensity scaling.
        taps: where features are read; where :func:`SegClassifyLib.features.taps.find_taps` finds it best.
        training: budget, loss, augmentation, seed. A budget of minutes is that of the whole: the full segmenter gets
            twice the share of a fold segmenter, and every one at least one step. A budget of epochs is each one's.
        folds: fold segmenters for cross-fitting; ``None``: 3 if cases that train the segmenter also have a class
            and may train the classifier, else none; 0: none.
        max_voxels: of the median model grid.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: NetworkSpec | None = None
    preprocessing: PreprocessingSpec | None = None
    taps: tuple[TapSpec, ...] | None = None
    training: SegmenterSettings = SegmenterSettings()
    folds: int | None = Field(default=None, ge=0)
    max_voxels: int | None = Field(default=None, ge=64)


@dataclass(frozen=True)
class SettledPlan:
    """A plan with nothing left to choose.

    Args:
        plan: network, preprocessing and number of folds are there.
        network, preprocessing: those of ``plan``.
        held_out: rows of ``cases`` that each fold segmenter does not see.
        cases: that train.
        grid: voxels of the median case on the model grid, array order; ``None`` where no image was looked at.
        seconds: that choosing took; they count as part of a budget of minutes.
    """

    plan: SegmenterPlan
    network: NetworkSpec
    preprocessing: PreprocessingSpec
    held_out: tuple[frozenset[int], ...]
    cases: tuple[Case, ...]
    grid: tuple[int, ...] | None
    seconds: float

    def share(self, part: int) -> float:
        """Of a budget of minutes, for the full segmenter (0) or a fold segmenter (1, 2, …)."""
        weight = _FULL_WEIGHT if part == 0 else 1.0
        return weight / (_FULL_WEIGHT + len(self.held_out))

    def settings(self, part: int) -> SegmenterSettings:
        """How the full segmenter (0) or a fold segmenter (1, 2, …) is trained."""
        settings = self.plan.training
        if settings.minutes is not None:
            settings = settings.model_copy(update={"minutes": settings.minutes * self.share(part)})
        return settings if part == 0 else settings.model_copy(update={"absent_labels": "allow"})

    def rows(self, part: int) -> list[int]:
        """Rows of ``cases`` that the full segmenter (0) or a fold segmenter (1, 2, …) learns from."""
        held = self.held_out[part - 1] if part else frozenset()
        return [row for row in range(len(self.cases)) if row not in held]

    @property
    def parts(self) -> range:
        """The full segmenter and its fold segmenters."""
        return range(1 + len(self.held_out))


def settle_plan(
    training_set: TrainingSet,
    plan: SegmenterPlan,
    start: Start | None = None,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> SettledPlan:
    """Choose what the user did not.

    Args:
        training_set: its training cases with a corrected segmentation, whose role is not "classifier", are used.
        plan: what was asked for.
        start: what to start from: its network, preprocessing and taps are taken.
        names: of the cases to use; all where ``None``.
        progress: told of every image looked at.

    Raises:
        TrainingError: no case to train on; a case of ``names`` is not there any more; ``start`` does not fit.
        ImageError: an image cannot be read.
    """
    began = time.monotonic()
    cases = segmenter_cases(training_set, names)
    if start is not None:
        plan = _like(start, training_set, plan)
    grid = None
    network, preprocessing = plan.network, plan.preprocessing
    if network is None or preprocessing is None:
        network, preprocessing, grid = _choose(training_set, cases, plan, progress or Progress())
    held_out = _held_out(cases, _fold_count(plan, cases), plan.training.seed)
    plan = plan.model_copy(
        update={"network": network, "preprocessing": preprocessing, "folds": len(held_out)}
    )
    return SettledPlan(plan, network, preprocessing, held_out, cases, grid, time.monotonic() - began)


def planned_patch(settled: SettledPlan) -> tuple[int, ...]:
    """Voxels of a training patch, array order, as far as the median case tells; empty where no image was looked at."""
    settings = settled.plan.training
    if settings.patch is not None or settled.grid is None:
        return settings.patch or ()
    divisors = axis_divisors(settled.network)
    return choose_patch([settled.grid], divisors, settings.patch_voxels_for(settled.network.ndim))


def segmenter_cases(training_set: TrainingSet, names: Sequence[str] | None = None) -> tuple[Case, ...]:
    """The cases that train a segmenter, or those of them with these names.

    Raises:
        TrainingError: there are none, or one is not there any more.
    """
    cases = tuple(c for c in training_set.cases if c.trains_segmenter)
    if names is not None:
        by_name = {c.name: c for c in cases}
        gone = [name for name in names if name not in by_name]
        if gone:
            raise TrainingError(
                f"This training began with the case {gone[0]!r}, which was removed, renamed or given another role "
                "since: keep the best so far, and start a new training from it."
            )
        cases = tuple(by_name[name] for name in names)
    if not cases:
        raise TrainingError(
            f"The training set {training_set.name} has no case with a corrected segmentation that may train the "
            "segmenter: add segmentations, or start from a segmenter that is already trained."
        )
    return cases


def _like(start: Start, training_set: TrainingSet, plan: SegmenterPlan) -> SegmenterPlan:
    if plan.network is not None and plan.network.name != start.segmenter.network.name:
        raise TrainingError(
            f"{start.name} has a network of its own ({start.segmenter.network.name}): leave the network out, or do not "
            "start from it."
        )
    network, preprocessing, taps = start.fitted(training_set)
    return plan.model_copy(update={"network": network, "preprocessing": preprocessing, "taps": taps})


def _choose(
    training_set: TrainingSet, cases: Sequence[Case], plan: SegmenterPlan, progress: Progress
) -> tuple[NetworkSpec, PreprocessingSpec, tuple[int, ...] | None]:
    chosen_cases = cases[:: max(1, len(cases) // _LOOKED_AT)]
    looked = []
    for number, case in enumerate(chosen_cases):
        progress.report("Planning", number, len(chosen_cases), case.name)
        looked.append(training_set.load_image(case))
    ndim, channels = training_set.ndim, training_set.channels
    chosen = plan.preprocessing or plan_preprocessing(looked, channels, ndim, 1, plan.max_voxels)
    shapes = [plan_grid(i.geometry, chosen.grid).shape for i in looked if i.geometry.ndim == ndim]
    network = plan.network
    if network is None:
        shape = np.median(shapes, axis=0) if shapes else (256,) * ndim
        network = plan_network(ndim, len(channels), len(training_set.labels), [int(n) for n in shape])
    if plan.preprocessing is None:
        chosen = plan_preprocessing(looked, channels, ndim, divisor(network), plan.max_voxels)
        shapes = [plan_grid(i.geometry, chosen.grid).shape for i in looked if i.geometry.ndim == ndim]
    grid = tuple(int(n) for n in np.median(shapes, axis=0)) if shapes else None
    return network, chosen, grid


def _fold_count(plan: SegmenterPlan, cases: Sequence[Case]) -> int:
    if plan.folds is not None:
        return plan.folds
    return _FOLDS if any(c.label_class and c.role == "both" for c in cases) else 0


def _held_out(cases: Sequence[Case], count: int, seed: int) -> tuple[frozenset[int], ...]:
    """Held-out cases of each fold; only cases that may train the classifier need one. Groups stay together."""
    useful = [i for i, c in enumerate(cases) if c.label_class and c.role == "both"]
    groups = sorted({cases[i].group_name for i in useful})
    count = min(count, len(groups))
    if count < 2:
        return ()
    order = np.random.default_rng(seed).permutation(len(groups))
    fold_of = {groups[g]: position % count for position, g in enumerate(order)}
    # A patient's other images must not be seen either.
    return tuple(
        frozenset(i for i, c in enumerate(cases) if fold_of.get(c.group_name) == fold)
        for fold in range(count)
    )
