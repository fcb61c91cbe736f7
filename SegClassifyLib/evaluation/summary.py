"""Scores as tables that people read: plain text that is also Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from SegClassifyLib.evaluation.draws import DrawResult


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up in plain text too; the first column to the left, others right."""
    widths = [max(len(r[c]) for r in [header, *rows]) for c in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        aligned = [cells[0].ljust(widths[0])]
        aligned += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join(aligned) + " |"

    rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]
    return "\n".join([line(header), line(rule), *(line(r) for r in rows)])


def confusion_table(confusion: np.ndarray, classes: Sequence[str]) -> str:
    """Counts ``(K, K)``: rows the true class, columns the class said."""
    rows = [
        [name, *(str(int(n)) for n in counts), f"{counts[k]}/{counts.sum()}"]
        for k, (name, counts) in enumerate(zip(classes, confusion, strict=True))
    ]
    return table(["true class", *(f"said {name}" for name in classes), "right"], rows)


def few_shot_summary(arms: Mapping[str, Sequence[DrawResult]]) -> str:
    """Balanced accuracy and AUC of each arm against the number of training cases per class, as Markdown."""
    counts = sorted({r.per_class for results in arms.values() for r in results})
    sections = []
    for title, pick in (
        ("Balanced accuracy", lambda r: str(r.mean_balanced_accuracy)),
        ("AUC (mean over classes)", lambda r: str(r.mean_auc)),
    ):
        rows = []
        for name, results in arms.items():
            by_count = {r.per_class: r for r in results}
            rows.append([name, *(pick(by_count[n]) if n in by_count else "–" for n in counts)])
        header = ["cases per class", *(str(n) for n in counts)]
        sections.append(f"{title}, mean of the draws (95 % interval)\n\n{table(header, rows)}")
    return "\n\n".join(sections)
