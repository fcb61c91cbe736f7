"""How good the classifier was with fewer cases, and may be with more, in a plot view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.plot_view import COLOURS, Line, PlotView
from SegClassifyPanel.scene_watch import SceneWatch

if TYPE_CHECKING:
    from SegClassifyLib.worker.classifier_messages import ClassifierTrained, CurvePoint


class LearningPlot:
    """Shows it while a box is ticked.

    Args:
        box: the box.
    """

    def __init__(self, box: qt.QCheckBox) -> None:
        self._box = box
        self._plot = PlotView(
            _("Learning curve"), _("Cases that train"), _("Balanced accuracy, %"), legend=False
        )
        self._watch = SceneWatch(self._plot.restore, lambda: None, lambda: None)
        self._there = False
        box.connect("toggled(bool)", self._apply)

    def show(self, result: ClassifierTrained | None) -> None:
        """Show that of this classifier."""
        curve = result.curve if result is not None else ()
        self._there = bool(curve)
        self._box.visible = self._there
        if result is not None and curve:
            title = _("{name}: measured, and with more cases").format(name=result.name)
            self._plot.set_lines(lines_of(curve, result.outlook_curve), title)
        self._apply()

    def close(self) -> None:
        """Away with it."""
        self._watch.close()
        self._plot.hide()

    def _apply(self, *_checked: object) -> None:
        if not (self._there and self._box.checked):
            self._plot.hide()
        elif not self._plot.shown:
            self._plot.show()


def lines_of(curve: tuple[CurvePoint, ...], outlook: tuple[CurvePoint, ...]) -> tuple[Line, ...]:
    """What was measured and what may come, each with its band: low to the right, and high back to the left."""
    lines = []
    for points, name, colour, dashed in (
        (curve, _("measured"), COLOURS[0], False),
        ((curve[-1], *outlook) if outlook else (), _("with more cases, perhaps"), COLOURS[1], True),
    ):
        x = tuple(float(point.cases) for point in points)
        values = tuple(100 * point.value for point in points)
        low, high = (tuple(100 * p.low for p in points), tuple(100 * p.high for p in points))
        if points:
            lines.append(Line(name, x, values, colour, dashed, True))
            band = _("{name}, 95 % interval").format(name=name)
            lines.append(Line(band, x + x[::-1], low + high[::-1], colour, True))
    return tuple(lines)
