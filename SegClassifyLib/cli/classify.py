"""``segclassify classify``."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from SegClassifyLib.cli.console import console, errors, guarded, print_json, progress_bar
from SegClassifyLib.cli.options import Device, DeviceOption, JsonOption, ModelArgument

if TYPE_CHECKING:
    from SegClassifyLib.classify.batch import Outcome

_FAILED = 3
"""Exit code when some images went well and others did not."""


class Format(str, Enum):
    """Of label maps."""

    seg_nrrd = ".seg.nrrd"
    nii_gz = ".nii.gz"
    nrrd = ".nrrd"
    mha = ".mha"


@guarded
def classify(
    model: ModelArgument,
    images: Annotated[
        list[str],
        typer.Argument(
            help="Image files or DICOM folders. For a model with several channels join one case's files with commas, "
            "in the model's order: t1c.nii.gz,flair.nii.gz"
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for label maps, pictures and results.")
    ] = Path("classified"),
    segmentation_format: Annotated[
        Format, typer.Option("--format", help="Of the label maps; .seg.nrrd carries names and colours.")
    ] = Format.seg_nrrd,
    features: Annotated[bool, typer.Option("--features", help="Also write every feature by name.")] = False,
    overlay: Annotated[
        bool, typer.Option("--overlay/--no-overlay", help="Write a picture of telling slices.")
    ] = True,
    device: DeviceOption = Device.auto,
    as_json: JsonOption = False,
) -> None:
    """Segment and classify images.

    Goes on after an image that fails and lists the failures at the end. Exit code 0: all went well; 3: some failed;
    1: all failed, or the model cannot be opened.
    """
    from SegClassifyLib.classify.batch import classify_many
    from SegClassifyLib.classify.classifier import Classifier
    from SegClassifyLib.package.library import find_package

    cases = [tuple(Path(part) for part in image.split(",")) for image in images]
    classifier = Classifier.open(find_package(model), device.value)
    outcomes: list[Outcome] = []
    with progress_bar(quiet=as_json) as progress:
        for outcome in classify_many(
            classifier, cases, output, segmentation_format.value, features, overlay, progress
        ):
            outcomes.append(outcome)
            if not as_json:
                _print_outcome(outcome)
    failed = [o for o in outcomes if o.error]
    if as_json:
        print_json(_json(outcomes))
    elif failed:
        errors.print(f"[bold red]{len(failed)} of {len(outcomes)} failed:[/bold red]")
        for outcome in failed:
            errors.print(f"  {outcome.error}", markup=False)
    if failed:
        raise typer.Exit(1 if len(failed) == len(outcomes) else _FAILED)


def _print_outcome(outcome: Outcome) -> None:
    if outcome.result is None or outcome.files is None:
        console.print(f"{outcome.name}: failed", markup=False)
        return
    console.print(f"{outcome.name}: {outcome.result.sentence}", markup=False, soft_wrap=True)
    for warning in (*outcome.result.warnings, *outcome.result.notes):
        console.print(f"    {warning}", markup=False, soft_wrap=True)
    console.print(f"    {outcome.files.segmentation}", markup=False, soft_wrap=True)


def _json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "results": [
            o.result.to_json()
            | {"name": o.name, "segmentation": str(o.files.segmentation), "result": str(o.files.result)}
            for o in outcomes
            if o.result is not None and o.files is not None
        ],
        "failures": [{"name": o.name, "error": o.error} for o in outcomes if o.error],
    }
