"""The table of a batch: a row a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.batch import BatchRow, RowState
from SegClassifyPanel.class_bars import percent

CASE, ANSWER, SURE = range(3)


class BatchTable:
    """Fills a table widget.

    Args:
        table: the widget.
        explain: called with the row that was clicked.
        show_case: called with the row that was double-clicked.
    """

    def __init__(
        self, table: qt.QTableWidget, explain: Callable[[int], None], show_case: Callable[[int], None]
    ) -> None:
        self._table = table
        self._explain = explain
        self._show_case = show_case
        table.setColumnCount(3)
        table.setHorizontalHeaderLabels([_("Case"), _("Answer"), _("Probability")])
        header = table.horizontalHeader()
        header.setSectionResizeMode(CASE, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(ANSWER, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(SURE, qt.QHeaderView.ResizeToContents)
        table.verticalHeader().hide()
        table.visible = False
        table.connect("cellClicked(int,int)", self._on_click)
        table.connect("cellDoubleClicked(int,int)", self._on_double_click)

    def fill(self, rows: Sequence[BatchRow]) -> None:
        """Show these rows instead."""
        self._table.setRowCount(0)
        self._table.setRowCount(len(rows))
        self._table.visible = True
        for index, row in enumerate(rows):
            self.show_row(index, row)

    def show_row(self, index: int, row: BatchRow) -> None:
        """Show how a case stands now."""
        sure = percent(row.probability) if row.probability is not None else ""
        answer = _answer(row)
        for column, text in ((CASE, row.name), (ANSWER, answer), (SURE, sure)):
            item = self._table.item(index, column)
            if item is None:
                item = qt.QTableWidgetItem()
                self._table.setItem(index, column, item)
            item.setText(text)
            item.setToolTip(row.message or text)
        if row.state is RowState.RUNNING:
            self._table.scrollToItem(self._table.item(index, CASE))

    def _on_click(self, row: int, _column: int) -> None:
        self._explain(row)

    def _on_double_click(self, row: int, _column: int) -> None:
        self._show_case(row)


def _answer(row: BatchRow) -> str:
    """The class, or how it stands."""
    if row.state is RowState.DONE:
        return row.predicted or _("segmented")
    if row.state is RowState.FAILED:
        return _("not classified")
    return {
        RowState.WAITING: _("waiting"),
        RowState.RUNNING: _("running…"),
        RowState.CANCELLED: _("cancelled"),
    }[row.state]
