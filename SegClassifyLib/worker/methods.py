"""What each method does. The library is imported here, when a method first needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from SegClassifyLib.progress import Progress
from SegClassifyLib.worker.plain import PlainData
from SegClassifyLib.worker.protocol import (
    AddModelParams,
    ClassifyParams,
    ClassifyResult,
    Device,
    DevicesParams,
    ModelInfo,
    ModelsParams,
    Nothing,
    ReleaseParams,
    RemoveModelParams,
)
from SegClassifyLib.worker.warm import WarmClassifier

Answer = PlainData | Iterable[PlainData]


class Methods:
    """The methods that take time, and the warm model between them.

    Heavy imports happen under a lock: two threads that import torch at once can see half of it.
    """

    def __init__(self) -> None:
        self._warm = WarmClassifier()
        self._importing = threading.Lock()

    def classify(self, params: ClassifyParams, progress: Progress) -> ClassifyResult:
        """``classify``."""
        progress.report("Starting")
        with self._importing:
            from SegClassifyLib.worker.classify_job import classify_case
        return classify_case(params, self._warm, progress)

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

    def idle(self) -> None:
        """Give memory back after a while without a job."""
        self._warm.release()

    def jobs(self) -> dict[str, Callable[[Any, Progress], Answer]]:
        """Methods that wait for the one job that computes."""
        return {"classify": self.classify, "release": self.release}

    def errands(self) -> dict[str, Callable[[Any, Progress], Answer]]:
        """Short ones that are done beside it."""
        return {
            "devices": self.devices,
            "models": self.models,
            "add_model": self.add_model,
            "remove_model": self.remove_model,
        }
