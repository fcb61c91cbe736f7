"""What can be done with a training set, with and without the panel."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.chunks import Steps, scaled
from SegClassifyPanel.label_export import export_labels, grid_of_export, grid_of_file
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.set_job import SetJob, SetListener
from SegClassifyPanel.volumes import VolumeError, export_volumes
from SegClassifyPanel.worker_process import WorkerProcess

make_importable()

from SegClassifyLib.worker.params import Params  # noqa: E402
from SegClassifyLib.worker.set_messages import (  # noqa: E402
    AddCaseParams,
    ChangeCasesParams,
    CheckSetParams,
    CloseSetParams,
    CreateSetParams,
    ImportCasesParams,
    OpenSetParams,
    ReadSetParams,
    RemoveCasesParams,
    RenameClassParams,
    SaveSegmentationParams,
    SegmentationSource,
    SetChanged,
    SetGuide,
    SetInfo,
    UndoSetParams,
)

A = TypeVar("A")


class TrainingSetError(RuntimeError):
    """A blocking call failed; the message is a sentence for the user."""


@dataclass(frozen=True)
class NewCase:
    """A case of the scene that is to come into a training set.

    Args:
        name: of the case.
        volumes: node IDs, one a channel of the set, in its order.
        segmentation: node ID; empty for none.
        class_name: empty while nobody has said.
        new_class: whether a class that the set does not know is added.
        group: the patient; may be empty.
        role, split: what it may train, and whether it is kept for a test.
        predicted: nobody has corrected the segmentation yet.
    """

    name: str
    volumes: tuple[str, ...]
    segmentation: str = ""
    class_name: str = ""
    new_class: bool = False
    group: str = ""
    role: str = "both"
    split: str = "train"
    predicted: bool = False


class SetLogic:
    """Asks the worker for everything that concerns a training set.

    What is named ``start…`` returns at once and tells a listener; everything else returns the answer, for scripts: the
    window waits too.

    Args:
        worker: asked.
        temporary_folder: gives a folder for files that are handed to the worker.

    Example:
        >>> info = logic.sets.create("/data/tumours", ["T1"], ["tumour"])
        >>> logic.sets.add("/data/tumours", "patient1", [volume], segmentation, class_name="glioma", new_class=True)
        >>> logic.sets.check("/data/tumours").classifier_lacks
    """

    def __init__(self, worker: WorkerProcess, temporary_folder: Callable[[], Path]) -> None:
        self._worker = worker
        self._temporary_folder = temporary_folder
        self._jobs: list[SetJob] = []

    def start(self, params: Params[Any], listener: SetListener) -> SetJob:
        """Ask for anything of :mod:`SegClassifyLib.worker.set_messages`."""
        return self._begin(_nothing_first(params), None, listener)

    def start_add(self, folder: str, case: NewCase, listener: SetListener) -> SetJob:
        """Copy a case of the scene into a set; the answer is a ``SetChanged``."""
        files = self._files()
        return self._begin(_add_steps(folder, case, files), files, listener)

    def start_save_segmentation(
        self, folder: str, case: str, volume: str, segmentation: str, listener: SetListener
    ) -> SetJob:
        """Give a case a segmentation of the scene; the answer is a ``SetChanged``.

        Args:
            folder: of the set.
            case: its name.
            volume: node ID of the case's first image, as it was loaded.
            segmentation: node ID.
            listener: told.
        """
        files = self._files()
        return self._begin(_save_steps(folder, case, volume, segmentation, files), files, listener)

    def open(self, folder: str | Path) -> SetInfo:
        """Read a set, and let others see that it is open here."""
        return self._wait(OpenSetParams(str(folder)))

    def create(
        self,
        folder: str | Path,
        channels: Sequence[str],
        labels: Sequence[str],
        classes: Sequence[str] = (),
        name: str = "",
    ) -> SetInfo:
        """Make an empty set in a folder, and open it."""
        params = CreateSetParams(str(folder), name, tuple(channels), tuple(labels), tuple(classes))
        return self._wait(params)

    def read(self, folder: str | Path, revision: str = "") -> SetInfo | None:
        """A set as it is now; ``None`` if it is still at ``revision``."""
        return self._wait(ReadSetParams(str(folder), revision)).set

    def close_set(self, folder: str | Path) -> None:
        """The set is no longer open here."""
        self._wait(CloseSetParams(str(folder)))

    def add(
        self,
        folder: str | Path,
        name: str,
        volumes: Sequence[slicer.vtkMRMLVolumeNode],
        segmentation: slicer.vtkMRMLSegmentationNode | None = None,
        **more: Any,
    ) -> SetChanged:
        """Copy a case of the scene into a set.

        Args:
            folder: of the set.
            name: of the case.
            volumes: one a channel of the set, in its order.
            segmentation: its segments are found again among the labels of the set by name.
            more: the other fields of :class:`NewCase`: ``class_name``, ``new_class``, ``group``, ``role``, ``split``,
                ``predicted``.
        """
        ids = tuple(volume.GetID() for volume in volumes)
        case = NewCase(name, ids, segmentation.GetID() if segmentation is not None else "", **more)
        return self._finish(lambda listener: self.start_add(str(folder), case, listener))

    def change(self, folder: str | Path, cases: Sequence[str], **fields: Any) -> SetChanged:
        """Say something else of cases: ``class_name``, ``new_class``, ``group``, ``role``, ``split``, ``predicted``."""
        return self._wait(ChangeCasesParams(str(folder), tuple(cases), **fields))

    def save_segmentation(
        self,
        folder: str | Path,
        case: str,
        volume: slicer.vtkMRMLVolumeNode,
        segmentation: slicer.vtkMRMLSegmentationNode,
    ) -> SetChanged:
        """Give a case a segmentation of the scene; ``volume`` is the case's first image, as it was loaded."""
        return self._finish(
            lambda listener: self.start_save_segmentation(
                str(folder), case, volume.GetID(), segmentation.GetID(), listener
            )
        )

    def remove(self, folder: str | Path, cases: Sequence[str]) -> SetChanged:
        """Take cases out of a set; :meth:`undo` brings them back."""
        return self._wait(RemoveCasesParams(str(folder), tuple(cases)))

    def undo(self, folder: str | Path) -> SetChanged:
        """Take the last change back that was made here."""
        return self._wait(UndoSetParams(str(folder)))

    def rename_class(self, folder: str | Path, old: str, new: str) -> SetChanged:
        """Call a class otherwise in a set and in all its cases; an empty ``new`` removes a class that no case has."""
        return self._wait(RenameClassParams(str(folder), old, new))

    def import_cases(
        self, folder: str | Path, source: str | Path, kind: str = "", copy: bool = True
    ) -> SetChanged:
        """Bring many cases in, from a CSV file or a folder; ``kind`` is "csv", "folders", "decathlon" or "" to look."""
        return self._wait(ImportCasesParams(str(folder), str(source), kind, copy))

    def check(self, folder: str | Path, pixels: bool = False) -> SetGuide:
        """Counts, what is missing to train, and what looks wrong; ``pixels`` reads every image too."""
        return self._wait(CheckSetParams(str(folder), pixels))

    def cancel_all(self) -> None:
        """Stop everything that runs."""
        for job in self._jobs:
            job.cancel()

    def close(self) -> None:
        """Stop everything; whoever owns the worker stops it."""
        self.cancel_all()

    def _begin(self, steps: Steps[Params[Any]], files: Path | None, listener: SetListener) -> SetJob:
        job = SetJob(self._worker, steps, files, listener)
        self._jobs = [*(j for j in self._jobs if not j.over), job]
        return job

    def _files(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="case-", dir=self._temporary_folder()))

    def _wait(self, params: Params[A]) -> A:
        answer: A = self._finish(lambda listener: self.start(params, listener))
        return answer

    @staticmethod
    def _finish(start: Callable[[SetListener], SetJob]) -> Any:
        done: list[Any] = []
        failed: list[str] = []
        start(SetListener(done.append, failed.append, lambda: failed.append(_("Cancelled.")))).finish()
        if failed:
            raise TrainingSetError(failed[0])
        return done[0]


