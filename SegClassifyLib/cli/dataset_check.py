"""``segclassify dataset check``: what a training set has, lacks, and gets wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.console import console, fail, guarded, print_json, print_table, progress_bar
from SegClassifyLib.cli.dataset_options import FolderArgument
from SegClassifyLib.cli.options import JsonOption

if TYPE_CHECKING:
    from SegClassifyLib.cases.guide import Counts, Guide


@guarded
def check(
    folder: FolderArgument,
    pixels: Annotated[
        bool,
        typer.Option("--pixels", help="Read every image, not just the headers; also finds odd grey values."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Count the cases, and find what is wrong, odd or still missing to train. Exit code 1 if there are errors."""
    from SegClassifyLib.cases.guide import guide

    training_set = TrainingSet.open(folder)
    with progress_bar(quiet=as_json) as progress:
        found = guide(training_set, "pixels" if pixels else "headers", progress)
    if as_json:
        print_json(guide_json(found))
    else:
        _print(training_set, found)
    wrong = sum(f.severity == "error" for f in found.findings)
    if wrong:
        raise fail(f"{wrong} error(s) in {folder}" + ("." if as_json else "; see above."))


def guide_json(found: Guide) -> dict[str, Any]:
    """Counts and findings for programs."""
    counts = found.counts
    return {
        "classes": [
            {"name": c.name, "cases": c.cases, "groups": c.groups, "test_cases": c.test_cases}
            for c in counts.classes
        ],
        "cases": counts.cases,
        "groups": counts.groups,
        "unlabelled": counts.unlabelled,
        "segmented": counts.segmented,
        "predicted": counts.predicted,
        "test_cases": counts.test_cases,
        "segmenter_can_be_trained": not found.segmenter_lacks,
        "classifier_can_be_trained": not found.classifier_lacks,
        "findings": [
            {
                "severity": f.severity,
                "kind": f.kind,
                "cases": list(f.cases),
                "what": f.what,
                "remedy": f.remedy,
                "sentence": f.sentence,
            }
            for f in found.findings
        ],
    }


def _print(training_set: TrainingSet, found: Guide) -> None:
    table = Table(title=f"{training_set.name}: cases that train the classifier", title_justify="left")
    for header in ("class", "cases", "groups", "kept for the test"):
        table.add_column(header)
    for row in found.counts.classes:
        table.add_row(escape(row.name), str(row.cases), str(row.groups), str(row.test_cases))
    if found.counts.classes:
        print_table(table)
    console.print(_rest(found.counts), markup=False, soft_wrap=True)
    for finding in found.findings:
        console.print(f"{finding.severity:<8}{finding.sentence}", markup=False, soft_wrap=True)
    if not found.findings:
        console.print(f"Nothing is wrong with the {found.counts.cases} cases.")


def _rest(counts: Counts) -> str:
    return (
        f"{counts.cases} cases of {counts.groups} groups; {counts.unlabelled} without a class; {counts.segmented} "
        f"segmentations train the segmenter, {counts.predicted} predicted ones wait for a correction."
    )
