"""``segclassify compare-models``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from SegClassifyLib.cli.console import console, guarded, print_json, progress_bar
from SegClassifyLib.cli.options import Device, DeviceOption, JsonOption, ModelArgument, SeedOption
from SegClassifyLib.cli.review import interval_json

if TYPE_CHECKING:
    from SegClassifyLib.evaluation.comparison import Comparison

_SHOWN = 10


class On(str, Enum):
    """Which cases both are asked about."""

    folds = "folds"
    test = "test"
    all = "all"


@guarded
def compare_models(
    first: ModelArgument,
    second: ModelArgument,
    dataset: Annotated[Path, typer.Argument(help="Training-set folder whose cases have a class.")],
    on: Annotated[
        On,
        typer.Option(
            "--on",
            help="folds: both are trained anew on the same folds of the set's training cases. test, all: both as they "
            "are, on test cases or all cases that neither was trained on.",
        ),
    ] = On.folds,
    segmenter: Annotated[
        list[Path] | None,
        typer.Option(
            help="What train-segmenter left, with fold segmenters: then cases that trained the segmenter take part. "
            "Repeat it for two segmenters. Those that the panel trained in the set are found without it."
        ),
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for cached features; SET/.features.")] = None,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Say whether one model is better than another, and whether that is more than noise.

    Both see the same cases; the difference has a 95 % interval by bootstrap over patients.
    """
    from SegClassifyLib.cases.training_set import TrainingSet

    training_set = TrainingSet.open(dataset)
    with progress_bar(quiet=as_json) as progress:
        if on is On.folds:
            from SegClassifyLib.devices import resolve_device
            from SegClassifyLib.features.cache import FeatureCache
            from SegClassifyLib.package.library import find_package
            from SegClassifyLib.package.store import open_package
            from SegClassifyLib.training.classifier_run import known_segmenters
            from SegClassifyLib.training.compare import compare_on_folds, version_of

            packages = find_package(first), find_package(second)
            known = [*(segmenter or ()), *known_segmenters(training_set, packages)]
            one, other = (version_of(open_package(package), known) for package in packages)
            kept, where = FeatureCache(cache or training_set.features_folder), resolve_device(device.value)
            result = compare_on_folds(
                training_set, one, other, seed=seed, device=where, cache=kept, progress=progress
            )
        else:
            from SegClassifyLib.classify.classifier import Classifier
            from SegClassifyLib.classify.compare_held_out import compare_held_out
            from SegClassifyLib.package.library import find_package

            old, new = (Classifier.open(find_package(m), device.value) for m in (first, second))
            result = compare_held_out(old, new, training_set, on.value, seed, progress)
    if as_json:
        print_json(_json(result))
    else:
        _print(result)


def _json(result: Comparison) -> dict[str, Any]:
    return {
        "names": list(result.names),
        "cases": result.cases,
        "groups": result.groups,
        "scores": [
            {
                "metric": s.metric,
                "first": interval_json(s.first),
                "second": interval_json(s.second),
                "difference": interval_json(s.difference),
                "more_than_noise": s.is_more_than_noise,
            }
            for s in result.scores
        ],
        "disagreements": [
            {"case": d.case, "class": d.truth, "first": d.first, "second": d.second}
            for d in result.disagreements
        ],
        "sentence": result.sentence,
        "notes": list(result.notes),
    }


def _print(result: Comparison) -> None:
    from SegClassifyLib.evaluation.summary import table

    rows = [[s.metric, str(s.first), str(s.second), str(s.difference)] for s in result.scores]
    console.print(table(["score", *result.names, "difference"], rows), markup=False, soft_wrap=True)
    console.print(result.sentence, markup=False, soft_wrap=True)
    for note in result.notes:
        console.print(f"  {note}", markup=False, soft_wrap=True)
    for d in result.disagreements[:_SHOWN]:
        said = f"{d.case} ({d.truth}): {result.names[0]} says {d.first}, {result.names[1]} says {d.second}"
        console.print(f"  {said}", markup=False, soft_wrap=True)
    if len(result.disagreements) > _SHOWN:
        console.print(f"  … and {len(result.disagreements) - _SHOWN} more cases that one of them gets right.")