def _nothing_first(params: Params[Any]) -> Steps[Params[Any]]:
    """Steps that only return a request."""
    return params
    yield 0.0  # what makes it steps


def _add_steps(folder: str, case: NewCase, files: Path) -> Steps[Params[Any]]:
    share = 1.0 / (len(case.volumes) + bool(case.segmentation))
    volumes = export_volumes(case.volumes, files, _gone())
    exported = yield from scaled(volumes, 0.0, share * len(case.volumes))
    segmentation: SegmentationSource | None = None
    if case.segmentation:
        node = _node(case.segmentation)
        labels = export_labels(node, grid_of_export(exported[0]), files / "labels.npy")
        segmentation = yield from scaled(labels, 1.0 - share, share)
    return AddCaseParams(
        folder=folder,
        name=case.name,
        images=tuple(volume.source for volume in exported),
        segmentation=segmentation,
        class_name=case.class_name,
        new_class=case.new_class,
        group=case.group,
        role=case.role,
        split=case.split,
        predicted=case.predicted and segmentation is not None,
    )


def _save_steps(folder: str, case: str, volume: str, segmentation: str, files: Path) -> Steps[Params[Any]]:
    grid = grid_of_file(_node(volume))
    grid = replace(grid, source=replace(grid.source, name=case))
    labels = yield from export_labels(_node(segmentation), grid, files / "labels.npy")
    return SaveSegmentationParams(folder, case, labels)


def _node(node_id: str) -> Any:
    node = slicer.mrmlScene.GetNodeByID(node_id)
    if node is None:
        raise VolumeError(_gone())
    return node


def _gone() -> str:
    return _("An image or segmentation was removed from the scene meanwhile: choose it again.")
