"""Scores with their intervals, of one or several ways beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.table_fit import TableFit
from SegClassifyPanel.training_words import points_words, score_lines, score_name

if TYPE_CHECKING:
    from SegClassifyLib.worker.comparison_messages import ModelComparison
    from SegClassifyLib.worker.score_messages import ScoreInfo


class ScoreTable:
    """Fills a table widget: a row a score, a column a way.

    Args:
        table: the widget.
    """

    def __init__(self, table: qt.QTableWidget) -> None:
        self._table = table
        self._fit = TableFit(table, 14)
        table.verticalHeader().hide()
        table.horizontalHeader().setMinimumSectionSize(40)

    def show_scores(self, columns: Sequence[tuple[str, Sequence[ScoreInfo]]]) -> None:
        """Show scores; one that a way has not stays empty there.

        Args:
            columns: name of each way, and its scores.
        """
        names = list(dict.fromkeys(score.name for _name, scores in columns for score in scores))
        found = [{score.name: score_lines(score) for score in scores} for _name, scores in columns]
        rows = [(score_name(name), *(texts.get(name, "") for texts in found)) for name in names]
        self._fill([name for name, _scores in columns], rows)

    def show_difference(self, comparison: ModelComparison) -> None:
        """Show the scores of two models, and how far they are apart."""
        rows = [
            (
                score_name(pair.first.name),
                score_lines(pair.first),
                score_lines(pair.second),
                points_words(pair.difference).replace(" (", "\n("),
            )
            for pair in comparison.scores
        ]
        self._fill([comparison.first, comparison.second, _("Difference")], rows)

    def hide(self) -> None:
        """There is nothing to show."""
        self._table.visible = False

    def _fill(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = self._table
        table.setRowCount(len(rows))
        table.setColumnCount(1 + len(columns))
        table.setHorizontalHeaderLabels([_("Score"), *columns])
        for column, name in enumerate(columns, 1):
            table.horizontalHeaderItem(column).setToolTip(name)
        for row, texts in enumerate(rows):
            for column, text in enumerate(texts):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text.replace("\n", " "))
                table.setItem(row, column, item)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)
        table.visible = bool(rows)
        self._fit.fit()
