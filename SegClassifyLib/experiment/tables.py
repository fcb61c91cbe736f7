"""A comparison as files: JSON with everything, CSV for other programs, Markdown for people."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from SegClassifyLib.atomic import write_text
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.metrics import METRICS, MetricName
from SegClassifyLib.evaluation.summary import table
from SegClassifyLib.experiment.arms import Arm
from SegClassifyLib.experiment.result import CompareResult
from SegClassifyLib.experiment.scores import ArmScore, SetScore
from SegClassifyLib.experiment.settings import size_name
from SegClassifyLib.trust.answers import fewest_patients
from SegClassifyLib.trust.trust import CONFIDENCE

TITLES: tuple[tuple[MetricName, str], ...] = (
    ("balanced_accuracy", "balanced accuracy"),
    ("macro_auc", "AUC"),
)
"""The scores that people are shown."""

CALIBRATION_NOTE = (
    "Expected calibration error of one classifier after calibration inside the training cases, mean over the draws "
    "(95 % interval over draws and test patients), before it (plain softmax), and what it would be by chance, on as "
    "many test cases, were the probabilities true."
)

SETS_NOTE = (
    f"Share of the test cases whose prediction set at {100 * CONFIDENCE:.0f} % confidence holds their class (95 % "
    "interval over draws and test patients), and mean number of classes in a set. A class of fewer than "
    f"{fewest_patients(CONFIDENCE)} training patients is never ruled out."
)

NONE = "–"
"""Stands in a table for what was not trained, or is not defined."""


def write_tables(result: CompareResult, folder: Path) -> tuple[Path, ...]:
    """Write ``compare.json``, ``scores.csv``, ``differences.csv`` and ``compare.md``; returns their paths.

    Raises:
        SegClassifyError: the folder cannot be written to.
    """
    contents = {
        "compare.json": json.dumps(to_json(result), indent=1, allow_nan=False) + "\n",
        "scores.csv": _csv(_score_rows(result)),
        "differences.csv": _csv(_difference_rows(result)),
        "compare.md": to_markdown(result),
    }
    paths = []
    with disk_errors(folder):
        for name, content in contents.items():
            write_text(folder / name, content)
            paths.append(folder / name)
    return tuple(paths)


def to_json(result: CompareResult) -> dict[str, Any]:
    """Everything; numbers that are not defined are null."""
    return {
        "training_set": result.name,
        "classes": list(result.classes),
        "settings": result.settings.model_dump(mode="json"),
        "provenance": dict(result.provenance),
        "notes": list(result.notes),
        "arms": [{"key": a.key, "title": a.title, "slow": a.slow} for a in result.arms],
        "feature_seconds": {key: _number(value) for key, value in result.feature_seconds.items()},
        "scores": [_score_json(s, result) for s in result.scores],
        "differences": [
            {
                "arm": d.arm,
                "other": d.other,
                "size": size_name(d.size),
                "metric": d.metric,
                "draws": d.draws,
                **_interval(d.difference),
                "more_than_noise": d.is_more_than_noise,
            }
            for d in result.differences
        ],
        "draws": {
            size_name(size): [
                {"train": [result.cases[i] for i in f.train], "test": [result.cases[i] for i in f.test]}
                for f in folds
            ]
            for size, folds in result.folds.items()
        },
        "failures": [list(failure) for failure in result.failures],
        "unfinished": result.unfinished,
    }


def to_markdown(result: CompareResult) -> str:
    """Scores, differences to the first arm, calibration and time as tables that line up in plain text too."""
    guess = 1 / len(result.classes)
    parts = [f"# {result.name}: ways to classify compared", " ".join(result.notes)]
    for metric, title in TITLES:
        level = f"{guess:.2f}" if metric == "balanced_accuracy" else "0.50"
        parts.append(
            f"## {title[0].upper()}{title[1:]}\n\nMean over the draws (95 % interval over draws and test patients); "
            f"guessing gets {level}.\n\n{score_table(result, metric)}"
        )
    parts.append(
        f"## Differences\n\n{result.arms[0].title}, less each other arm, in balanced accuracy; both on the same draws "
        f"and patients. Bold: the interval does not hold 0.\n\n{difference_table(result)}"
    )
    parts.append(f"## Calibration\n\n{CALIBRATION_NOTE}\n\n{calibration_table(result)}")
    if arms_with_sets(result):
        parts.append(f"## Prediction sets\n\n{SETS_NOTE}\n\n{sets_table(result)}")
    parts.append(f"## Time\n\n{time_table(result)}")
    if result.failures:
        lines = [
            f"* {arm}, {size} per class, draw {draw}: {error}" for arm, size, draw, error in result.failures
        ]
        parts.append("## Not trained\n\n" + "\n".join(lines))
    if result.unfinished:
        parts.append(f"{result.unfinished} trainings are still to be run: start the same command again.")
    return "\n\n".join(parts) + "\n"


def score_table(result: CompareResult, metric: MetricName) -> str:
    """A score of each arm against the number of training cases."""
    return _by_size(result, lambda score: str(score.scores[metric]))


def calibration_table(result: CompareResult) -> str:
    """Expected calibration error of each arm against the number of training cases."""
    return _by_size(
        result,
        lambda s: f"{s.calibration}, before {s.uncalibrated:.2f}, by chance {s.if_true:.2f}",
    )


def sets_table(result: CompareResult) -> str:
    """How often the prediction sets of each arm hold the true class, and how many classes they name."""
    return _by_size(result, set_cell, arms_with_sets(result))


def arms_with_sets(result: CompareResult) -> list[Arm]:
    """Those that make prediction sets."""
    keys = {score.arm for score in result.scores if score.sets}
    return [arm for arm in result.arms if arm.key in keys]


def set_cell(score: ArmScore) -> str:
    """Coverage of an arm's prediction sets, and how many classes they name."""
    return NONE if score.sets is None else f"{score.sets.coverage}, {score.sets.classes:.1f} classes"


