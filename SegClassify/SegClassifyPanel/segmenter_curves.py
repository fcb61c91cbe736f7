"""Loss and Dice of every label after every epoch, in a plot view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.plot_view import COLOURS, GREY, Line, PlotView
from SegClassifyPanel.scene_watch import SceneWatch
from SegClassifyPanel.training_words import part_words

if TYPE_CHECKING:
    from SegClassifyLib.worker.segmenter_messages import EpochInfo


class SegmenterCurves:
    """Shows them while a box is ticked.

    Args:
        box: the box.
    """

    def __init__(self, box: qt.QCheckBox) -> None:
        self._box = box
        self._wanted = True
        self._plot = PlotView(_("Training"), _("Epoch"), _("Dice, loss"))
        self._watch = SceneWatch(self._plot.restore, lambda: None, lambda: None)
        self._epochs: tuple[EpochInfo, ...] = ()
        self._name = ""
        self._running = False
        box.connect("toggled(bool)", self._on_toggled)

    def begin(self) -> None:
        """A training was started by a click: the layout changes now rather than in the middle of something else."""
        self._running = True
        if self._wanted:
            self._box.checked = True
        self._draw(())

    def show(self, epochs: Sequence[EpochInfo], name: str, running: bool) -> None:
        """Draw these: of a training with several parts the part that is trained now.

        Args:
            epochs: of a training.
            name: of the set.
            running: whether more are to come.
        """
        if (tuple(epochs), name, running) == (self._epochs, self._name, self._running):
            return
        self._name, self._running = name, running
        self._draw(epochs)

    def _draw(self, epochs: Sequence[EpochInfo]) -> None:
        self._epochs = tuple(epochs)
        self._box.visible = self._there
        part = self._epochs[-1].part if self._epochs else ""
        title = part_words(part) if part else _("Training of the network: {name}").format(name=self._name)
        self._plot.set_lines(lines_of([e for e in self._epochs if e.part == part]), title)
        self._apply()

    def close(self) -> None:
        """Away with them."""
        self._watch.close()
        self._plot.hide()

    @property
    def _there(self) -> bool:
        return bool(self._epochs) or self._running

    def _apply(self) -> None:
        if not (self._box.checked and self._there):
            self._plot.hide()
        elif not self._plot.shown:
            self._plot.show()

    def _on_toggled(self, checked: bool) -> None:
        self._wanted = bool(checked)
        self._apply()


def lines_of(epochs: Sequence[EpochInfo]) -> tuple[Line, ...]:
    """A line for the loss and one for each label's Dice."""
    names = list(dict.fromkeys(name for epoch in epochs for name in epoch.dice))
    lines = [
        Line(
            _("loss"), tuple(float(e.epoch) for e in epochs), tuple(e.loss for e in epochs), GREY, dashed=True
        )
    ]
    for index, name in enumerate(names):
        having = [e for e in epochs if name in e.dice]
        lines.append(
            Line(
                _("Dice {label}").format(label=name),
                tuple(float(e.epoch) for e in having),
                tuple(e.dice[name] for e in having),
                COLOURS[index % len(COLOURS)],
            )
        )
    return tuple(lines) if epochs else ()
