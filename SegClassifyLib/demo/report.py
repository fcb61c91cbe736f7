"""The demo's report: one page that shows what was done and how well it went."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from SegClassifyLib.demo.run import OURS, DemoResult
from SegClassifyLib.evaluation.figures import (
    class_probabilities,
    confusion_matrix,
    score_comparison,
    training_curves,
)
from SegClassifyLib.evaluation.metrics import score
from SegClassifyLib.evaluation.report_html import (
    Block,
    Commands,
    Figure,
    Report,
    Section,
    Table,
    Text,
    write_report,
)
from SegClassifyLib.package.provenance import software_versions

_SHOWN = 1
"""Classified heads of each type that the page shows."""


def write_demo_report(result: DemoResult) -> Path:
    """Write ``report.html`` into the demo's folder."""
    classes = result.training_set.classes
    ours = result.arms[OURS]
    counts = result.settings.counts
    summary = [
        f"A segmenter learned from {counts.segmented * len(classes)} segmented heads; a classifier on its features "
        f"learned {len(classes)} tumour types from {counts.classified} heads of each.",
        f"On {len(result.truth)} heads that neither had seen, balanced accuracy is {ours.scores.balanced_accuracy} "
        f"(95 % interval); guessing gets {1 / len(classes):.2f}.",
    ]
    sections = [
        Section("Beside what one would do instead", _comparison(result)),
        Section("Unseen heads", _heads(result)),
        Section("Which type is taken for which", [confusion_matrix(_confusion(result), classes)]),
        Section("The segmenter", _segmenter(result)),
        Section("Go on", [Text("The folder holds all of it."), Commands(next_commands(result))]),
    ]
    provenance = [
        ("seed", str(result.settings.seed)),
        *((f"version of {name}", version) for name, version in software_versions().items()),
        *((f"time for {phase}", f"{seconds:.0f} s") for phase, seconds in result.seconds.items()),
    ]
    report = Report("Tumour types of made-up heads", summary, sections, provenance)
    return write_report(report, result.folder / "report.html")


def next_commands(result: DemoResult) -> list[str]:
    """What to type next, for the folder as it lies."""
    image = result.training_set.image_paths(next(c for c in result.training_set.cases if c.split == "test"))[
        0
    ]
    return [
        f"segclassify classify {result.package} {image} --output more",
        f"segclassify evaluate {result.package} {result.training_set.folder}",
        f"segclassify models show {result.package}",
        f"segclassify dataset list {result.training_set.folder}",
        f"segclassify train-classifier {result.training_set.folder} {result.folder / 'segmenter'} another-model",
    ]


def comparison_rows(result: DemoResult) -> list[tuple[str, str, str, str, str]]:
    """Name, balanced accuracy, accuracy, AUC and how far behind ours, one row a way to classify."""
    return [
        (
            name,
            str(arm.scores.balanced_accuracy),
            str(arm.scores.accuracy),
            str(arm.scores.macro_auc),
            "" if arm.behind is None else str(arm.behind),
        )
        for name, arm in result.arms.items()
    ]


COMPARISON_HEADER = ("trained on the same cases", "balanced accuracy", "accuracy", "AUC", "ours is better by")


def _comparison(result: DemoResult) -> list[Block]:
    scores = {name: arm.scores.balanced_accuracy for name, arm in result.arms.items()}
    return [
        score_comparison(scores, chance=1 / len(result.training_set.classes)),
        Table(
            f"{len(result.truth)} unseen heads; in brackets 95 % intervals over heads",
            COMPARISON_HEADER,
            comparison_rows(result),
            frozenset([0]),
        ),
        Text(
            "The three types are made so that neither global grey values nor the tumour's volume tells them apart: "
            "only its structure does."
        ),
    ]


def _heads(result: DemoResult) -> list[Block]:
    blocks: list[Block] = []
    classes = result.training_set.classes
    for k in range(len(classes)):
        for index in np.flatnonzero(result.truth == k)[:_SHOWN]:
            outcome = result.outcomes[int(index)]
            if outcome.result is None or outcome.files is None or outcome.files.overlay is None:
                continue
            caption = f"{outcome.name}, truly {classes[k]}: {outcome.result.sentence}."
            blocks.append(Figure(outcome.files.overlay, caption, wide=True))
            blocks.append(
                class_probabilities(classes, list(outcome.result.probabilities), outcome.name, classes[k])
            )
    return blocks


def _confusion(result: DemoResult) -> np.ndarray:
    return score(result.truth, result.arms[OURS].proba).confusion


def _segmenter(result: DemoResult) -> list[Block]:
    history = result.segmenter.trained.history
    labels = list(result.segmenter.trained.dice)
    curves = training_curves(
        [r.epoch for r in history],
        [r.loss for r in history],
        {label: [r.dice.get(label) for r in history] for label in labels},
    )
    dice = ", ".join(f"{label} {value:.2f}" for label, value in result.segmenter.trained.dice.items())
    return [Text(f"Dice on held-out heads: {dice}."), curves]
