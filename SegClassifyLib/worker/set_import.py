"""Many cases at once, from what people have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from SegClassifyLib.cases.document import FILE_NAME
from SegClassifyLib.cases.imports.from_csv import plan_csv
from SegClassifyLib.cases.imports.from_decathlon import plan_decathlon
from SegClassifyLib.cases.imports.from_folders import plan_folders
from SegClassifyLib.cases.imports.plan import ImportPlan
from SegClassifyLib.cases.imports.run import ImportResult, run_import
from SegClassifyLib.cases.intake import CopyMode
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.progress import Progress

KINDS = ("csv", "folders", "decathlon")


def import_into(
    training_set: TrainingSet,
    source: Path,
    kind: str,
    copy: bool,
    progress: Progress,
    on_added: Callable[[Case], None],
) -> tuple[str, ...]:
    """Add all that is found and fits.

    Args:
        training_set: where to.
        source: a table or a folder.
        kind: one of :data:`KINDS`; empty to tell by looking.
        copy: the files, or refer to them.
        progress: told of every case; may cancel, what is in by then stays.
        on_added: told of every case that is in.

    Returns:
        Sentences on what was passed over.

    Raises:
        TrainingSetError: nothing of the kind is there, or it has other channels than the set.
    """
    plan = _plan(training_set, source, kind or kind_of(source))
    mode: CopyMode = "copy" if copy else "reference"
    result = run_import(training_set, plan, "skip", mode=mode, progress=progress, on_added=on_added)
    return _notes(result)


def kind_of(source: Path) -> str:
    """One of :data:`KINDS`; raises TrainingSetError if there is no such file or folder."""
    if not source.exists():
        raise TrainingSetError(f"There is no file or folder {source}; check the path.")
    if source.is_file():
        return "decathlon" if source.name == FILE_NAME else "csv"
    return "decathlon" if (source / FILE_NAME).is_file() else "folders"


def _plan(training_set: TrainingSet, source: Path, kind: str) -> ImportPlan:
    if kind == "csv":
        return plan_csv(source, training_set.channels)
    if kind == "folders":
        return plan_folders(source, training_set.channels)
    if kind == "decathlon":
        return plan_decathlon(source.parent if source.name == FILE_NAME else source)
    raise TrainingSetError(f"There is no import of the kind {kind!r}; choose one of {', '.join(KINDS)}.")


def _notes(result: ImportResult) -> tuple[str, ...]:
    there = result.already_there
    if not there:
        return tuple(map(str, result.problems))
    names = ", ".join(there[:5]) + (", …" if len(there) > 5 else "")
    verb = "was" if len(there) == 1 else "were"
    return (f"{len(there)} of the cases {verb} in the set already ({names}).", *map(str, result.problems))
