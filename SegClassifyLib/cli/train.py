"""``segclassify train-segmenter`` and ``train-classifier``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from SegClassifyLib.cli.console import console, guarded, print_json, progress_bar
from SegClassifyLib.cli.options import Device, DeviceOption, JsonOption, SeedOption
from SegClassifyLib.cli.review import baseline_json, print_baseline, print_review, review_json

if TYPE_CHECKING:
    from SegClassifyLib.training.baselines import Baseline
    from SegClassifyLib.training.classifier import TrainedClassifier
    from SegClassifyLib.training.review import Review
    from SegClassifyLib.training.segmenter_plan import SegmenterPlan


class Loss(str, Enum):
    """What is minimised."""

    dice_ce = "dice_ce"
    exp_log = "exp_log"


class HeadKind(str, Enum):
    """Kinds of classifier."""

    auto = "auto"
    linear = "linear"
    conv = "conv"
    fine_tuned = "fine-tuned"


class BaselineChoice(str, Enum):
    """Simpler ways beside the classifier."""

    shape = "shape"
    scratch = "scratch"


class Seen(str, Enum):
    """What becomes of cases that trained the segmenter."""

    crossfit = "crossfit"
    exclude = "exclude"
    include = "include"


@guarded
def train_segmenter(
    dataset: Annotated[Path, typer.Argument(help="Training-set folder (with dataset.json).")],
    output: Annotated[Path, typer.Argument(help="Folder for the model; an interrupted run goes on there.")],
    network: Annotated[
        str,
        typer.Option(help="VNetDS (as deep as the images allow) or any of `segclassify info --networks`."),
    ] = "VNetDS",
    network_arguments: Annotated[
        str, typer.Option(help="Arguments of the network as a JSON object, e.g. '{\"base_filters\": 24}'.")
    ] = "",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Budget in epochs, of each segmenter; 40 unless --minutes is given."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01, help="Budget in minutes of wall time, of the whole: fold segmenters included."
        ),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(
            help="Model package, or what train-segmenter left, to start from: its network, preprocessing and weights."
        ),
    ] = None,
    loss: Annotated[Loss, typer.Option(help="exp_log suits labels of very unequal size.")] = Loss.dice_ce,
    folds: Annotated[
        int | None,
        typer.Option(
            min=0, help="Fold segmenters for cross-fitting; by default 3 where classified cases train it."
        ),
    ] = None,
    patch: Annotated[
        str, typer.Option(help="Patch size in voxels, D,H,W or H,W; chosen from the data if empty.")
    ] = "",
    max_voxels: Annotated[
        int | None, typer.Option(min=64, help="Most voxels of the median model grid.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="JSON file with the whole plan (as `model` packages record it); wins.")
    ] = None,
    name: Annotated[str, typer.Option(help="Of the model.")] = "",
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Train a segmentation network on the label maps of a training set.

    Writes OUTPUT/model (a model package) and, with cross-fitting, OUTPUT/crossfit: segmenters that have not seen
    some of the cases, so that those can train the classifier honestly.
    """
    from SegClassifyLib.cases.training_set import TrainingSet
    from SegClassifyLib.devices import resolve_device
    from SegClassifyLib.training.segmenter_from_set import train_segmenter_from_set
    from SegClassifyLib.training.segmenter_request import SegmenterRequest, plan_of
    from SegClassifyLib.training.start import open_start

    training_set = TrainingSet.open(dataset)
    request = SegmenterRequest(
        network=network,
        network_arguments=_arguments(network_arguments),
        epochs=epochs,
        minutes=minutes,
        loss=loss.value,
        patch=_numbers(patch),
        folds=folds,
        max_voxels=max_voxels,
        seed=seed,
    )
    plan = plan_of(request, training_set) if config is None else _read_plan(config)
    start = open_start(start_from) if start_from is not None else None
    with progress_bar(quiet=as_json) as progress:
        result = train_segmenter_from_set(
            training_set, output, plan, name, resolve_device(device.value), progress, start
        )
    if as_json:
        print_json(
            {
                "package": str(result.package),
                "dice": result.trained.dice,
                "folds": len(result.family.folds),
                "seconds": result.trained.seconds,
            }
        )
        return
    console.print(f"[bold]{result.family.full.name}[/bold] is in {result.package}")
    for label, dice in result.trained.dice.items():
        console.print(f"  Dice of {label} on held-out patients: {dice:.3f}")
    if result.family.folds:
        console.print(f"  {len(result.family.folds)} fold segmenters for cross-fitting are beside it.")
    console.print(f"Next: segclassify train-classifier {dataset} {output} MODEL-FOLDER")


