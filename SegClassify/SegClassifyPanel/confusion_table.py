"""The confusion matrix: how many cases of each class were given which class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.table_fit import TableFit

_NAMED = 4
"""With more classes than these the columns have numbers, and the rows say which class has which."""
_NAMES = 120
"""Pixels at most for the names of the rows."""


class ConfusionTable:
    """Fills a table widget.

    Args:
        table: the widget.
        chosen: called with the row's and the column's class when a number is clicked.
    """

    def __init__(self, table: qt.QTableWidget, chosen: Callable[[int, int], None]) -> None:
        self._table = table
        self._chosen = chosen
        table.connect("cellClicked(int,int)", self._on_click)
        self._fit = TableFit(table, 12)
        table.horizontalHeader().setMinimumSectionSize(24)
        table.verticalHeader().setMaximumWidth(_NAMES)
        table.verticalHeader().textElideMode = qt.Qt.ElideRight
        table.horizontalHeader().setHighlightSections(False)
        table.verticalHeader().setHighlightSections(False)

    def fill(self, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
        """Show these.

        Args:
            classes: names, in order.
            counts: ``(K, K)``: cases of the row's class that were given the column's.
        """
        table = self._table
        numbered = len(classes) > _NAMED
        table.setRowCount(len(classes))
        table.setColumnCount(len(classes))
        table.setHorizontalHeaderLabels([str(i + 1) if numbered else name for i, name in enumerate(classes)])
        table.setVerticalHeaderLabels(
            [f"{i + 1}  {name}" if numbered else name for i, name in enumerate(classes)]
        )
        for row, line in enumerate(counts):
            for column, count in enumerate(line):
                table.setItem(row, column, _cell(classes[row], classes[column], count, row == column))
        for column, name in enumerate(classes):
            table.horizontalHeaderItem(column).setToolTip(_("said: {name}").format(name=name))
        for row, name in enumerate(classes):
            table.verticalHeaderItem(row).setToolTip(name)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)
        self._fit.fit()

    def _on_click(self, row: int, column: int) -> None:
        self._chosen(row, column)


def _cell(true: str, said: str, count: int, right: bool) -> qt.QTableWidgetItem:
    item = qt.QTableWidgetItem(str(count) if count else "–")
    item.setTextAlignment(qt.Qt.AlignCenter)
    font = qt.QFont()
    font.setBold(right)
    item.setFont(font)
    if right:
        tip = _("{count} of {true} were recognised").format(count=count, true=true)
    else:
        tip = _("{count} of {true} were taken for {said}").format(count=count, true=true, said=said)
    item.setToolTip(tip)
    return item
