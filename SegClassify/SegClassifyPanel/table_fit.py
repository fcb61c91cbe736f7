"""Tables that are as high as their rows, so that a page has one scroll bar and not ten."""

from __future__ import annotations

import qt


class TableFit:
    """Keeps a table's height, also when its rows get higher because it got narrower.

    Args:
        table: any table widget.
        most: so many rows are shown; of more, the rest is scrolled to.
    """

    def __init__(self, table: qt.QTableWidget, most: int) -> None:
        self._table = table
        self._most = most
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        self._delay = qt.QTimer(table)  # rows are resized one after another
        self._delay.setSingleShot(True)
        self._delay.interval = 0
        self._delay.connect("timeout()", self.fit)
        table.verticalHeader().connect("sectionResized(int,int,int)", self._later)
        table.horizontalHeader().textElideMode = qt.Qt.ElideRight

    def fit(self) -> None:
        """Fit the height to the rows."""
        table = self._table
        rows = min(table.rowCount, self._most)
        more = table.rowCount > rows
        # Decided here and not by the table: a bar that comes and goes with the height would change the rows again.
        table.verticalScrollBarPolicy = qt.Qt.ScrollBarAlwaysOn if more else qt.Qt.ScrollBarAlwaysOff
        height = table.horizontalHeader().sizeHint.height() + 2 * table.frameWidth
        height += sum(table.rowHeight(row) for row in range(rows))
        wide = table.verticalHeader().width if table.verticalHeader().isVisible() else 0
        wide += sum(table.columnWidth(column) for column in range(table.columnCount))
        if wide > table.width:
            height += table.horizontalScrollBar().sizeHint.height()
        if height != table.height:
            table.setFixedHeight(height)

    def _later(self, *_sizes: int) -> None:
        self._delay.start()
