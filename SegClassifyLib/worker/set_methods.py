"""The methods on training sets. No network is run, and torch not imported, for any of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from SegClassifyLib.cases.edits import with_changes
from SegClassifyLib.cases.names import name_key, safe_name
from SegClassifyLib.cases.rules import NewClass
from SegClassifyLib.cases.schema import Case, DatasetFile, Role, Split
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.progress import Progress
from SegClassifyLib.worker.params import Nothing
from SegClassifyLib.worker.set_files import grid_of, image_files, segmentation_file
from SegClassifyLib.worker.set_messages import (
    AddCaseParams,
    ChangeCasesParams,
    CloseSetParams,
    CreateSetParams,
    OpenSetParams,
    ReadSetParams,
    SetChanged,
    SetInfo,
    SetLook,
)
from SegClassifyLib.worker.sets import OpenSets

_ATTEMPTS = 20


class SetMethods:
    """One method for each that the protocol knows, called one after the other.

    Args:
        program: number of the process that the worker works for.
    """

    def __init__(self, program: int) -> None:
        self._sets = OpenSets(program)

    def leave(self) -> None:
        """Close all sets."""
        self._sets.close_all()

    def open_set(self, params: OpenSetParams, _progress: Progress) -> SetInfo:
        """``open_set``."""
        return self._sets.get(params.folder).info()

    def create_set(self, params: CreateSetParams, _progress: Progress) -> SetInfo:
        """``create_set``."""
        name = params.name.strip() or Path(params.folder).absolute().name
        TrainingSet.create(params.folder, name, params.channels, params.labels, params.classes)
        return self._sets.get(params.folder).info()

    def read_set(self, params: ReadSetParams, _progress: Progress) -> SetLook:
        """``read_set``."""
        return SetLook(self._sets.get(params.folder).info_unless(params.revision))

    def close_set(self, params: CloseSetParams, _progress: Progress) -> Nothing:
        """``close_set``."""
        self._sets.close(params.folder)
        return Nothing()

    def add_case(self, params: AddCaseParams, progress: Progress) -> SetChanged:
        """``add_case``."""
        opened = self._sets.get(params.folder)
        opened.info()
        training_set = opened.training_set
        with opened.arrival() as folder:
            images = image_files(training_set, params.images, folder, progress)
            mask = None
            if params.segmentation is not None:
                grid = grid_of(params.images[0])
                mask = segmentation_file(training_set, params.segmentation, grid, folder)
            progress.check()  # the last moment: from here on it is in, or not at all
            case = _add(training_set, params, images, mask)
        return SetChanged(opened.info(), (case.name,))

    def change_cases(self, params: ChangeCasesParams, _progress: Progress) -> SetChanged:
        """``change_cases``."""
        opened = self._sets.get(params.folder)
        given = {
            "label_class": params.class_name,
            "group": params.group,
            "role": params.role,
            "split": params.split,
            "segmentation_is_prediction": params.predicted,
        }
        update = {key: None if value == "" else value for key, value in given.items() if value is not None}
        updates: dict[str, dict[str, Any]] = dict.fromkeys(params.cases, update)

        def edit(document: DatasetFile) -> DatasetFile:
            new_class: NewClass = "add" if params.new_class else "refuse"
            return with_changes(document, opened.training_set.folder, updates, new_class)

        opened.training_set.rewrite(edit)
        return SetChanged(opened.info(), tuple(updates))


def _add(training_set: TrainingSet, params: AddCaseParams, images: Sequence[Path], mask: Path | None) -> Case:
    """Add a case under a name that is free, even if another program takes that very name just now."""
    for attempt in range(_ATTEMPTS):
        name = _free_name(training_set, params.name)
        try:
            return training_set.add(
                name,
                images,
                mask,
                params.class_name or None,
                params.group or None,
                cast(Role, params.role),
                cast(Split, params.split),
                params.predicted,
                new_class="add" if params.new_class else "refuse",
            )
        except TrainingSetError:
            training_set.reload()
            if attempt == _ATTEMPTS - 1 or not _is_taken(training_set, name):
                raise
    raise AssertionError("the last attempt returned or raised")


def _free_name(training_set: TrainingSet, wanted: str) -> str:
    """``wanted`` fit for a file name, with a number behind it where the set has such a case already."""
    name = free = safe_name(wanted)
    number = 1
    while _is_taken(training_set, free):
        number += 1
        free = safe_name(f"{name}-{number}")
    return free


def _is_taken(training_set: TrainingSet, name: str) -> bool:
    return any(name_key(case.name) == name_key(name) for case in training_set.cases)
