"""``segclassify next``: which case to annotate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from SegClassifyLib.cli.console import console, guarded, print_json, progress_bar
from SegClassifyLib.cli.options import Device, DeviceOption, JsonOption, ModelArgument

if TYPE_CHECKING:
    from SegClassifyLib.annotation.next_case import NextCases


@guarded
def next_case(
    model: ModelArgument,
    dataset: Annotated[Path, typer.Argument(help="Training-set folder: what has a class already.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Also choose from these images: a file, or a folder with a file a channel, for each case."
        ),
    ] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many to name.")] = 10,
    cache: Annotated[Path | None, typer.Option(help="Folder for cached features; SET/.features.")] = None,
    device: DeviceOption = Device.auto,
    as_json: JsonOption = False,
) -> None:
    """Name the cases without a class that the classifier would learn most from, with the reason for each.

    Cases the classifier is unsure of, and unlike those that have a class, come first. Nothing is drawn at random.
    """
    from SegClassifyLib.annotation.next_case import next_cases
    from SegClassifyLib.cases.training_set import TrainingSet
    from SegClassifyLib.devices import resolve_device
    from SegClassifyLib.features.cache import FeatureCache
    from SegClassifyLib.package.library import find_package
    from SegClassifyLib.package.store import open_package

    training_set = TrainingSet.open(dataset)
    opened = open_package(find_package(model))
    kept, where = FeatureCache(cache or training_set.features_folder), resolve_device(device.value)
    with progress_bar(quiet=as_json) as progress:
        result = next_cases(opened, training_set, folder, count, where, kept, progress)
    if as_json:
        print_json(_json(result))
    else:
        _print(result)


def _json(result: NextCases) -> dict[str, Any]:
    return {
        "suggestions": [
            {
                "name": s.name,
                "images": [str(path) for path in s.paths],
                "origin": s.origin,
                "group": s.group,
                "probabilities": dict(zip(result.classes, s.probabilities, strict=True)),
                "unsure": s.unsure,
                "farther_than": s.farther_than,
                "reason": s.reason,
            }
            for s in result.suggestions
        ],
        "candidates": result.candidates,
        "labelled": result.labelled,
        "skipped": [{"name": name, "error": error} for name, error in result.skipped],
    }


def _print(result: NextCases) -> None:
    for number, suggestion in enumerate(result.suggestions, 1):
        place = "" if suggestion.origin == "set" else f" ({suggestion.paths[0]})"
        console.print(f"{number:>3}  {suggestion.name}{place}", markup=False, soft_wrap=True)
        console.print(f"     {suggestion.reason}", markup=False, soft_wrap=True)
    console.print(f"Chosen from {result.candidates} cases without a class beside {result.labelled} with one.")
    for name, error in result.skipped:
        console.print(f"  {name} was left out: {error}", markup=False, soft_wrap=True)
