"""``segclassify dataset import-…``: training sets from CSV tables, class folders, Decathlon and nnU-Net folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from SegClassifyLib.cases.document import FILE_NAME
from SegClassifyLib.cases.imports.from_csv import plan_csv
from SegClassifyLib.cases.imports.from_decathlon import plan_decathlon
from SegClassifyLib.cases.imports.from_folders import plan_folders
from SegClassifyLib.cases.imports.join_table import join_table
from SegClassifyLib.cases.imports.plan import ImportPlan, grouped_by
from SegClassifyLib.cases.imports.run import ImportResult, OnError, run_import
from SegClassifyLib.cases.intake import CopyMode
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.console import console, fail, guarded, print_json, progress_bar
from SegClassifyLib.cli.dataset_options import (
    ChannelOption,
    ColumnOption,
    LabelOption,
    LabelValueOption,
    ModeChoice,
    ModeOption,
    OnErrorChoice,
    OnErrorOption,
    columns,
    label_values,
)
from SegClassifyLib.cli.options import JsonOption

TargetArgument = Annotated[
    Path,
    typer.Argument(help="The training set; it is made, with the source's channels and labels, if not there."),
]
GroupOption = Annotated[
    str | None,
    typer.Option(
        "--group-pattern",
        help="Regular expression that finds the patient in a case name; its first bracket, or all of it, is the group.",
    ),
]
TableOption = Annotated[
    Path | None,
    typer.Option(
        "--table", help="CSV table with a name column and class, group, role or split of the cases."
    ),
]


@guarded
def import_csv(
    folder: TargetArgument,
    table: Annotated[Path, typer.Argument(help="The CSV table.")],
    channel: ChannelOption = None,
    label: LabelOption = None,
    column: ColumnOption = None,
    group_pattern: GroupOption = None,
    label_value: LabelValueOption = None,
    on_error: OnErrorOption = OnErrorChoice.stop,
    mode: ModeOption = ModeChoice.copy,
    as_json: JsonOption = False,
) -> None:
    """Import a CSV table with one row a case.

    Columns: image (or image_<channel> for each channel), and where there are: segmentation (or mask, label), class,
    group (or patient), name (or case_id), role, split. Paths are relative to the table. Cases that are in the set
    already are passed over, so an import that stopped can be run again.
    """
    known = _channels(folder, channel)
    plan = grouped_by(plan_csv(table, known, columns(column)), group_pattern)
    _run(folder, plan, label, on_error.value, mode.value, label_value, as_json)


@guarded
def import_folders(
    folder: TargetArgument,
    root: Annotated[Path, typer.Argument(help="A folder with one folder a class.")],
    channel: ChannelOption = None,
    label: LabelOption = None,
    table: TableOption = None,
    column: ColumnOption = None,
    group_pattern: GroupOption = None,
    label_value: LabelValueOption = None,
    on_error: OnErrorOption = OnErrorChoice.stop,
    mode: ModeOption = ModeChoice.copy,
    as_json: JsonOption = False,
) -> None:
    """Import folders named after classes.

    Each image file in a class's folder is a case, and each folder in it is one: with a file for every channel, named
    after it, or with the files of one DICOM series. Segmentations are files ending in _mask or _seg, or files of the
    image's name in a folder called masks.
    """
    plan = plan_folders(root, _channels(folder, channel))
    plan = grouped_by(join_table(plan, table, columns(column)) if table else plan, group_pattern)
    _run(folder, plan, label, on_error.value, mode.value, label_value, as_json)


@guarded
def import_decathlon(
    folder: TargetArgument,
    source: Annotated[
        Path, typer.Argument(help="A Medical Segmentation Decathlon or nnU-Net dataset folder.")
    ],
    label: LabelOption = None,
    table: TableOption = None,
    column: ColumnOption = None,
    group_pattern: GroupOption = None,
    label_value: LabelValueOption = None,
    on_error: OnErrorOption = OnErrorChoice.stop,
    mode: ModeOption = ModeChoice.copy,
    as_json: JsonOption = False,
) -> None:
    """Import a Medical Segmentation Decathlon or nnU-Net folder, with classes from a table if there is one."""
    plan = plan_decathlon(source)
    plan = grouped_by(join_table(plan, table, columns(column)) if table else plan, group_pattern)
    _run(folder, plan, label, on_error.value, mode.value, label_value, as_json)


def _channels(folder: Path, given: Sequence[str] | None) -> Sequence[str] | None:
    """Channel names to look for: those of the set if it is there, else those given."""
    return TrainingSet.open(folder).channels if (folder / FILE_NAME).is_file() else given


def _run(
    folder: Path,
    plan: ImportPlan,
    label: Sequence[str] | None,
    on_error: OnError,
    mode: CopyMode,
    label_value: Sequence[str] | None,
    as_json: bool,
) -> None:
    values = label_values(label_value)
    if plan.found_problems and on_error == "stop":
        result = ImportResult(problems=plan.found_problems)
    else:
        training_set = _open_or_create(folder, plan, label)
        with progress_bar(quiet=as_json) as progress:
            result = run_import(
                training_set, plan, on_error, mode=mode, label_values=values, progress=progress
            )
    _report(folder, result, as_json)


def _open_or_create(folder: Path, plan: ImportPlan, label: Sequence[str] | None) -> TrainingSet:
    if (folder / FILE_NAME).is_file():
        return TrainingSet.open(folder)
    segmented = any(case.segmentation for case in plan.cases)
    labels = label or plan.labels or (["foreground"] if segmented else [])
    return TrainingSet.create(folder, folder.resolve().name, plan.channels, labels)


def _report(folder: Path, result: ImportResult, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "added": list(result.added),
                "already_there": list(result.already_there),
                "problems": [{"where": p.where, "sentence": p.sentence} for p in result.problems],
            }
        )
    else:
        for problem in result.problems:
            console.print(str(problem), markup=False, soft_wrap=True)
        there = f" {len(result.already_there)} were in it already." if result.already_there else ""
        console.print(f"Added {len(result.added)} case(s) to {folder}.{there}", markup=False, soft_wrap=True)
    if result.problems:
        raise fail(f"{len(result.problems)} problem(s) kept cases out; correct them and import again.")
