"""What came of a recipe as files, with the figure of the paper's abstract beside ours."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from pathlib import Path
from typing import Any

from SegClassifyLib.atomic import write_text
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.metrics import MetricName
from SegClassifyLib.evaluation.report_html import Notice, Section, Table, Text, write_report
from SegClassifyLib.evaluation.summary import table
from SegClassifyLib.experiment.report import compare_report
from SegClassifyLib.experiment.settings import ALL
from SegClassifyLib.experiment.tables import write_tables
from SegClassifyLib.recipes.run import RecipeResult

_TITLES: dict[MetricName, str] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_auc": "AUC",
}
_PAPER = "the paper's abstract, its own cases"


def write_recipe(result: RecipeResult) -> tuple[Path, ...]:
    """Write ``recipe.csv``, ``recipe.md`` and ``report.html``, and the comparison's tables below ``compare``.

    Raises:
        SegClassifyError: the folder cannot be written to.
    """
    folder = result.order.folder.resolve()
    write_tables(result.comparison, folder / "compare")
    files = {"recipe.csv": _csv(result), "recipe.md": recipe_markdown(result)}
    with disk_errors(folder):
        for name, content in files.items():
            write_text(folder / name, content)
    report = compare_report(result.comparison)
    beside = Section(
        "Beside the paper's abstract",
        [
            Notice(result.remark),
            Table(_caption(result), _header(result), _rows(result)),
            Text("\n\n".join(sentences(result))),
            Text(
                "compare.json, differences.csv and the other tables of the comparison are in the folder compare."
            ),
        ],
    )
    page = dataclasses.replace(
        report,
        title=result.order.recipe.title,
        summary=[_caption(result) + ".", result.remark],
        sections=[beside, *report.sections],
    )
    return (*(folder / name for name in files), write_report(page, folder / "report.html"))


def recipe_markdown(result: RecipeResult) -> str:
    """The table and what has to be said with it."""
    return (
        "\n\n".join(
            [
                f"# {result.order.recipe.title}",
                result.remark,
                recipe_table(result),
                *sentences(result),
            ]
        )
        + "\n"
    )


def recipe_table(result: RecipeResult) -> str:
    """All arms, and what the abstract reports."""
    return table(_header(result), _rows(result))


def recipe_json(result: RecipeResult) -> dict[str, Any]:
    """The same for programs; numbers that are not defined are null."""
    comparison, begun = result.comparison, result.begun
    return {
        "recipe": begun.recipe,
        "source": begun.source,
        "remark": result.remark,
        "cases": {part: begun.count(part) for part in ("segmenter", "train", "test")},
        "published": result.order.recipe.published.model_dump(),
        "dice": {name: value for name, value in result.dice.items() if math.isfinite(value)},
        "arms": {
            arm.key: {m: _figures(score.scores[m]) for m in result.order.recipe.metrics}
            for arm in comparison.arms
            if (score := comparison.score(arm.key, ALL)) is not None
        },
        "unfinished": comparison.unfinished,
        "notes": sentences(result),
    }


def _figures(interval: Interval) -> dict[str, float | None]:
    numbers = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {name: None if math.isnan(x) else x for name, x in numbers.items()}


def sentences(result: RecipeResult) -> list[str]:
    """How it was done."""
    begun, published, sizes = result.begun, result.order.recipe.published, result.begun.scale.sizes
    found = [
        f"The abstract ({published.reference}) reports {100 * published.accuracy:.0f} % of {published.test} test cases "
        f"from {published.train} training cases; the 95 % interval of such a share of so many cases is "
        f"{100 * published.low:.0f} to {100 * published.high:.0f} %.",
        f"Here {begun.count('train')} cases trained the classifiers and {begun.count('test')} were tested on; "
        f"{begun.count('segmenter')} others trained the segmenter, and show "
        "the linear heads how features vary, their classes unseen. No patient is in two of these "
        "parts. 95 % intervals are over test patients, of this one training.",
    ]
    if (sizes.train, sizes.test) != (published.train, published.test):
        found.append("The numbers of cases are not those of the abstract: this was a quick look.")
    dice = [f"{name} {value:.2f}" for name, value in result.dice.items() if math.isfinite(value)]
    if dice:
        found.append(f"Dice of the segmenter on patients held out of its training: {', '.join(dice)}.")
    return [*found, *begun.notes, *result.comparison.notes]


def _caption(result: RecipeResult) -> str:
    begun = result.begun
    return f"{begun.count('train')} cases to train classifiers on, {begun.count('test')} to test on"


def _header(result: RecipeResult) -> list[str]:
    return ["", *(_TITLES[m] for m in result.order.recipe.metrics)]


def _rows(result: RecipeResult) -> list[list[str]]:
    published = result.order.recipe.published
    paper = Interval(published.accuracy, published.low, published.high)
    rows = []
    for arm in result.comparison.arms:
        score = result.comparison.score(arm.key, ALL)
        if score is not None:
            rows.append([arm.title, *(str(score.scores[m]) for m in result.order.recipe.metrics)])
    shown = [str(paper) if m == "accuracy" else "–" for m in result.order.recipe.metrics]
    return [*rows, [_PAPER, *shown]]


def _csv(result: RecipeResult) -> str:
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(["arm", "title", "metric", "value", "low", "high", "train", "test", "cases"])
    begun, published = result.begun, result.order.recipe.published
    own = [begun.count("train"), begun.count("test"), begun.source]
    for arm in result.comparison.arms:
        score = result.comparison.score(arm.key, ALL)
        for metric in result.order.recipe.metrics if score is not None else ():
            assert score is not None
            interval = score.scores[metric]
            figures = [f"{x:.6f}" for x in (interval.value, interval.low, interval.high)]
            writer.writerow([arm.key, arm.title, metric, *figures, *own])
    figures = [f"{x:.6f}" for x in (published.accuracy, published.low, published.high)]
    writer.writerow(
        ["abstract", _PAPER, "accuracy", *figures, published.train, published.test, "the paper's"]
    )
    return sheet.getvalue()
