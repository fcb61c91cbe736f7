"""``segclassify dataset list | show``: looking at a training set."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.console import console, guarded, print_json, print_table
from SegClassifyLib.cli.dataset_options import FolderArgument
from SegClassifyLib.cli.options import JsonOption


@guarded
def list_cases(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """List the cases."""
    training_set = TrainingSet.open(folder)
    if as_json:
        print_json([case_json(c) for c in training_set.cases])
        return
    table = Table(title=f"{training_set.name}: {len(training_set.cases)} cases", title_justify="left")
    for header in ("case", "class", "group", "segmentation", "role", "split"):
        table.add_column(header)
    for case in training_set.cases:
        segmentation = "predicted" if case.segmentation_is_prediction else "yes"
        cells = (case.label_class or "–", case.group or "–", segmentation if case.segmentation else "–")
        table.add_row(*(escape(c) for c in (case.name, *cells, case.role, case.split)))
    print_table(table)


@guarded
def show(
    folder: FolderArgument,
    name: Annotated[str | None, typer.Argument(help="A case; the whole set if left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the set, or one case, holds."""
    training_set = TrainingSet.open(folder)
    facts = summary(training_set) if name is None else case_json(training_set.case(name))
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{k} {v}" for k, v in value.items())
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        console.print(f"{key + ':':<16}{value}", markup=False, soft_wrap=True)


def case_json(case: Case) -> dict[str, Any]:
    """A case for programs: its entry in ``dataset.json`` and its split."""
    return {**case.to_json(), "split": case.split}


def summary(training_set: TrainingSet) -> dict[str, Any]:
    """What a set holds, in numbers."""
    cases = training_set.cases
    return {
        "name": training_set.name,
        "folder": str(training_set.folder),
        "images": f"{training_set.ndim}D",
        "channels": list(training_set.channels),
        "labels": {str(x.value): x.name for x in training_set.labels},
        "classes": training_set.class_counts,
        "cases": len(cases),
        "groups": len(training_set.groups),
        "without class": sum(c.label_class is None for c in cases),
        "segmentations": sum(c.segmentation is not None and not c.segmentation_is_prediction for c in cases),
        "predicted": sum(c.segmentation is not None and c.segmentation_is_prediction for c in cases),
        "test cases": sum(c.split == "test" for c in cases),
    }
