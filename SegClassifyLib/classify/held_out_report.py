"""An evaluation on held-out cases as a page."""

from __future__ import annotations

import numpy as np

from SegClassifyLib.classify.held_out import HeldOut
from SegClassifyLib.evaluation.compare_figures import reliability_diagrams
from SegClassifyLib.evaluation.figures import confusion_matrix, score_comparison
from SegClassifyLib.evaluation.report_html import Block, Notice, Report, Section, Table, Text
from SegClassifyLib.package.model import Model


def held_out_report(result: HeldOut, model: Model, data_set: str) -> Report:
    """What ``segclassify evaluate --report`` writes."""
    shown = result.intervals
    scores = {
        "balanced accuracy": shown.balanced_accuracy,
        "accuracy": shown.accuracy,
        "AUC": shown.macro_auc,
    }
    blocks: list[Block] = [
        score_comparison(scores, "score", _guessed(len(result.classes)), "Scores on the held-out cases"),
        confusion_matrix(result.scores.confusion, result.classes),
        Table(
            "AUC of each class",
            ("class", "AUC"),
            [_row(c, a) for c, a in zip(result.classes, result.scores.auc, strict=True)],
        ),
    ]
    if result.left_out:
        blocks.append(Notice(f"{len(result.left_out)} cases trained the model and were left out."))
    if result.failures:
        rows = list(result.failures)
        blocks.append(
            Table("Cases that could not be classified; they count in no score", ("case", "why"), rows)
        )
    summary = [
        f"{model.name} on {len(result.names)} cases of {data_set} that it was not trained on: balanced accuracy "
        f"{shown.balanced_accuracy} (95 % interval over patients); guessing gets {1 / len(result.classes):.2f}."
    ]
    trust: list[Block] = [
        reliability_diagrams({model.name: result.promises.reliability}),
        *(Text(sentence) for sentence in result.promises.sentences(result.classes)),
    ]
    sections = [
        Section("Scores", blocks),
        Section("Whether it can be believed", trust),
        Section("Every case", [_cases(result)]),
    ]
    provenance = [("trained on", model.provenance.data_set), ("evaluated on", data_set)]
    return Report(f"{model.name}: evaluation", summary, sections, provenance)


def _guessed(classes: int) -> dict[str, float]:
    """What answers by lot would get."""
    return {"balanced accuracy": 1 / classes, "accuracy": 1 / classes, "AUC": 0.5}


def _row(name: str, auc: float) -> tuple[str, str]:
    return name, f"{auc:.2f}" if np.isfinite(auc) else "not defined"


def _cases(result: HeldOut) -> Table:
    order = np.argsort(result.proba[np.arange(len(result.y)), result.y])
    rows = [
        (
            result.names[i],
            result.classes[result.y[i]],
            result.classes[int(result.proba[i].argmax())],
            f"{result.proba[i].max():.0%}",
        )
        for i in order
    ]
    return Table("The most surprising first", ("case", "true class", "said", "probability"), rows)
