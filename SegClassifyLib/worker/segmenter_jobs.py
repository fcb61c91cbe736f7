"""Trainings of segmenters: ``plan_segmenter``, ``train_segmenter``, ``segmenter_runs``, ``keep_segmenter``."""

from __future__ import annotations

from pathlib import Path

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.networks.registry import network_names
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.history import EpochRecord
from SegClassifyLib.training.segmenter_plan import SettledPlan, planned_patch, settle_plan
from SegClassifyLib.training.segmenter_request import SegmenterRequest, plan_of
from SegClassifyLib.training.segmenter_run import (
    RunState,
    begin_run,
    keep_run,
    list_runs,
    look_at_run,
    resume_run,
    usable_package,
)
from SegClassifyLib.worker.device_list import check_device
from SegClassifyLib.worker.protocol import (
    EpochInfo,
    KeepSegmenterParams,
    PlanSegmenterParams,
    SegmenterOutlook,
    SegmenterRun,
    SegmenterRunsParams,
    TrainSegmenterParams,
)
from SegClassifyLib.worker.reporter import Reporter


def plan_segmenter(params: PlanSegmenterParams, progress: Progress) -> SegmenterOutlook:
    """``plan_segmenter``."""
    training_set = TrainingSet.open(params.folder)
    settled = settle_plan(training_set, plan_of(SegmenterRequest(), training_set), progress=progress)
    patch = planned_patch(settled)
    # The model grid says x, y, z; arrays are told the other way round.
    spacing = tuple(reversed(settled.preprocessing.grid.spacing or ()))
    return SegmenterOutlook(
        cases=len(settled.cases),
        network=settled.network.name,
        grid=settled.grid or (),
        patch=patch,
        spacing=spacing,
        folds=len(settled.held_out),
        sentence=_plan_in_words(settled, patch, spacing),
        networks=network_names(),
    )


def train_segmenter(params: TrainSegmenterParams, reporter: Reporter) -> SegmenterRun:
    """``train_segmenter``."""
    training_set, device = TrainingSet.open(params.folder), check_device(params.device)

    def tell(part: str, record: EpochRecord) -> None:
        reporter.epoch(_epoch(part, record))

    if params.resume:
        folder = Path(params.resume)
        resume_run(training_set, folder, device, reporter, tell)
        return run_info(look_at_run(folder))
    plan = plan_of(
        SegmenterRequest(
            network=params.network,
            patch=params.patch,
            minutes=params.minutes or None,
            epochs=params.epochs or None,
            folds=params.folds,
            seed=params.seed,
        ),
        training_set,
    )
    folder = begin_run(training_set, plan, params.name, params.start_from, device, reporter, tell)
    return run_info(look_at_run(folder))


def segmenter_runs(params: SegmenterRunsParams) -> tuple[SegmenterRun, ...]:
    """``segmenter_runs``."""
    return tuple(run_info(run) for run in list_runs(TrainingSet.open(params.folder)))


def keep_segmenter(params: KeepSegmenterParams) -> SegmenterRun:
    """``keep_segmenter``."""
    return run_info(keep_run(Path(params.run)))


def run_info(run: RunState) -> SegmenterRun:
    """A training as the protocol says it."""
    package = usable_package(run.path) if run.usable else None
    best = run.best
    return SegmenterRun(
        path=str(run.path.absolute()),
        name=run.asked.name,
        state=run.state,
        started=run.asked.started.replace("T", " ")[:16],
        package=str(package.absolute()) if package is not None else "",
        usable=package is not None,
        can_keep=run.state == "paused" and best is not None,
        dice=best.dice if best is not None else {},
        epochs=tuple(_epoch(part, record) for part, history in run.epochs for record in history),
        sentence=run.sentence,
    )


def usable_segmenter(path: str) -> Path:
    """The folder of a training that may be used, or of a model package.

    Raises:
        TrainingError: a training that has neither ended nor been kept.
    """
    folder = Path(path)
    if (folder / "run.json").is_file() and not look_at_run(folder).usable:
        raise TrainingError(
            f"The training of {look_at_run(folder).asked.name} has not ended: let it go on, or keep its best so far."
        )
    return folder


def _epoch(part: str, record: EpochRecord) -> EpochInfo:
    return EpochInfo(part, record.epoch, record.loss, record.dice, record.seconds)


def _plan_in_words(settled: SettledPlan, patch: tuple[int, ...], spacing: tuple[float, ...]) -> str:
    count, folds = len(settled.cases), len(settled.held_out)
    cases = "1 case" if count == 1 else f"{count} cases"
    sizes = f" on patches of {_times(patch)} voxels" if patch else ""
    at = f" of {_times(spacing)} mm" if spacing else ""
    sentence = f"{settled.network.name} learns from {cases}{sizes}{at}"
    if folds:
        sentence += (
            f", with {folds} fold segmenters beside it, so that these cases may train the classifier too"
        )
    return f"{sentence}."


def _times(values: tuple[float, ...]) -> str:
    return " × ".join(f"{v:g}" for v in values)
