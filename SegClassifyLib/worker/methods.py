"""What each method does. The library is imported here, when a method first needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from SegClassifyLib.progress import Progress
from SegClassifyLib.worker.plain import PlainData
from SegClassifyLib.worker.protocol import (
    AddModelParams,
    ClassifyParams,
    ClassifyResult,
    Device,
    DevicesParams,
    EvidenceParams,
    EvidenceResult,
    ModelInfo,
    ModelsParams,
    Nothing,
    ReleaseParams,
    RemoveModelParams,
)
from SegClassifyLib.worker.set_messages import SET_METHODS, CheckSetParams
from SegClassifyLib.worker.training_messages import TRAINING_ERRANDS, TRAINING_JOBS
from SegClassifyLib.worker.warm import WarmClassifier

if TYPE_CHECKING:
    from SegClassifyLib.worker.set_methods import SetMethods
    from SegClassifyLib.worker.training_methods import TrainingMethods

Answer = PlainData | Iterable[PlainData]


class Methods:
    """The methods that take time, and the warm model between them.

    Heavy imports happen under a lock: two threads that import torch at once can see half of it.

    Args:
        program: number of the process that the worker works for.
    """

    def __init__(self, program: int) -> None:
        self._program = program
        self._warm = WarmClassifier()
        self._importing = threading.Lock()
        self._set_methods: SetMethods | None = None
        self._training_methods: TrainingMethods | None = None

    def classify(self, params: ClassifyParams, progress: Progress) -> ClassifyResult:
        """``classify``."""
        progress.report("Starting")
        with self._importing:
            from SegClassifyLib.worker.classify_job import classify_case
        return classify_case(params, self._warm, progress)

    def evidence(self, params: EvidenceParams, progress: Progress) -> EvidenceResult:
        """``evidence``."""
        progress.report("Starting")
        with self._importing:
            from SegClassifyLib.worker.evidence_job import explain_case
        return explain_case(params, self._warm, progress)

    def release(self, _params: ReleaseParams, _progress: Progress) -> Nothing:
        """``release``."""
        self._warm.release()
        return Nothing()

    def devices(self, _params: DevicesParams, _progress: Progress) -> tuple[Device, ...]:
        """``devices``."""
        with self._importing:
            import torch  # noqa: F401

            from SegClassifyLib.worker.device_list import list_devices
        return list_devices()

    def models(self, params: ModelsParams, _progress: Progress) -> tuple[ModelInfo, ...]:
        """``models``."""
        with self._importing:
            from SegClassifyLib.worker.model_list import list_models
        return list_models(params.folders)

    def add_model(self, params: AddModelParams, _progress: Progress) -> ModelInfo:
        """``add_model``."""
        with self._importing:
            from SegClassifyLib.worker.model_changes import add_model
        return add_model(params.path, params.folder)

    def remove_model(self, params: RemoveModelParams, _progress: Progress) -> Nothing:
        """``remove_model``."""
        with self._importing:
            from SegClassifyLib.worker.model_changes import remove_model
        remove_model(params.path, params.folder)
        return Nothing()

    def leave(self) -> None:
        """Let others know that nothing is open here any more."""
        if self._set_methods is not None:
            self._set_methods.leave()

    def idle(self) -> None:
        """Give memory back after a while without a job."""
        self._warm.release()

    def jobs(self) -> dict[str, Callable[[Any, Progress], Answer]]:
        """Methods that wait for the one job that computes."""
        trainings = {kind.METHOD: self._of_trainings(kind.METHOD) for kind in TRAINING_JOBS}
        return {"classify": self.classify, "evidence": self.evidence, "release": self.release, **trainings}

    def errands(self) -> dict[str, Callable[[Any, Progress], Answer]]:
        """Short ones that are done beside it."""
        return {
            "devices": self.devices,
            "models": self.models,
            "add_model": self.add_model,
            "remove_model": self.remove_model,
            **{kind.METHOD: self._of_trainings(kind.METHOD) for kind in TRAINING_ERRANDS},
        }

    def sets(self) -> dict[str, Callable[[Any, Progress], Answer]]:
        """Those that look at training sets and change them, one after the other."""
        names = [kind.METHOD for kind in SET_METHODS if kind is not CheckSetParams]
        return {name: self._of_sets(name) for name in names}

    def checks(self) -> dict[str, Callable[[Any, Progress], Answer]]:
        """Those that look through a whole training set, which takes long, and change nothing."""
        return {CheckSetParams.METHOD: self._of_sets(CheckSetParams.METHOD)}

    def _of_sets(self, name: str) -> Callable[[Any, Progress], Answer]:
        def run(params: Any, progress: Progress) -> Answer:
            answer: Answer = getattr(self._sets_imported(), name)(params, progress)
            return answer

        return run

    def _sets_imported(self) -> SetMethods:
        if self._set_methods is None:  # once, so that later ones do not wait for another thread's imports
            with self._importing:
                from SegClassifyLib.worker.set_methods import SetMethods

                self._set_methods = self._set_methods or SetMethods(self._program)
        return self._set_methods

    def _of_trainings(self, name: str) -> Callable[[Any, Progress], Answer]:
        def run(params: Any, progress: Progress) -> Answer:
            progress.report("Starting")
            answer: Answer = getattr(self._trainings_imported(), name)(params, progress)
            return answer

        return run

    def _trainings_imported(self) -> TrainingMethods:
        if self._training_methods is None:
            with self._importing:
                from SegClassifyLib.worker.training_methods import TrainingMethods

                self._training_methods = self._training_methods or TrainingMethods()
        return self._training_methods
