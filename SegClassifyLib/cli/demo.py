"""``segclassify demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from SegClassifyLib.cli.console import console, guarded, print_json, progress_bar
from SegClassifyLib.cli.options import Device, DeviceOption, JsonOption, SeedOption

if TYPE_CHECKING:
    from SegClassifyLib.demo.run import DemoResult


@guarded
def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for everything; must be empty.")
    ] = Path("demo-output"),
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Show the whole way on made-up heads with three types of tumour, in a few minutes on two processor cores.

    Makes the heads, trains segmenter and classifier, classifies unseen heads, compares with a network trained from
    scratch and with shape alone, and leaves a report, overlays and the model package.
    """
    from SegClassifyLib.demo.report import write_demo_report
    from SegClassifyLib.demo.run import DemoSettings, run_demo

    with progress_bar(quiet=as_json) as progress:
        result = run_demo(output, DemoSettings(seed=seed), device.value, progress)
        report = write_demo_report(result)
    if as_json:
        print_json(
            {
                "report": str(report),
                "package": str(result.package),
                "balanced_accuracy": {n: a.scores.balanced_accuracy.value for n, a in result.arms.items()},
                "seconds": result.seconds,
            }
        )
    else:
        _print(result, report)


def _print(result: DemoResult, report: Path) -> None:
    from rich.table import Table

    from SegClassifyLib.cli.console import print_table
    from SegClassifyLib.demo.report import COMPARISON_HEADER, comparison_rows, next_commands

    classes = result.training_set.classes
    console.print("\nUnseen heads and the model's answer:")
    for truth, outcome in zip(result.truth, result.outcomes, strict=True):
        if outcome.result is not None:
            right = "right" if outcome.result.predicted == classes[truth] else f"it is {classes[truth]}"
            console.print(
                f"  {outcome.name}: {outcome.result.sentence}, {right}", markup=False, soft_wrap=True
            )
    table = Table(*COMPARISON_HEADER)
    for row in comparison_rows(result):
        table.add_row(*row)
    console.print(f"\nOn {len(result.truth)} unseen heads (guessing: {1 / len(classes):.2f}):")
    print_table(table)
    console.print(f"\nReport:   {report}", soft_wrap=True)
    console.print(f"Model:    {result.package}", soft_wrap=True)
    console.print(f"Overlays: {result.folder / 'classified'}", soft_wrap=True)
    console.print("\nTo go on:")
    for line in next_commands(result):
        console.print(f"  {line}", markup=False, soft_wrap=True)
