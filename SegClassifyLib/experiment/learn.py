"""Trains one arm on one draw and asks it about the test cases: all that learns sees training cases only."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from SegClassifyLib.errors import TrainingError
from SegClassifyLib.evaluation.calibrate import fit_calibration
from SegClassifyLib.evaluation.crossvalidate import held_out_logits
from SegClassifyLib.evaluation.folds import make_folds
from SegClassifyLib.experiment.arms import Arm, View
from SegClassifyLib.experiment.study import Study
from SegClassifyLib.experiment.units import Unit, UnitResult
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.base import HeadState
from SegClassifyLib.heads.conv import ConvHead
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.progress import Progress
from SegClassifyLib.trust.answers import HeldOutAnswers, PredictionSets

_FOLDS = {"linear": 5, "conv": 3}
"""Of the inner cross-validation that a temperature and prediction sets are found on."""


@dataclass(frozen=True)
class _Answer:
    """Logits of the test cases, and what a temperature can be found on: logits of training cases not learned from.

    With ``held_out`` and the features that its heads look at, prediction sets can be made too.
    """

    logits: np.ndarray
    spare_logits: np.ndarray | None = None
    spare_targets: np.ndarray | None = None
    held_out: HeldOutAnswers | None = None
    table: FeatureTable | None = None


def run_unit(study: Study, unit: Unit, progress: Progress | None = None) -> UnitResult:
    """Train and answer.

    Raises:
        TrainingError, NetworkError, ImageError: it cannot be trained; the sentence says why.
        Cancelled: asked to stop.
    """
    started = time.perf_counter()
    seed = study.settings.seed + unit.draw
    answer = _LEARNERS[unit.arm.kind](study, unit, seed, progress or Progress())
    proba, temperature = _calibrated(answer)
    p_values = None
    if answer.held_out is not None and answer.table is not None and temperature is not None:
        p_values = PredictionSets(answer.held_out, temperature).p_values(answer.table, answer.logits)
    return UnitResult(answer.logits, proba, temperature, time.perf_counter() - started, p_values)


def viewed(table: FeatureTable, view: View) -> FeatureTable:
    """The features that an arm looks at."""
    keep: dict[View, Callable[[int], bool]] = {
        "all": lambda i: True,
        "taps": lambda i: not table.names[i].is_descriptor,
        "descriptors": lambda i: table.names[i].is_descriptor,
        "shape": lambda i: table.names[i].source == "shape",
    }
    return (
        table
        if view == "all"
        else table.columns(np.asarray([keep[view](i) for i in range(len(table.names))]))
    )


def learner_settings(study: Study, arm: Arm) -> str:
    """What decides how an arm learns, as JSON."""
    settings = study.settings
    chosen = {
        "linear": settings.linear,
        "conv": settings.conv,
        "fine-tuned": settings.fine_tune,
        "scratch": settings.scratch.model_copy(update={"architecture": arm.architecture or "encoder"}),
        "pretrained": settings.pretrained,
    }[arm.kind]
    more = study.networks[arm.sources[0]].model_dump_json() if arm.kind == "scratch" else ""
    if arm.kind == "linear":
        more = f"unlabelled {settings.unlabelled}"
    return chosen.model_dump_json() + more


def _heads(study: Study, unit: Unit, seed: int, progress: Progress) -> _Answer:
    arm, pool, fold = unit.arm, study.pool, unit.fold
    table = viewed(study.table(arm.sources, with_maps=arm.kind == "conv"), arm.view)
    head: LinearHead | ConvHead = ConvHead(study.settings.conv)
    if arm.kind == "linear":
        head = LinearHead(study.settings.linear, _unlabelled(study, unit, table, seed))
    progress.check()
    logits = held_out_logits(head, table, pool.y, pool.groups, fold, seed)
    train = fold.train
    y, groups = pool.y[train], pool.groups[train]
    try:
        inner = make_folds(y, groups, _FOLDS[arm.kind], seed)
    except TrainingError:  # a class of one patient: nothing to hold out
        return _Answer(logits)
    spare, own = np.zeros((len(train), logits.shape[1])), table.rows(train)
    states: list[HeadState] = []
    fold_of = np.zeros(len(train), np.int64)
    for number, part in enumerate(inner):
        progress.check()
        partial = head.fresh()
        spare[part.test] = held_out_logits(partial, own, y, groups, part, seed)
        fold_of[part.test] = number
        states.append(partial.to_state())
    codes = np.unique(groups, return_inverse=True)[1].reshape(-1)
    held_out = HeldOutAnswers(spare, y, codes, fold_of, tuple(states))
    return _Answer(logits, spare, y, held_out, table.rows(fold.test))


def _unlabelled(study: Study, unit: Unit, table: FeatureTable, seed: int) -> FeatureTable | None:
    """Features of images that the unit neither learns from nor is tested on, and of other patients than these.

    Their classes are not looked at: they say how features vary, as unlabelled cases do where a classifier is made.
    """
    most, groups = study.settings.unlabelled, study.pool.groups
    taken = groups[np.concatenate([unit.fold.train, unit.fold.test])]
    free = np.flatnonzero(~np.isin(groups, taken))
    rows = [np.asarray(table.X[free])]
    others = study.others(unit.arm.sources)
    if others is not None:
        rows.append(np.asarray(others.select(table.names).X))
    X = np.concatenate(rows)
    if not most or not len(X):
        return None
    chosen = np.sort(np.random.default_rng(seed).permutation(len(X))[:most])
    return FeatureTable(table.names, X[chosen], {})


def _fine_tuned(study: Study, unit: Unit, seed: int, progress: Progress) -> _Answer:
    from SegClassifyLib.cases.training_set import TrainingSet
    from SegClassifyLib.training.family import open_family
    from SegClassifyLib.training.finetune import FineTuner

    run = unit.arm.sources[0]
    training_set = TrainingSet.open(study.training_set)
    rows = np.concatenate([unit.fold.train, unit.fold.test])
    images = [training_set.load_image(training_set.case(study.cases[i])) for i in rows]
    table = viewed(study.table(unit.arm.sources), unit.arm.view)
    own = replace(table.rows(rows), cases=None)
    segmenter = open_family(study.segmenters[run]).full.segmenter
    tuner = FineTuner(segmenter, images, study.device, study.settings.fine_tune)
    count = len(unit.fold.train)
    pool = study.pool
    train = unit.fold.train
    tuner.fit(own.rows(np.arange(count)), pool.y[train], pool.groups[train], seed, progress)
    return _Answer(tuner.logits(own.rows(np.arange(count, len(rows)))))


def _from_scratch(study: Study, unit: Unit, seed: int, progress: Progress) -> _Answer:
    from SegClassifyLib.training.scratch import ScratchClassifier

    run, pool, train = unit.arm.sources[0], study.pool, unit.fold.train
    settings = study.settings.scratch.model_copy(update={"architecture": unit.arm.architecture})
    classifier = ScratchClassifier(study.networks[run], settings)
    classifier.fit(study.images(run, train), pool.y[train], seed, progress, study.device, pool.groups[train])
    progress.check()
    held = classifier.held_out_
    logits = classifier.logits(study.images(run, unit.fold.test))
    return _Answer(logits) if held is None else _Answer(logits, held.logits, held.targets)


def _pretrained(study: Study, unit: Unit, seed: int, progress: Progress) -> _Answer:
    from SegClassifyLib.training.pretrained import PretrainedClassifier

    pool, train = study.pool, unit.fold.train
    classifier = PretrainedClassifier(
        study.weights[unit.arm.sources[0]], study.tuned_layout, study.settings.pretrained
    )
    classifier.fit(
        list(study.pictures(train)), pool.y[train], pool.groups[train], seed, progress, study.device
    )
    progress.check()
    held = classifier.held_out_
    logits = classifier.logits(list(study.pictures(unit.fold.test)))
    return _Answer(logits) if held is None else _Answer(logits, held.logits, held.targets)


def _calibrated(answer: _Answer) -> tuple[np.ndarray, float | None]:
    from scipy.special import softmax

    if answer.spare_logits is None or answer.spare_targets is None:
        return softmax(answer.logits, axis=-1), None
    calibration = fit_calibration(answer.spare_logits, answer.spare_targets)
    return calibration.apply(answer.logits), calibration.temperature


_LEARNERS: dict[str, Callable[[Study, Unit, int, Progress], _Answer]] = {
    "linear": _heads,
    "conv": _heads,
    "fine-tuned": _fine_tuned,
    "scratch": _from_scratch,
    "pretrained": _pretrained,
}