def difference_table(result: CompareResult, metric: MetricName = "balanced_accuracy") -> str:
    """The first arm less each other one."""
    by_place = {(d.other, d.size): d for d in result.against_first(metric)}
    rows = []
    for arm in result.arms[1:]:
        row = [arm.title]
        for size in result.sizes:
            found = by_place.get((arm.key, size))
            row.append(NONE if found is None else signed(found.difference, found.is_more_than_noise))
        rows.append(row)
    return table(size_header(result), rows)


def time_table(result: CompareResult) -> str:
    """Seconds of one training at the largest size that the arm has, and for the features of one case."""
    rows = []
    for arm in result.arms:
        last = [s for s in result.scores if s.arm == arm.key]
        if last:
            features = result.feature_seconds.get(arm.key, math.nan)
            shown = NONE if math.isnan(features) or features == 0 else f"{features:.2f}"
            rows.append([arm.title, f"{last[-1].seconds:.1f}", shown])
    return table(["arm", "one training, s", "features of one case, s"], rows)


def signed(interval: Interval, bold: bool = False) -> str:
    """A difference with its sign: ``+0.05 (−0.01 to +0.11)``."""
    if math.isnan(interval.value):
        return NONE
    # −0.00 stays: the end of an interval that is just below 0.
    value, low, high = (f"{x:+.2f}".replace("-", "−") for x in (interval.value, interval.low, interval.high))
    text = f"{value} ({low} to {high})"
    return f"**{text}**" if bold else text


def _by_size(
    result: CompareResult, show: Callable[[ArmScore], str], arms: Sequence[Arm] | None = None
) -> str:
    rows = []
    for arm in result.arms if arms is None else arms:
        found = [result.score(arm.key, size) for size in result.sizes]
        rows.append([titled(arm, result), *(NONE if s is None else show(s) for s in found)])
    return table(size_header(result), rows)


def titled(arm: Arm, result: CompareResult) -> str:
    """The arm's title, with its number of draws where it has fewer than others."""
    most = max((len(s.draws) for s in result.scores), default=0)
    own = max((len(s.draws) for s in result.scores if s.arm == arm.key), default=most)
    return arm.title if own == most else f"{arm.title} ({own} draw{'s' if own > 1 else ''})"


def size_header(result: CompareResult) -> list[str]:
    """Heads of a table that has a column for each number of training cases."""
    return ["cases per class", *map(size_name, result.sizes)]


def _score_json(score: ArmScore, result: CompareResult) -> dict[str, Any]:
    return {
        "arm": score.arm,
        "size": size_name(score.size),
        "draws": list(score.draws),
        "test_cases": score.test_cases,
        "scores": {m: _interval(score.scores[m]) for m in METRICS},
        "by_draw": {m: [_number(v) for v in score.by_draw[m]] for m in METRICS},
        "confusion": score.confusion.tolist(),
        "calibration_error": _interval(score.calibration),
        "calibration_error_before": _number(score.uncalibrated),
        "calibration_error_by_chance": _number(score.if_true),
        "temperature": _number(score.temperature),
        "prediction_sets": _sets_json(score.sets),
        "training_seconds": _number(score.seconds),
    }


def _sets_json(sets: SetScore | None) -> dict[str, Any] | None:
    if sets is None:
        return None
    return {"coverage": _interval(sets.coverage), "classes": sets.classes, "alone": sets.alone}


def _score_rows(result: CompareResult) -> list[list[str]]:
    header = ["arm", "title", "cases_per_class", "draws", "test_cases", "metric", "value", "low", "high"]
    titles = {arm.key: arm.title for arm in result.arms}
    rows = [header]
    for s in result.scores:
        start = [s.arm, titles[s.arm], size_name(s.size), str(len(s.draws)), str(s.test_cases)]
        measured = [*s.scores.items(), ("calibration_error", s.calibration)]
        measured += [("set_coverage", s.sets.coverage)] if s.sets else []
        rows += [[*start, str(metric), *_three(interval)] for metric, interval in measured]
    return rows


def _difference_rows(result: CompareResult) -> list[list[str]]:
    rows = [["arm", "less", "cases_per_class", "draws", "metric", "difference", "low", "high"]]
    rows += [
        [d.arm, d.other, size_name(d.size), str(d.draws), d.metric, *_three(d.difference)]
        for d in result.differences
    ]
    return rows


def _csv(rows: Sequence[Sequence[str]]) -> str:
    sheet = io.StringIO()
    csv.writer(sheet, lineterminator="\n").writerows(rows)
    return sheet.getvalue()


def _three(interval: Interval) -> list[str]:
    return ["" if math.isnan(x) else f"{x:.6f}" for x in (interval.value, interval.low, interval.high)]


def _interval(interval: Interval) -> dict[str, float | None]:
    return {"value": _number(interval.value), "low": _number(interval.low), "high": _number(interval.high)}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
