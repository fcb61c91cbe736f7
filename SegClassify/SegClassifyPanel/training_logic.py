"""Trainings, for the page Train and for scripts: which worker does what, and what runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.segmenter_training import SegmenterTraining
from SegClassifyPanel.training_job import TrainingJob, TrainingListener
from SegClassifyPanel.worker_process import WorkerProcess

make_importable()

from SegClassifyLib.worker.params import Params  # noqa: E402
from SegClassifyLib.worker.protocol import (  # noqa: E402
    BaselineParams,
    BaselineResult,
    ClassifierTrained,
    CompareModelsParams,
    EpochInfo,
    EvaluateModelParams,
    EvaluationInfo,
    KeepSegmenterParams,
    LastClassifierParams,
    ModelComparison,
    ModelInfo,
    NextCasesParams,
    PlanSegmenterParams,
    SaveModelParams,
    SegmenterOutlook,
    SegmenterRun,
    SegmenterRunsParams,
    SuggestedCases,
    TrainClassifierParams,
    TrainSegmenterParams,
)

A = TypeVar("A")


class TrainingError(RuntimeError):
    """A blocking call failed or was cancelled; the message is a sentence for the user."""


class TrainingLogic:
    """Starts trainings and asks about them; the files in the training set's folder are what lasts.

    :meth:`start` returns at once and tells a listener. The methods named after what they do are for scripts: they
    return the answer, and Slicer's window waits meanwhile.

    Args:
        worker: answers within seconds or minutes; also classifies.
        background: trains for hours, so that the other one stays free.
        models_folder: gives the folder where models are saved; empty: the user's.

    Example:
        >>> run = logic.training.train_segmenter("/data/tumours", minutes=30)
        >>> result = logic.training.train_classifier("/data/tumours", run.path)
        >>> model = logic.training.save_model(result.run, "Tumour type", "Three types, 60 cases.")
    """

    def __init__(
        self,
        worker: WorkerProcess,
        background: WorkerProcess,
        models_folder: Callable[[], str] = lambda: "",
    ) -> None:
        self.segmenter: SegmenterTraining | None = None
        self.segmenter_changed: Callable[[], None] | None = None
        self._worker = worker
        self._background = background
        self._models_folder = models_folder

    @property
    def segmenter_running(self) -> bool:
        """Whether a segmenter is being trained here now."""
        return self.segmenter is not None and not self.segmenter.over

    def start(self, params: Params[Any], listener: TrainingListener) -> TrainingJob:
        """Begin any method of :mod:`SegClassifyLib.worker.training_messages`, and return at once."""
        return TrainingJob(self._worker_for(params), params, listener)

    def start_segmenter(
        self, params: TrainSegmenterParams, earlier: Sequence[EpochInfo] = ()
    ) -> SegmenterTraining:
        """Begin to train a segmenter in the background; ``segmenter`` and ``segmenter_changed`` tell how it goes.

        Args:
            params: what.
            earlier: epochs of the run that it goes on with.

        Raises:
            TrainingError: another one is being trained.
        """
        if self.segmenter_running:
            raise TrainingError("A segmentation network is being trained: wait for it, or pause it first.")
        self.segmenter = SegmenterTraining(self._background, params, earlier, self._tell)
        return self.segmenter

    def run(
        self,
        params: Params[A],
        on_phase: Callable[[str, float | None], None] = lambda _text, _fraction: None,
        on_epoch: Callable[[EpochInfo], None] = lambda _epoch: None,
    ) -> A:
        """Do it, and return the answer.

        Raises:
            TrainingError: in a sentence, why there is none.
        """
        done: list[A] = []
        failed: list[str] = []
        listener = TrainingListener(
            done.append, failed.append, lambda: failed.append("Cancelled."), on_phase, on_epoch
        )
        self.start(params, listener).finish()
        if failed:
            raise TrainingError(failed[0])
        return done[0]

    def plan_segmenter(self, folder: str | Path) -> SegmenterOutlook:
        """What a training would do if nothing else is said."""
        return self.run(PlanSegmenterParams(str(folder)))

    def segmenter_runs(self, folder: str | Path) -> tuple[SegmenterRun, ...]:
        """The trainings of a set's segmenters, the newest first."""
        return self.run(SegmenterRunsParams(str(folder)))

    def train_segmenter(
        self,
        folder: str | Path,
        *,
        on_phase: Callable[[str, float | None], None] = lambda _text, _fraction: None,
        on_epoch: Callable[[EpochInfo], None] = lambda _epoch: None,
        **choices: Any,
    ) -> SegmenterRun:
        """Train a segmenter on a set's segmentations, or go on with one.

        Args:
            folder: of the training set.
            on_phase: told what is happening and how much of it is done.
            on_epoch: told of every epoch.
            choices: the other fields of ``TrainSegmenterParams``: ``minutes``, ``epochs``, ``network``, ``patch``,
                ``folds``, ``resume``, ``start_from``, ``name``, ``device``, ``seed``.
        """
        return self.run(TrainSegmenterParams(str(folder), **choices), on_phase, on_epoch)

    def keep_segmenter(self, folder: str | Path, run: str) -> SegmenterRun:
        """Make the best so far of a paused run usable."""
        return self.run(KeepSegmenterParams(str(folder), run))

    def train_classifier(
        self,
        folder: str | Path,
        segmenter: str | Path,
        *,
        on_phase: Callable[[str, float | None], None] = lambda _text, _fraction: None,
        **choices: Any,
    ) -> ClassifierTrained:
        """Train a classifier on a segmenter's features, and find out how good it is.

        Args:
            folder: of the training set.
            segmenter: path of a segmenter's run, or of any model package.
            on_phase: told what is happening and how much of it is done.
            choices: the other fields of ``TrainClassifierParams``: ``head``, ``seen``, ``further``, ``name``,
                ``device``, ``seed``.
        """
        return self.run(TrainClassifierParams(str(folder), str(segmenter), **choices), on_phase)

    def last_classifier(self, folder: str | Path) -> ClassifierTrained | None:
        """What the set's last training of a classifier answered."""
        return next(iter(self.run(LastClassifierParams(str(folder)))), None)

    def baseline(
        self, folder: str | Path, run: str, kind: str = "shape", device: str = "auto"
    ) -> BaselineResult:
        """A simpler way on the same folds: "shape" or "scratch"."""
        return self.run(BaselineParams(str(folder), run, kind, device))

    def save_model(self, run: str, name: str, description: str = "") -> ModelInfo:
        """Give a trained classifier a name among the models; an earlier one of that name stays."""
        return self.run(self.saving(run, name, description))

    def saving(self, run: str, name: str, description: str) -> SaveModelParams:
        """The request that :meth:`save_model` sends."""
        return SaveModelParams(run, name, description, self._models_folder())

    def compare_models(
        self, folder: str | Path, first: str | Path, second: str | Path, device: str = "auto", seed: int = 0
    ) -> ModelComparison:
        """Whether one of two models is better by more than noise, on the same folds of a set."""
        return self.run(CompareModelsParams(str(folder), str(first), str(second), device, seed))

    def evaluate_model(self, folder: str | Path, model: str | Path, device: str = "auto") -> EvaluationInfo:
        """How good a model is on the set's test cases."""
        return self.run(EvaluateModelParams(str(folder), str(model), device))

    def next_cases(
        self,
        folder: str | Path,
        model: str | Path,
        images: str | Path = "",
        count: int = 10,
        device: str = "auto",
    ) -> SuggestedCases:
        """Cases without a class that the classifier would learn most from, the most useful first.

        Args:
            folder: of the training set.
            model: path of a model package or of a classifier's run.
            images: a folder of images that are not in the set.
            count: how many at most.
            device: "auto", "cpu", "cuda:0" …
        """
        return self.run(NextCasesParams(str(folder), str(model), str(images), count, device))

    def close(self) -> None:
        """Nobody is told any more; whoever owns the workers stops them."""
        self.segmenter_changed = None

    def _worker_for(self, params: Params[Any]) -> WorkerProcess:
        if isinstance(params, BaselineParams):
            return self._background if params.kind == "scratch" else self._worker
        slow = isinstance(params, (TrainSegmenterParams, PlanSegmenterParams))
        return self._background if slow else self._worker

    def _tell(self) -> None:
        if self.segmenter_changed is not None:
            self.segmenter_changed()
