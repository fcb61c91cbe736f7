"""The methods on training sets. No network is run, and torch not imported, for any of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from SegClassifyLib.cases.edits import with_changes
from SegClassifyLib.cases.guide import guide
from SegClassifyLib.cases.names import name_key, safe_name
from SegClassifyLib.cases.reader import find_case
from SegClassifyLib.cases.rules import NewClass, with_class
from SegClassifyLib.cases.schema import Case, DatasetFile, Role, Split
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.progress import Progress
from SegClassifyLib.worker.params import Nothing
from SegClassifyLib.worker.set_files import Place, image_files, segmentation_file
from SegClassifyLib.worker.set_import import import_into
from SegClassifyLib.worker.set_infos import set_guide
from SegClassifyLib.worker.set_messages import (
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
    SetChanged,
    SetGuide,
    SetInfo,
    SetLook,
    UndoSetParams,
)
from SegClassifyLib.worker.set_undo import Added, Changed, Redrawn, Removed, Renamed
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
        self._sets.close(params.folder)  # one that was there before, and deleted
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
        opened = self._sets.fresh(params.folder)
        training_set, classes = opened.training_set, opened.training_set.classes
        # Refused before the slow work.
        with_class(training_set.document, params.name, _class(params), _new_class(params))
        with opened.arrival() as folder:
            images = image_files(training_set, params.images, folder, progress)
            mask = None
            if params.segmentation is not None:
                mask = segmentation_file(training_set, params.segmentation, images[0], folder)
            progress.check()  # the last moment: from here on it is in, or not at all
            case = _add(training_set, params, images, mask)
        return opened.changed((case.name,), step=Added("add", [case], _more(training_set, classes)))

    def change_cases(self, params: ChangeCasesParams, _progress: Progress) -> SetChanged:
        """``change_cases``."""
        opened = self._sets.fresh(params.folder)
        training_set = opened.training_set
        update = _update(params)
        before: list[Case] = []
        classes: tuple[str, ...] = ()

        def edit(document: DatasetFile) -> DatasetFile:
            nonlocal classes
            classes = document.segclassify.classes
            before[:] = _found(document, training_set.folder, params.cases)
            updates = {case.name: update for case in before}
            return with_changes(document, training_set.folder, updates, _new_class(params))

        if not update or not params.cases:
            return opened.changed(())
        training_set.rewrite(edit)
        step = Changed(tuple(before), update, _more(training_set, classes))
        return opened.changed(tuple(c.name for c in before), step=step)

    def save_segmentation(self, params: SaveSegmentationParams, progress: Progress) -> SetChanged:
        """``save_segmentation``."""
        opened = self._sets.fresh(params.folder)
        training_set = opened.training_set
        case = training_set.case(params.case)
        progress.report("Reading")
        image = training_set.load_image(case)
        progress.report("Saving")
        with opened.arrival() as folder:
            place = Place(training_set.image_paths(case)[0], image.geometry)
            mask = segmentation_file(training_set, params.segmentation, place, folder)
            progress.check()
            exchange = training_set.replace_segmentation(case.name, mask, image.geometry)
        return opened.changed((case.name,), step=Redrawn(exchange))

    def remove_cases(self, params: RemoveCasesParams, progress: Progress) -> SetChanged:
        """``remove_cases``."""
        opened = self._sets.fresh(params.folder)
        cases = _found(opened.training_set.document, opened.training_set.folder, params.cases)
        step = Removed()
        try:
            for number, case in enumerate(cases):
                progress.report("Removing cases", number, len(cases), case.name)
                step.cases.append(opened.training_set.remove(case.name))
        finally:
            opened.remember(step if step.cases else None)
        return opened.changed(tuple(c.name for c in cases))

    def undo_set(self, params: UndoSetParams, progress: Progress) -> SetChanged:
        """``undo_set``."""
        opened = self._sets.fresh(params.folder)
        done = opened.undo.take_back(opened.training_set, progress)
        return opened.changed(done.cases, done.notes)

    def rename_class(self, params: RenameClassParams, _progress: Progress) -> SetChanged:
        """``rename_class``."""
        opened = self._sets.fresh(params.folder)
        training_set, new = opened.training_set, params.new.strip()
        step = Renamed(params.old, new, training_set.classes)
        if params.new:
            training_set.rename_class(params.old, new)
        else:
            training_set.remove_class(params.old)
        cases = tuple(c.name for c in training_set.cases if new and c.label_class == new)
        return opened.changed(cases, step=step)

    def import_cases(self, params: ImportCasesParams, progress: Progress) -> SetChanged:
        """``import_cases``."""
        opened = self._sets.fresh(params.folder)
        training_set, classes = opened.training_set, opened.training_set.classes
        source = Path(params.source)
        added: list[Case] = []
        try:
            notes = import_into(training_set, source, params.kind, params.copy, progress, added.append)
        finally:
            step = Added("import", added, _more(training_set, classes))
            opened.remember(step if added else None)
        return opened.changed(tuple(c.name for c in added), notes)

    def check_set(self, params: CheckSetParams, progress: Progress) -> SetGuide:
        """``check_set``: reads the set anew, for it runs beside the other methods."""
        found = guide(TrainingSet.open(params.folder), "pixels" if params.pixels else "headers", progress)
        return set_guide(found)


def _update(params: ChangeCasesParams) -> dict[str, Any]:
    """Field of a case → value, for those that are to change; empty text takes a value away."""
    given = {
        "label_class": None if params.class_name is None else params.class_name.strip(),
        "group": params.group,
        "role": params.role,
        "split": params.split,
        "segmentation_is_prediction": params.predicted,
    }
    return {key: None if value == "" else value for key, value in given.items() if value is not None}


def _class(params: AddCaseParams) -> str | None:
    return params.class_name.strip() or None


def _new_class(params: AddCaseParams | ChangeCasesParams) -> NewClass:
    return "add" if params.new_class else "refuse"


def _found(document: DatasetFile, folder: Path, names: Sequence[str]) -> list[Case]:
    """The cases of these names, each once; raises TrainingSetError if there is no such case."""
    return list({case.name: case for case in (find_case(document, name, folder) for name in names)}.values())


def _more(training_set: TrainingSet, classes: Sequence[str]) -> tuple[str, ...]:
    """Classes that the set has now and had not then."""
    return tuple(c for c in training_set.classes if c not in classes)


def _add(
    training_set: TrainingSet, params: AddCaseParams, images: Sequence[Place], mask: Path | None
) -> Case:
    """Add a case under a name that is free, even if another program takes that very name just now."""
    for attempt in range(_ATTEMPTS):
        name = _free_name(training_set, params.name)
        try:
            return training_set.add(
                name,
                [image.path for image in images],
                mask,
                _class(params),
                params.group or None,
                cast(Role, params.role),
                cast(Split, params.split),
                params.predicted,
                new_class=_new_class(params),
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
