"""A bar for every class, the most probable first, from plain labels and progress bars so that every style fits."""

from __future__ import annotations

from collections.abc import Sequence

import qt
from slicer.i18n import tr as _

FEW = 8
"""So many classes are shown; of more than :data:`MANY` the rest appears on demand."""
MANY = 10


class ClassBars:
    """Fills a grid with rows of name, bar and per cent.

    Args:
        frame: the widget that holds the grid.
        grid: its layout.
        button: shows and hides the classes beyond the first few.
    """

    def __init__(self, frame: qt.QWidget, grid: qt.QGridLayout, button: qt.QToolButton) -> None:
        self._frame = frame
        self._grid = grid
        self._button = button
        self._rows: list[tuple[qt.QLabel, qt.QProgressBar, qt.QLabel]] = []
        self._used = 0
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 4)
        button.connect("toggled(bool)", self._show_rows)

    def show(self, classes: Sequence[str], probabilities: Sequence[float]) -> None:
        """Show these classes.

        Args:
            classes: names.
            probabilities: ``(K,)``, in the order of ``classes``.
        """
        pairs = sorted(zip(classes, probabilities, strict=True), key=lambda pair: -pair[1])
        while len(self._rows) < len(pairs):
            self._add_row()
        for (name, bar, share), (label, probability) in zip(self._rows, pairs, strict=False):
            name.text = label
            name.toolTip = label
            bar.value = round(1000 * probability)
            bar.accessibleName = _("{label}: {share}").format(label=label, share=percent(probability))
            share.text = percent(probability)
        self._used = len(pairs)
        self._button.visible = self._used > MANY
        self._button.text = _("All {count} classes").format(count=self._used)
        self._show_rows()

    def _add_row(self) -> None:
        name, bar, share = qt.QLabel(), qt.QProgressBar(), qt.QLabel()
        name.wordWrap = True
        name.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)
        bar.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed)  # their own least width is large
        bar.maximum = 1000
        bar.textVisible = False
        share.alignment = qt.Qt.AlignRight | qt.Qt.AlignVCenter
        row = len(self._rows)
        for column, widget in enumerate((name, bar, share)):
            self._grid.addWidget(widget, row, column)
        self._rows.append((name, bar, share))

    def _show_rows(self, *_checked: object) -> None:
        everything = self._used <= MANY or self._button.checked
        self._button.arrowType = qt.Qt.DownArrow if everything else qt.Qt.RightArrow
        shown = self._used if everything else FEW
        for index, row in enumerate(self._rows):
            for widget in row:
                widget.visible = index < shown


def percent(probability: float) -> str:
    """0.821 → "82 %"; never 0 % or 100 % for what is neither."""
    number = round(100 * probability)
    if number == 0 and probability > 0.0:
        return _("< 1 %")
    if number == 100 and probability < 1.0:
        return _("> 99 %")
    return _("{number} %").format(number=number)
