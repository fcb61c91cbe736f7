"""The cases of an import plan, added one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from SegClassifyLib.cases import intake
from SegClassifyLib.cases.imports.channels4d import is_4d, split_channels
from SegClassifyLib.cases.imports.plan import FoundCase, ImportPlan, ImportProblem
from SegClassifyLib.cases.intake import CopyMode
from SegClassifyLib.cases.names import name_key, safe_name
from SegClassifyLib.cases.rules import NewClass
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import SegClassifyError, TrainingSetError
from SegClassifyLib.progress import Progress

OnError = Literal["stop", "skip"]


@dataclass(frozen=True)
class ImportResult:
    """What an import did.

    Args:
        added: names of new cases.
        already_there: names of cases that the set had with the very same image.
        problems: what was left out and why.
    """

    added: tuple[str, ...] = ()
    already_there: tuple[str, ...] = ()
    problems: tuple[ImportProblem, ...] = ()


def run_import(
    training_set: TrainingSet,
    plan: ImportPlan,
    on_error: OnError = "stop",
    *,
    mode: CopyMode = "copy",
    new_class: NewClass = "add",
    label_values: Mapping[int, int] | None = None,
    progress: Progress | None = None,
    on_added: Callable[[Case], None] | None = None,
) -> ImportResult:
    """Add the cases of a plan to a set with the same channels.

    Cases that the set has already are passed over, so an import that stopped can simply be run again.

    Args:
        training_set: where to.
        plan: what.
        on_error: ``stop`` adds nothing if the plan has problems, and stops at the first case that cannot be added;
            ``skip`` goes on and lists them all.
        mode, new_class, label_values: as in :meth:`TrainingSet.add`.
        progress: told of every case; cancelling keeps what was added.
        on_added: told of every case that is in, for those who cancel and want to know.

    Raises:
        TrainingSetError: the set has other channels than the plan.
    """
    if len(plan.channels) != len(training_set.channels):
        raise TrainingSetError(
            f"{plan.source} has {len(plan.channels)} channel(s) ({', '.join(plan.channels)}) but the training set "
            f"{training_set.folder} has {len(training_set.channels)} ({', '.join(training_set.channels)}); "
            "import into a set with the same channels."
        )
    problems = list(plan.found_problems)
    if problems and on_error == "stop":
        return ImportResult(problems=tuple(problems))
    bad = {p.where for p in problems}
    added: list[str] = []
    there: list[str] = []
    progress = progress or Progress()
    for number, found in enumerate(plan.cases):
        progress.report("Importing cases", number, len(plan.cases), found.name)
        if found.where in bad:
            continue
        try:
            if _is_there(training_set, found):
                there.append(found.name)
                continue
            case = _add(training_set, found, mode, new_class, label_values)
            added.append(case.name)
            if on_added is not None:
                on_added(case)
        except SegClassifyError as error:
            problems.append(ImportProblem(found.where, str(error)))
            if on_error == "stop":
                break
    progress.report("Importing cases", len(plan.cases), len(plan.cases))
    return ImportResult(tuple(added), tuple(there), tuple(problems))


def _is_there(training_set: TrainingSet, found: FoundCase) -> bool:
    """Whether the set has this case with this very image (another image of that name is refused when added)."""
    key = name_key(safe_name(found.name))
    twin = next((c for c in training_set.cases if name_key(c.name) == key), None)
    if twin is None or twin.image_hash is None:
        return False
    with _one_file_a_channel(training_set, found, "copy") as images:
        image = intake.read_images(found.name, images, training_set.channels)
    return image.content_hash() == twin.image_hash


def _add(
    training_set: TrainingSet,
    found: FoundCase,
    mode: CopyMode,
    new_class: NewClass,
    label_values: Mapping[int, int] | None,
) -> Case:
    with _one_file_a_channel(training_set, found, mode) as images:
        return training_set.add(
            found.name,
            images,
            found.segmentation,
            found.label_class,
            found.group,
            found.role,
            found.split,
            mode=mode,
            new_class=new_class,
            label_values=label_values,
        )


@contextmanager
def _one_file_a_channel(
    training_set: TrainingSet, found: FoundCase, mode: CopyMode
) -> Iterator[tuple[Path, ...]]:
    """The case's files; a single file with all channels in it (Decathlon) is taken apart for the time of the block."""
    if len(found.images) != 1 or len(training_set.channels) == 1 or not is_4d(found.images[0]):
        yield found.images
        return
    if mode != "copy":
        raise TrainingSetError(
            f"Case {found.name!r}: {found.images[0]} holds all channels in one file and must be taken apart; "
            "import with the mode 'copy'."
        )
    with tempfile.TemporaryDirectory(prefix="segclassify-") as folder:
        yield split_channels(found.images[0], training_set.channels, Path(folder))
