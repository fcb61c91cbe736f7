"""``segclassify evaluate``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from SegClassifyLib.cli.console import console, guarded, print_json, progress_bar
from SegClassifyLib.cli.options import Device, DeviceOption, JsonOption, ModelArgument, SeedOption
from SegClassifyLib.cli.review import interval_json

if TYPE_CHECKING:
    from SegClassifyLib.classify.held_out import HeldOut


class Part(str, Enum):
    """Which cases of a set are looked at."""

    test = "test"
    all = "all"


@guarded
def evaluate(
    model: ModelArgument,
    dataset: Annotated[Path, typer.Argument(help="Training-set folder whose cases have a class.")],
    part: Annotated[
        Part, typer.Option("--cases", help="The set's test cases only, or all that have a class.")
    ] = Part.test,
    report: Annotated[Path | None, typer.Option(help="Also write a report: one HTML page.")] = None,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Classify labelled cases that the model was not trained on and say how good it is, with 95 % intervals.

    Cases that trained the classifier or the segmenter are recognised by their content and left out.
    """
    from SegClassifyLib.cases.training_set import TrainingSet
    from SegClassifyLib.classify.classifier import Classifier
    from SegClassifyLib.classify.held_out import evaluate_held_out
    from SegClassifyLib.package.library import find_package

    training_set = TrainingSet.open(dataset)
    classifier = Classifier.open(find_package(model), device.value)
    with progress_bar(quiet=as_json) as progress:
        result = evaluate_held_out(classifier, training_set, part.value, seed, progress)
    if report is not None:
        from SegClassifyLib.classify.held_out_report import held_out_report
        from SegClassifyLib.evaluation.report_html import write_report

        write_report(held_out_report(result, classifier.model, training_set.name), report)
    if as_json:
        print_json(_json(result, report))
    else:
        _print(result, report)


def _json(result: HeldOut, report: Path | None) -> dict[str, Any]:
    intervals = result.intervals
    return {
        "cases": len(result.names),
        "left_out": list(result.left_out),
        "failures": dict(result.failures),
        "scores": {
            name: {"value": i.value, "low": i.low, "high": i.high}
            for name, i in (
                ("balanced_accuracy", intervals.balanced_accuracy),
                ("accuracy", intervals.accuracy),
                ("macro_auc", intervals.macro_auc),
            )
        },
        "confusion": result.scores.confusion.tolist(),
        "calibration_error": interval_json(result.promises.reliability.error),
        "prediction_sets": _sets_json(result),
        "flagged_novel": None if result.promises.flagged is None else interval_json(result.promises.flagged),
        "report": str(report) if report else None,
    }


def _sets_json(result: HeldOut) -> dict[str, Any] | None:
    promises = result.promises
    if promises.covered is None:
        return None
    return {
        "confidence": promises.confidence,
        "covered": interval_json(promises.covered),
        "covered_by_class": {
            name: None if share is None else interval_json(share)
            for name, share in zip(result.classes, promises.by_class, strict=True)
        },
        "mean_size": promises.set_size,
        "cases": promises.promising,
    }


def _print(result: HeldOut, report: Path | None) -> None:
    from SegClassifyLib.classify.held_out import held_out_summary

    console.print(held_out_summary(result), markup=False)
    for name, error in result.failures:
        console.print(f"  {name} failed: {error}", markup=False)
    if result.left_out:
        console.print(f"  Left out because they trained the model: {len(result.left_out)} cases.")
    if report:
        console.print(f"The report is {report}")
