"""Many cases one after another: a row for each, and on with the next one after a bad one."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import qt
import slicer

from SegClassifyPanel.batch_items import BatchItem
from SegClassifyPanel.classify_job import Outcome
from SegClassifyPanel.file_job import FileJob
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.show_case import show_file_case, show_scene_case
from SegClassifyPanel.worker_job import no_room

make_importable()

from SegClassifyLib.worker.protocol import ClassifyResult  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyPanel.classify_job import ClassifyJob
    from SegClassifyPanel.logic import ModuleLogic


class RowState(Enum):
    """Where a case of a batch stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class BatchRow:
    """One line of the table.

    Args:
        item: the case.
        state: where it stands.
        result: once it is done.
        message: the answer in words, or why there is none.
        segmentation: node ID of its result in the scene; may be empty.
    """

    item: BatchItem
    state: RowState = RowState.WAITING
    result: ClassifyResult | None = None
    message: str = ""
    segmentation: str = ""

    @property
    def name(self) -> str:
        """Of the case."""
        return self.item.name

    @property
    def predicted(self) -> str:
        """The most probable class; empty where there is none (yet)."""
        return (self.result.predicted or "") if self.result is not None else ""

    @property
    def probability(self) -> float | None:
        """Of the predicted class."""
        if self.result is None or not self.result.probabilities:
            return None
        return max(self.result.probabilities)


@dataclass(frozen=True)
class BatchListener:
    """Who is told: ``on_row(index)`` when a row has changed, ``on_phase`` as for one job, ``on_end()`` once."""

    on_row: Callable[[int], None] = lambda _index: None
    on_phase: Callable[[str, float | None], None] = lambda _text, _fraction: None
    on_end: Callable[[], None] = lambda: None


class BatchRunner:
    """Runs from Qt's event loop once made.

    Args:
        logic: classifies.
        items: the cases.
        model, device, keep_earlier: as for one case.
        listener: told of every row and the end.
    """

    def __init__(
        self,
        logic: ModuleLogic,
        items: Sequence[BatchItem],
        model: str,
        device: str,
        keep_earlier: bool,
        listener: BatchListener,
    ) -> None:
        self.rows: list[BatchRow] = [BatchRow(item) for item in items]
        self._logic, self._model, self._device, self._keep_earlier = logic, model, device, keep_earlier
        self._listener = listener
        self._job: ClassifyJob | FileJob | None = None
        self._index = -1
        self._ended = self._cancelled = False
        qt.QTimer.singleShot(0, self._next)

    @property
    def running(self) -> bool:
        """Whether there is still something to do."""
        return not self._ended

    def cancel(self) -> None:
        """Stop the case that runs and leave out those that wait; what is done stays."""
        if self._ended or self._cancelled:
            return
        self._cancelled = True
        if self._job is not None:
            self._job.cancel()
        else:
            qt.QTimer.singleShot(0, self._next)

    def to_csv(self, path: str | Path) -> None:
        """Write the table, a column for every class.

        Raises:
            OSError: the file cannot be written.
        """
        classes = list(dict.fromkeys(c for row in self.rows if row.result for c in row.result.classes))
        # With a byte order mark, or spreadsheets take the text for another encoding.
        with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file)
            table.writerow(["case", "state", "predicted", "probability", *classes, "message"])
            for row in self.rows:
                by_class = (
                    dict(zip(row.result.classes, row.result.probabilities, strict=True)) if row.result else {}
                )
                numbers = [f"{by_class[c]:.4f}" if c in by_class else "" for c in classes]
                sure = f"{row.probability:.4f}" if row.probability is not None else ""
                table.writerow([row.name, row.state.value, row.predicted, sure, *numbers, row.message])

    def show(self, index: int) -> str:
        """Show the case of a row in the slice views; one from files is loaded first.

        Returns:
            Node ID of its segmentation; empty if it has no result.

        Raises:
            VolumeError: its image cannot be loaded, or is no longer in the scene.
        """
        row = self.rows[index]
        segmentation = show_file_case(row, self._model) if row.item.files else show_scene_case(row)
        self._set(index, segmentation=segmentation)
        return segmentation

    def _next(self) -> None:
        self._job = None
        self._index += 1
        if self._ended:
            return
        if self._cancelled:
            for index, row in enumerate(self.rows):
                if row.state is RowState.WAITING:
                    self._set(index, state=RowState.CANCELLED)
        if self._cancelled or self._index >= len(self.rows):
            self._ended = True
            self._listener.on_end()
            return
        self._set(self._index, state=RowState.RUNNING)
        try:
            self._job = self._start(self.rows[self._index].item)
        except ValueError as error:  # VolumeError: in a sentence
            self._failed(str(error))
        except OSError as error:
            self._failed(no_room(Path(slicer.app.temporaryPath), error))

    def _start(self, item: BatchItem) -> ClassifyJob | FileJob:
        if item.files:
            return FileJob(
                self._logic.worker,
                item,
                self._model,
                self._device,
                self._logic.temporary_folder(),
                self._listener.on_phase,
                lambda result: self._done(result, ""),
                self._failed,
                self._was_cancelled,
            )
        return self._logic.start_classify(
            [slicer.mrmlScene.GetNodeByID(node_id) for node_id in item.volumes],
            self._model,
            self._device,
            self._keep_earlier,
            on_phase=self._listener.on_phase,
            on_done=self._done_in_scene,
            on_failed=self._failed,
            on_cancelled=self._was_cancelled,
            show=False,
        )

    def _done_in_scene(self, outcome: Outcome) -> None:
        # Dozens of overlays at once would be unreadable: a double-click shows the one that is asked for.
        node = slicer.mrmlScene.GetNodeByID(outcome.segmentation)
        node.SetDisplayVisibility(False)
        self._done(outcome.result, outcome.segmentation)

    def _done(self, result: ClassifyResult, segmentation: str) -> None:
        self._set(
            self._index,
            state=RowState.DONE,
            result=result,
            message=result.sentence,
            segmentation=segmentation,
        )
        qt.QTimer.singleShot(0, self._next)

    def _failed(self, sentence: str) -> None:
        self._set(self._index, state=RowState.FAILED, message=sentence)
        qt.QTimer.singleShot(0, self._next)

    def _was_cancelled(self) -> None:
        self._cancelled = True
        self._set(self._index, state=RowState.CANCELLED)
        qt.QTimer.singleShot(0, self._next)

    def _set(self, index: int, **changes: object) -> None:
        self.rows[index] = replace(self.rows[index], **changes)  # type: ignore[arg-type]
        self._listener.on_row(index)
