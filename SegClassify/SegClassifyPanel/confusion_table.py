"""The confusion matrix: how many cases of each class were given which class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt
from slicer.i18n import tr as _

_NAMED = 4
"""With more classes than these the columns have numbers, and the rows say which class has which."""


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
        table.horizontalHeader().setMinimumSectionSize(28)
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
        mode = qt.QHeaderView.ResizeToContents if numbered else qt.QHeaderView.Stretch
        table.horizontalHeader().setSectionResizeMode(mode)
        fit_height(table, 12)

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


def fit_height(table: qt.QTableWidget, most: int) -> None:
    """Make a table as high as its rows, up to so many of them."""
    table.resizeRowsToContents()
    rows = min(table.rowCount, most)
    header = 0 if table.horizontalHeader().isHidden() else table.horizontalHeader().sizeHint.height()
    height = header + sum(table.rowHeight(row) for row in range(rows)) + 2 * table.frameWidth
    # Room for a scroll bar below, which would otherwise cover the last row.
    height += table.horizontalScrollBar().sizeHint.height() if table.columnCount > _NAMED else 0
    table.setFixedHeight(max(height, 1))
