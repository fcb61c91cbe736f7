"""The table of a training set's cases: sorted, filtered and selected by name, however often the set is read again."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.case_words import (
    is_wrong,
    prediction_text,
    prediction_tip,
    segmentation_text,
    segmentation_tip,
    use_text,
)

if TYPE_CHECKING:
    from SegClassifyLib.worker.set_messages import CaseRow

NAME, CLASS, GROUP, SEGMENTATION, USE, PREDICTION = range(6)
WIDTHS = (110, 90, 90, 80, 80, 110)
"""Of the columns at first, pixels."""

ALL, NO_CLASS, NO_SEGMENTATION, UNCHECKED, WRONG, OF_CLASS = (
    "all", "no class", "no segmentation", "unchecked", "wrong", "class "
)  # fmt: skip
"""Which cases are shown; ``OF_CLASS`` with the class behind it."""

_KEY = int(qt.Qt.UserRole) + 1
_FILTER = int(qt.Qt.UserRole) + 2
_END = "\x1f"
"""Ends each mark of the text that is filtered by."""


class CasesTable:
    """Shows rows in a view.

    Args:
        view: empty.
        selected: called when other cases are selected.
        opened: called with the name of the case that was double-clicked.
    """

    def __init__(
        self, view: qt.QTableView, selected: Callable[[], None], opened: Callable[[str], None]
    ) -> None:
        self._view = view
        self._selected, self._opened = selected, opened
        self._rows: tuple[CaseRow, ...] = ()
        self._quiet = False
        self._model = qt.QStandardItemModel(0, len(WIDTHS), view)
        self._model.setHorizontalHeaderLabels(_headers())
        self._shown = qt.QSortFilterProxyModel(view)
        self._shown.filterKeyColumn = NAME
        self._shown.filterRole = _FILTER
        self._shown.sortRole = _KEY
        self._shown.setSourceModel(self._model)
        view.setModel(self._shown)
        rows = view.verticalHeader()
        rows.hide()
        rows.defaultSectionSize = rows.minimumSectionSize
        header = view.horizontalHeader()
        header.stretchLastSection = True
        header.setSortIndicator(-1, qt.Qt.AscendingOrder)  # as they are in the set, until a header is clicked
        for column, width in enumerate(WIDTHS):
            header.resizeSection(column, width)
        view.selectionModel().connect("selectionChanged(QItemSelection,QItemSelection)", self._on_selection)
        view.connect("doubleClicked(QModelIndex)", self._on_double_click)

    @property
    def count(self) -> int:
        """How many rows pass the filter."""
        return int(self._shown.rowCount())

    @property
    def selected(self) -> tuple[str, ...]:
        """Names of the selected cases, from top to bottom."""
        indexes = self._view.selectionModel().selectedRows(NAME)
        return tuple(index.data() for index in sorted(indexes, key=lambda index: index.row()))

    def fill(self, rows: Sequence[CaseRow]) -> None:
        """Show these cases; rows that stay keep their place, their selection and what the user had scrolled to."""
        before = [row.name for row in self._rows]
        kept, place = self.selected, self._view.verticalScrollBar().value
        steps = difflib.SequenceMatcher(None, before, [row.name for row in rows], False).get_opcodes()
        old, self._rows = self._rows, tuple(rows)
        self._quiet = True
        self._shown.dynamicSortFilter = False  # or every cell would sort and filter anew
        for kind, first, last, start, stop in reversed(steps):
            if kind != "equal":
                if last > first:
                    self._model.removeRows(first, last - first)
                if stop > start:
                    self._model.insertRows(first, stop - start)
        self._model.blockSignals(True)  # thousands of cells: proxy and view look at all of them once, below
        for kind, first, _last, start, stop in steps:
            for number in range(start, stop):
                was = old[first + number - start] if kind == "equal" else None
                if was != rows[number]:
                    self._write(number, was)
        self._model.blockSignals(False)
        self._shown.dynamicSortFilter = True
        self._shown.invalidate()
        if self.selected != kept:  # a case that went and came again, at another place
            self._select(kept)
        self._view.verticalScrollBar().setValue(place)
        self._quiet = False
        self._selected()

    def filter(self, text: str, which: str) -> None:
        """Show only cases whose name, class or group holds ``text`` and that are of a kind, such as :data:`WRONG`."""
        pattern = f"(?=.*{_END}{re.escape(which)}{_END})"
        words = re.escape(text.strip().lower())
        if words:
            pattern += f"(?=[^{_END}]*{words})"
        self._shown.setFilterRegularExpression("^" + pattern)

    def select(self, names: Iterable[str]) -> None:
        """Select these, and nothing else; the first is scrolled to."""
        self._quiet = True
        self._select(names, scroll=True)
        self._quiet = False
        self._selected()

    def _select(self, names: Iterable[str], scroll: bool = False) -> None:
        wanted = set(names)
        selection = qt.QItemSelection()
        first = None
        for row in range(self.count if wanted else 0):
            index = self._shown.index(row, NAME)
            if index.data() in wanted:
                selection.select(index, self._shown.index(row, PREDICTION))
                first = index if first is None else first
        chooser = self._view.selectionModel()
        if first is not None and scroll:
            chooser.setCurrentIndex(first, qt.QItemSelectionModel.NoUpdate)
        chooser.select(selection, qt.QItemSelectionModel.ClearAndSelect)
        if first is not None and scroll:
            self._view.scrollTo(first, qt.QAbstractItemView.PositionAtCenter)

    def _write(self, number: int, was: CaseRow | None) -> None:
        """Write what is not there yet: a training changes the prediction of every row, and nothing else."""
        row = self._rows[number]
        before = _cells(was) if was is not None else (None,) * len(WIDTHS)
        for column, (cell, old) in enumerate(zip(_cells(row), before, strict=True)):
            if cell == old:
                continue
            text, key, tip = cell
            index = self._model.index(number, column)
            self._model.setData(index, key, _KEY)
            self._model.setData(index, text, qt.Qt.DisplayRole)
            if tip or old is not None:
                self._model.setData(index, tip, qt.Qt.ToolTipRole)
        wrong, marks = is_wrong(row), _marks(row)
        if was is None or marks != _marks(was):
            self._model.setData(self._model.index(number, NAME), marks, _FILTER)
        if wrong != (was is not None and is_wrong(was)):
            icon = self._view.style().standardIcon(qt.QStyle.SP_MessageBoxWarning) if wrong else None
            self._model.setData(self._model.index(number, PREDICTION), icon, qt.Qt.DecorationRole)

    def _on_selection(self, *_selections: Any) -> None:
        if not self._quiet:
            self._selected()

    def _on_double_click(self, index: qt.QModelIndex) -> None:
        self._opened(index.sibling(index.row(), NAME).data())


def natural(text: str) -> str:
    """A key by which "case 2" comes before "case 10", upper and lower case alike; empty texts come last."""
    if not text:
        return "\uffff"
    return re.sub(r"\d+", lambda found: found.group().zfill(12), text.casefold())


def _cells(row: CaseRow) -> tuple[tuple[str, str, str], ...]:
    """Text, key for sorting and tooltip of every column."""
    return (
        (row.name, natural(row.name), row.name),
        (
            row.class_name,
            natural(row.class_name),
            "" if row.class_name else _("Nobody has said its class yet."),
        ),
        (row.group, natural(row.group), "" if row.group else _("Nobody has said which patient this is.")),
        (segmentation_text(row), row.segmentation, segmentation_tip(row)),
        (use_text(row), f"{row.role} {row.split}", ""),
        (prediction_text(row), _surprise(row), prediction_tip(row)),
    )


def _surprise(row: CaseRow) -> str:
    """A key: wrong predictions first, the surest of them on top; then right ones, the least sure on top; then none."""
    if not row.predicted:
        return "2"
    return f"0 {1 - row.probability:.6f}" if is_wrong(row) else f"1 {row.probability:.6f}"


def _marks(row: CaseRow) -> str:
    """What the filter looks at: words that may be looked for, then a mark for every kind the case is of."""
    kinds = [ALL, OF_CLASS + row.class_name]
    kinds += [NO_CLASS] if not row.class_name else []
    kinds += [NO_SEGMENTATION] if row.segmentation == "none" else []
    kinds += [UNCHECKED] if row.segmentation == "predicted" else []
    kinds += [WRONG] if is_wrong(row) else []
    words = " | ".join((row.name, row.class_name, row.group)).lower()
    return words.replace(_END, " ") + _END + "".join(kind + _END for kind in kinds)


def _headers() -> list[str]:
    return [
        _("Name"),
        _("Class"),
        _("Patient"),
        _("Segmented"),
        _("Used for"),
        _("Prediction"),
    ]
