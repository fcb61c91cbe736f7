"""A comparison as one page: curves, differences, what is taken for what, and whether probabilities can be believed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from SegClassifyLib.evaluation.canvas import capital
from SegClassifyLib.evaluation.compare_figures import differences, learning_curve, reliability_diagrams
from SegClassifyLib.evaluation.figures import confusion_matrix, score_comparison
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.metrics import MetricName
from SegClassifyLib.evaluation.report_html import (
    Block,
    Figure,
    Notice,
    Report,
    Section,
    Table,
    Text,
    write_report,
)
from SegClassifyLib.experiment.arms import Arm
from SegClassifyLib.experiment.result import CompareResult
from SegClassifyLib.experiment.scores import ArmDifference, ArmScore
from SegClassifyLib.experiment.settings import ALL, size_name
from SegClassifyLib.experiment.tables import (
    NONE,
    SETS_NOTE,
    TITLES,
    arms_with_sets,
    set_cell,
    signed,
    size_header,
    titled,
)

_CURVES = 7
"""Lines in one picture."""
_NAMED = 4
"""Arms that a sentence names."""


def write_compare_report(result: CompareResult, folder: Path) -> Path:
    """Write ``report.html``; raises SegClassifyError where it cannot be written."""
    return write_report(compare_report(result), folder / "report.html")


def compare_report(result: CompareResult) -> Report:
    """The page."""
    sections = [
        Section("How good", _scores(result)),
        Section("Differences", _differences(result)),
        Section("Which class is taken for which", _confusions(result)),
        Section("Whether probabilities can be believed", _reliability(result)),
        Section("Time", [_time(result)]),
        Section("How it was done", _method(result)),
    ]
    return Report(f"{result.name}: ways to classify compared", summary(result), sections, result.provenance)


def summary(result: CompareResult) -> list[str]:
    """What it comes to, a sentence each."""
    ways = "One way" if len(result.arms) == 1 else f"{len(result.arms)} ways"
    sentences = [
        f"{ways} to classify {len(result.cases)} cases of {len(set(result.groups.tolist()))} patients"
        + (", trained on the same draws and tested on the same cases." if len(result.arms) > 1 else ".")
    ]
    first = result.arms[0]
    for size in result.sizes:
        found = result.score(first.key, size)
        if found is None:
            continue
        score = found.scores["balanced_accuracy"]
        told = (
            "no defined balanced accuracy" if math.isnan(score.value) else f"a balanced accuracy of {score}"
        )
        words = f": {_verdict(result, size)}" if len(result.arms) > 1 else ""
        sentences.append(f"{_cases(size)}, “{first.title}” has {told}{words}.")
    if result.unfinished:
        sentences.append(f"{result.unfinished} trainings are still to be run: start the same command again.")
    return sentences


def _verdict(result: CompareResult, size: int) -> str:
    """Than which others the first is better or worse."""
    clear = [d for d in result.against_first("balanced_accuracy") if d.size == size and d.is_more_than_noise]
    better = [d.other for d in clear if d.difference.value > 0]
    worse = [d.other for d in clear if d.difference.value < 0]
    words = [
        f"{way} by more than noise than {_titles(result, keys)}"
        for way, keys in (("better", better), ("worse", worse))
        if keys
    ]
    return "; ".join(words) or "neither better nor worse than any other by more than noise"


def _cases(size: int) -> str:
    return "With all cases" if size == ALL else f"With {size} cases per class"


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _titles(result: CompareResult, keys: Sequence[str]) -> str:
    if not keys:
        return "none of the others"
    others = len(result.arms) - 1
    if len(keys) == others > 1:
        return f"all {others} others"
    if len(keys) > _NAMED:
        return f"{len(keys)} of the {others} others"
    titles = {arm.key: arm.title for arm in result.arms}
    return ", ".join(f"“{titles[k]}”" for k in keys)


def _scores(result: CompareResult) -> list[Block]:
    blocks: list[Block] = []
    if not result.sizes:
        return [Text("No training is done yet.")]
    for metric, title in TITLES:
        blocks += _pictures(result, metric, title)
        rows = [
            [titled(arm, result), *(_shown(result.score(arm.key, n), metric) for n in result.sizes)]
            for arm in result.arms
        ]
        caption = f"{capital(title)}: mean of the draws and 95 % interval over draws and test patients"
        if any(cell == NONE for row in rows for cell in row):
            caption += f"; {NONE}: not trained, or not defined"
        blocks.append(Table(caption, size_header(result), rows, frozenset([0])))
    return blocks


def _pictures(result: CompareResult, metric: MetricName, title: str) -> list[Block]:
    """Curves over the sizes; with one size there is no curve to draw."""
    chance = 1 / len(result.classes) if metric == "balanced_accuracy" else 0.5
    if len(result.sizes) == 1:
        (size,) = result.sizes
        found = {titled(a, result): s.scores[metric] for a in result.arms if (s := result.score(a.key, size))}
        return [score_comparison(found, title, chance, f"{capital(title)} {_lower(_cases(size))}")]
    blocks: list[Block] = []
    names = {_mean_size(result): f"all (about {_mean_size(result)})"} if ALL in result.sizes else {}
    for arms in _groups(result.arms):
        curves = {titled(a, result): _curve(result, a, metric) for a in arms}
        blocks.append(learning_curve({k: v for k, v in curves.items() if v}, title, chance, names))
    return blocks


def _groups(arms: Sequence[Arm]) -> list[list[Arm]]:
    """Parts that a picture can hold; the first arm is in all of them."""
    first, others = arms[0], list(arms[1:])
    if not others:
        return [[first]]
    rooms = math.ceil(len(others) / _CURVES)
    size = math.ceil(len(others) / rooms)
    return [[first, *others[start : start + size]] for start in range(0, len(others), size)]


def _curve(result: CompareResult, arm: Arm, metric: MetricName) -> Mapping[int, Interval]:
    found = {}
    for size in result.sizes:
        score = result.score(arm.key, size)
        if score is not None:
            shown = size if size != ALL else _mean_size(result)
            found[shown] = score.scores[metric]
    return found


def _mean_size(result: CompareResult) -> int:
    """Cases per class where all there are were learned from."""
    folds = result.folds[ALL]
    mean = round(float(np.mean([len(f.train) for f in folds])) / len(result.classes))
    while mean in result.sizes:  # a size that was asked for keeps its place in a picture
        mean += 1
    return mean


def _shown(score: ArmScore | None, metric: MetricName) -> str:
    return NONE if score is None else str(score.scores[metric])


def _differences(result: CompareResult) -> list[Block]:
    first, titles = result.arms[0], {arm.key: titled(arm, result) for arm in result.arms}
    blocks: list[Block] = []
    if len(result.arms) == 1:
        return [Text(f"“{first.title}” alone was trained: there is nothing to compare it with.")]
    for metric, title in TITLES:
        rows: dict[str, dict[str, Interval]] = {}
        for d in result.against_first(metric):
            rows.setdefault(titles[d.other], {})[size_name(d.size)] = d.difference
        if rows:
            blocks.append(differences(rows, first.title, title))
        by_place = {(d.other, d.size): d for d in result.against_first(metric)}
        table = [
            [titles[arm.key], *(_difference(by_place.get((arm.key, size))) for size in result.sizes)]
            for arm in result.arms[1:]
        ]
        caption = f"{capital(title)} of “{first.title}” less that of each other; *: more than noise"
        blocks.append(Table(caption, size_header(result), table))
    if len(result.arms) > 2:
        blocks.append(Text("The differences of every other pair are in differences.csv."))
    return blocks


def _difference(found: ArmDifference | None) -> str:
    if found is None:
        return NONE
    return signed(found.difference) + ("*" if found.is_more_than_noise else "")


def _largest(result: CompareResult, arm: Arm) -> ArmScore | None:
    found = [s for n in result.sizes if (s := result.score(arm.key, n)) is not None]
    return found[-1] if found else None


def _confusions(result: CompareResult) -> list[Block]:
    found = [(arm, score) for arm in result.arms if (score := _largest(result, arm)) is not None]
    if not found:
        return []
    blocks: list[Block] = [
        Text(
            "Each row holds the cases of one class, each column what they were called; the darker, the larger the part "
            "of the row. Of each arm the largest size is shown; compare.json has the numbers of every size."
        )
    ]
    for arm, score in found:
        draws = "one draw" if len(score.draws) == 1 else f"{len(score.draws)} draws together"
        caption = f"{arm.title}, {_lower(_cases(score.size))}, {draws}."
        blocks.append(confusion_matrix(score.confusion, result.classes, caption))
    return blocks


def _reliability(result: CompareResult) -> list[Block]:
    found = {arm.title: score for arm in result.arms if (score := _largest(result, arm)) is not None}
    if not found:
        return []
    rows = [
        [
            title,
            size_name(score.size),
            str(score.calibration),
            f"{score.uncalibrated:.2f}",
            f"{score.if_true:.2f}",
            "–" if math.isnan(score.temperature) else f"{score.temperature:.2f}",
        ]
        for title, score in found.items()
    ]
    # Steps are of all draws together, which have cases enough for them; the error is that of one classifier.
    figure: Figure = reliability_diagrams(
        {t: replace(s.reliability, error=s.calibration) for t, s in found.items()}
    )
    header = ["arm", "cases per class", "calibration error", "before", "by chance", "temperature"]
    note = (
        "Calibrated on cases of the training part that were not learned from, where there were enough; an arm without "
        "a temperature holds none out, and its probabilities are as they come. Classes weigh alike. The error is above "
        "0 by chance too: compare it with what it would be were the probabilities true."
    )
    blocks: list[Block] = [Text(note), figure]
    blocks.append(Table("Expected calibration error of one classifier at the largest size", header, rows))
    return blocks + _sets(result)


def _sets(result: CompareResult) -> list[Block]:
    arms = arms_with_sets(result)
    if not arms:
        return []
    found = {arm.title: [result.score(arm.key, size) for size in result.sizes] for arm in arms}
    rows = [[title, *(NONE if s is None else set_cell(s) for s in scores)] for title, scores in found.items()]
    return [
        Text(SETS_NOTE),
        Table(
            "Prediction sets: how often they hold the class, and how many they name",
            size_header(result),
            rows,
        ),
    ]


def _time(result: CompareResult) -> Table:
    rows = []
    for arm in result.arms:
        score, features = _largest(result, arm), result.feature_seconds.get(arm.key, math.nan)
        shown = "–" if math.isnan(features) or features == 0 else f"{features:.2f}"
        rows.append([arm.title, "–" if score is None else f"{score.seconds:.1f}", shown])
    return Table(
        "Seconds on one core, median: of one training with its calibration, and of the features of one case",
        ["arm", "one training", "features of one case"],
        rows,
    )


def _method(result: CompareResult) -> list[Block]:
    blocks: list[Block] = [Text("\n\n".join(result.notes))] if result.notes else []
    rows = []
    for size, folds in result.folds.items():
        train, test = (np.median([len(getattr(f, part)) for f in folds]) for part in ("train", "test"))
        rows.append([size_name(size), str(len(folds)), f"{train:.0f}", f"{test:.0f}"])
    blocks.append(
        Table(
            "The draws, the same for every arm; slow arms learn from the first of them",
            ["cases per class", "draws", "trained on", "tested on"],
            rows,
        )
    )
    blocks.append(
        Text(
            "Scaling, choice of strength, early stopping and calibration happen inside the training cases. Intervals "
            "are 95 % percentile intervals over draws of the training cases and of the test patients, the same for "
            "every arm."
        )
    )
    if result.failures:
        lines = [
            f"{arm}, {size} per class, draw {draw}: {error}" for arm, size, draw, error in result.failures
        ]
        blocks.append(Notice("Not trained: " + " ".join(lines)))
    return blocks
