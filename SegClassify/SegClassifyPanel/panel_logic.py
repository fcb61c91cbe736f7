"""What the panel needs of a logic: the real one is :class:`SegClassifyPanel.logic.ModuleLogic`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from SegClassifyLib.worker.protocol import Device, ModelInfo, Nothing
    from SegClassifyPanel.batch import BatchItem, BatchListener, BatchRunner
    from SegClassifyPanel.classify_job import Outcome
    from SegClassifyPanel.worker_job import JobListener

OnFailed = Callable[[str], None]


class PanelWorker(Protocol):
    """The process behind the logic, as far as the panel looks at it."""

    log_changed: Callable[[], None] | None

    @property
    def log(self) -> str:
        """The last lines of its log."""

    def stop(self) -> None:
        """End it; the next call starts it again."""


class PanelJob(Protocol):
    """A Classify that runs."""

    def cancel(self) -> None:
        """Stop; the end is told later."""


class PanelEvidence(Protocol):
    """What explains results."""

    def start(self, segmentation: Any, class_name: str, listener: JobListener[str]) -> PanelJob:
        """Begin to explain a result; the listener's ``on_done`` gets the node ID of the map."""


class PanelLogic(Protocol):
    """What the panel asks for. Callbacks come later, from Qt's event loop; ``failed`` gets a sentence."""

    @property
    def worker(self) -> PanelWorker:
        """The process that runs models."""

    @property
    def background(self) -> PanelWorker:
        """The process that trains for hours."""

    @property
    def evidence(self) -> PanelEvidence:
        """Says where results come from."""

    @property
    def can_undo(self) -> bool:
        """Whether there is a result to take back."""

    def undo(self) -> None:
        """Take the last result back."""

    def list_models(self, done: Callable[[tuple[ModelInfo, ...]], None], failed: OnFailed) -> None:
        """The models there are."""

    def add_model(self, path: str, done: Callable[[ModelInfo], None], failed: OnFailed) -> None:
        """Verify a package and copy it into the user's models."""

    def remove_model(self, path: str, done: Callable[[Nothing], None], failed: OnFailed) -> None:
        """Delete a package from the user's models."""

    def list_devices(self, done: Callable[[tuple[Device, ...]], None], failed: OnFailed) -> None:
        """What can run a network."""

    def start_classify(
        self,
        volumes: Sequence[Any],
        model: str,
        device: str = "auto",
        keep_earlier: bool = False,
        *,
        on_phase: Callable[[str, float | None], None],
        on_done: Callable[[Outcome], None],
        on_failed: OnFailed,
        on_cancelled: Callable[[], None],
    ) -> PanelJob:
        """Begin to classify; exactly one of the last three is called, once."""

    def batch(
        self,
        items: Sequence[BatchItem],
        model: str,
        device: str = "auto",
        keep_earlier: bool = False,
        listener: BatchListener | None = None,
    ) -> BatchRunner:
        """Begin to classify many cases."""

    def show_3d(
        self,
        segmentation: Any,
        shown: bool,
        on_done: Callable[[], None],
        on_failed: OnFailed,
    ) -> None:
        """Show or hide a segmentation in 3D views."""


class BatchHost(Protocol):
    """What the section of many cases needs of the page it is on."""

    @property
    def usable_model(self) -> ModelInfo | None:
        """The chosen model, if it can be used."""

    @property
    def device(self) -> str:
        """The chosen device."""

    @property
    def keep_earlier(self) -> bool:
        """Whether each result gets new nodes."""

    @property
    def batch_need(self) -> str:
        """What has to be done before many cases can be classified; empty for nothing."""

    def batch_changed(self) -> None:
        """A batch began or ended, or goes through something else now."""

    def show_case(self, node_id: str) -> None:
        """Show the result of a segmentation node; an empty ID shows none."""