@guarded
def train_classifier(
    dataset: Annotated[Path, typer.Argument(help="Training-set folder; its cases with a class are used.")],
    segmenter: Annotated[Path, typer.Argument(help="What train-segmenter left, or any model package.")],
    output: Annotated[Path, typer.Argument(help="Folder for the new model package.")],
    head: Annotated[
        HeadKind, typer.Option(help="auto compares linear and conv (on a GPU also fine-tuned) and says why.")
    ] = HeadKind.auto,
    seen_cases: Annotated[
        Seen,
        typer.Option(
            help="Cases that trained the segmenter: features from a fold segmenter that did not see them (crossfit; "
            "left out where there is none), always left out (exclude), or used as they are (include: flatters)."
        ),
    ] = Seen.crossfit,
    focus: Annotated[
        list[str] | None,
        typer.Option(
            help="Use only what is read in and round this label; may be repeated. All if not given."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Of the model.")] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a model package that is there already.")
    ] = False,
    further: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="Draw a learning curve and say what so many more cases would bring; repeat it."
        ),
    ] = None,
    baseline: Annotated[
        list[BaselineChoice] | None,
        typer.Option(
            help="Also cross-validate a simpler way on the same folds: shape of the labels alone (seconds), or a "
            "network trained from scratch (long); may be repeated."
        ),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of cached features, DATASET/.features by default.")
    ] = None,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Train a classifier on a segmenter's features and estimate honestly how good it is."""
    from SegClassifyLib.cases.training_set import TrainingSet
    from SegClassifyLib.devices import resolve_device
    from SegClassifyLib.features.cache import FeatureCache
    from SegClassifyLib.package.store import save_package
    from SegClassifyLib.training import classifier
    from SegClassifyLib.training.baselines import measure_baseline
    from SegClassifyLib.training.classifier_run import family_at, record_of
    from SegClassifyLib.training.classifier_settings import ClassifierSettings
    from SegClassifyLib.training.review import review_classifier

    training_set = TrainingSet.open(dataset)
    settings = ClassifierSettings(head=head.value, seen=seen_cases.value, focus=tuple(focus or ()), seed=seed)
    features, where = FeatureCache(cache or training_set.features_folder), resolve_device(device.value)
    with progress_bar(quiet=as_json) as progress:
        result = classifier.train_classifier(
            training_set, family_at(segmenter, training_set), settings, name, features, where, progress
        )
        package = save_package(result.model, output, overwrite="replace" if replace else "refuse")
        review = review_classifier(result, further or (), progress=progress)
        record = record_of(result, training_set, segmenter, settings)
        beside = [
            measure_baseline(kind.value, result.model, record, training_set, features, where, progress)
            for kind in baseline or ()
        ]
    if as_json:
        baselines = {"baselines": [baseline_json(b) for b in beside]}
        print_json(_trained_json(result, package) | review_json(result, review) | baselines)
        return
    _print_trained(result, package, review, beside)


def _trained_json(result: TrainedClassifier, package: Path) -> dict[str, Any]:
    return {
        "package": str(package),
        "head": result.model.head.kind if result.model.head else None,
        "cases": len(result.cases),
        "classes": list(result.model.classes),
        "scores": [s.model_dump() for s in result.model.provenance.scores],
        "confusion": result.validation.scores.confusion.tolist(),
        "temperature": result.model.temperature,
        "notes": list(result.notes),
    }


def _print_trained(
    result: TrainedClassifier, package: Path, review: Review, baselines: Sequence[Baseline]
) -> None:
    from SegClassifyLib.evaluation.summary import confusion_table

    console.print(f"[bold]{result.model.name}[/bold] is in {package}")
    for score in result.model.provenance.scores:
        if score.low is not None and score.high is not None:
            console.print(f"  {score.metric} {score.value:.2f} ({score.low:.2f} to {score.high:.2f})")
    console.print(confusion_table(result.validation.scores.confusion, result.model.classes), markup=False)
    for note in result.notes:
        console.print(f"  {note}")
    print_review(result, review)
    for baseline in baselines:
        print_baseline(baseline)
    console.print(f"Next: segclassify classify {package} IMAGE …")


def _arguments(text: str) -> dict[str, Any] | None:
    from SegClassifyLib.errors import NetworkError

    try:
        given = json.loads(text or "{}")
    except ValueError as error:
        raise NetworkError(f"--network-arguments is not a JSON object ({error}).") from error
    if not isinstance(given, dict):
        raise NetworkError(
            "--network-arguments must be a JSON object, such as '{\"channels\": [16, 32, 64]}'."
        )
    return given


def _read_plan(config: Path) -> SegmenterPlan:
    from pydantic import ValidationError

    from SegClassifyLib.errors import TrainingError
    from SegClassifyLib.training.segmenter_plan import SegmenterPlan

    try:
        return SegmenterPlan.model_validate_json(config.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TrainingError(f"There is no file {config}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise TrainingError(f"{config}: {where}: {first['msg']}.") from error


def _numbers(text: str) -> tuple[int, ...]:
    from SegClassifyLib.errors import TrainingError

    try:
        return tuple(int(part) for part in text.replace("x", ",").split(",")) if text else ()
    except ValueError as error:
        raise TrainingError(f"--patch wants whole numbers such as 64,64,64, not {text!r}.") from error
