"""Cases with a sentence each; a click shows the case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.table_fit import TableFit

_MOST_ROWS = 8


@dataclass(frozen=True)
class ListedCase:
    """A row.

    Args:
        name: of the case.
        words: why it is here.
    """

    name: str
    words: str


class ListedCases:
    """Fills a table widget.

    Args:
        table: the widget.
        opened: called with the index of the row that was clicked.
        second: title of the second column.
    """

    def __init__(self, table: qt.QTableWidget, opened: Callable[[int], None], second: str = "") -> None:
        self._table = table
        self._opened = opened
        self._fit = TableFit(table, _MOST_ROWS)
        table.setColumnCount(2)
        table.setHorizontalHeaderLabels([_("Case"), second or _("Why")])
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setSectionResizeMode(0, qt.QHeaderView.Interactive)
        header.setSectionResizeMode(1, qt.QHeaderView.Stretch)
        header.resizeSection(0, 90)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.connect("cellClicked(int,int)", self._on_click)

    def fill(self, cases: Sequence[ListedCase]) -> None:
        """Show these instead."""
        table = self._table
        table.setRowCount(len(cases))
        for row, case in enumerate(cases):
            for column, text in enumerate((case.name, case.words)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                table.setItem(row, column, item)
        table.visible = bool(cases)
        self._fit.fit()

    def select(self, row: int) -> None:
        """Mark a row."""
        self._table.selectRow(row)

    def _on_click(self, row: int, _column: int) -> None:
        self._opened(row)
