"""Scores with their intervals, of one or several ways beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.confusion_table import fit_height
from SegClassifyPanel.training_words import points_words, score_lines, score_name

if TYPE_CHECKING:
    from SegClassifyLib.worker.training_messages import ModelComparison, ScoreInfo


def fill_scores(table: qt.QTableWidget, columns: Sequence[tuple[str, Sequence[ScoreInfo]]]) -> None:
    """Show them.

    Args:
        table: the widget.
        columns: name of each way and its scores; a score of the first way that another has not stays empty there.
    """
    names = list(dict.fromkeys(score.name for _name, scores in columns for score in scores))
    _prepare(table, len(names), [name for name, _scores in columns])
    for row, name in enumerate(names):
        table.setItem(row, 0, qt.QTableWidgetItem(score_name(name)))
        for column, (_title, scores) in enumerate(columns, 1):
            found = next((score for score in scores if score.name == name), None)
            table.setItem(row, column, qt.QTableWidgetItem(score_lines(found) if found is not None else ""))
    fit_height(table, 14)


def fill_differences(table: qt.QTableWidget, comparison: ModelComparison) -> None:
    """Show the scores of two models and how far they are apart."""
    _prepare(table, len(comparison.scores), [comparison.first, comparison.second, _("Difference")])
    for row, pair in enumerate(comparison.scores):
        texts = (
            score_name(pair.first.name),
            score_lines(pair.first),
            score_lines(pair.second),
            _apart(pair.difference),
        )
        for column, text in enumerate(texts):
            table.setItem(row, column, qt.QTableWidgetItem(text))
    fit_height(table, 14)


def _prepare(table: qt.QTableWidget, rows: int, columns: Sequence[str]) -> None:
    table.setRowCount(rows)
    table.setColumnCount(1 + len(columns))
    table.setHorizontalHeaderLabels([_("Score"), *columns])
    for column, name in enumerate(columns, 1):
        table.horizontalHeaderItem(column).setToolTip(name)
    table.verticalHeader().hide()
    header = table.horizontalHeader()
    header.setMinimumSectionSize(40)
    header.setSectionResizeMode(qt.QHeaderView.Stretch)


def _apart(difference: ScoreInfo) -> str:
    return points_words(difference).replace(" (", "\n(")
