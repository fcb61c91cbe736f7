"""Simpler ways beside the classifier: shape alone, by itself; from scratch, when asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from SegClassifyPanel.job_row import JobRow
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.score_table import ScoreTable
from SegClassifyPanel.texts import show_text
from SegClassifyPanel.training_state import TrainingState

make_importable()

from SegClassifyLib.worker.comparison_messages import BaselineParams  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyLib.worker.classifier_messages import ClassifierTrained
    from SegClassifyLib.worker.comparison_messages import BaselineResult
    from SegClassifyPanel.train_host import TrainHost


class Baselines:
    """The table of scores: the classifier's own column, and one for each simpler way.

    Args:
        ui: the widgets of TrainingResult.ui.
        logic: does the work.
        host: the page.
        state: what the sections share.
    """

    def __init__(self, ui: SimpleNamespace, logic: Any, host: TrainHost, state: TrainingState) -> None:
        self._ui = ui
        self._training = logic.training
        self._host = host
        self._state = state
        self._found: dict[str, BaselineResult] = {}
        self._problem = ""
        self._table = ScoreTable(ui.scoreTable)
        self.rows = {
            "shape": self._row("shapeButton", "shape"),
            "scratch": self._row("scratchButton", "scratch"),
        }

    def _row(self, button: str, kind: str) -> JobRow:
        return JobRow(self._ui, button, kind, self._training, lambda: self.ask(kind), self.update, self._fail)

    def show(self, result: ClassifierTrained | None) -> None:
        """Another classifier, or none, is shown."""
        self.cancel()
        self._found, self._problem = {}, ""
        self._fill()
        self.update()

    def ask(self, kind: str) -> None:
        """Find out how good a simpler way is: "shape" takes seconds, "scratch" minutes."""
        result = self._state.classifier
        if result is not None and self._state.info is not None and not self.rows[kind].running:
            self.rows[kind].start(self._params(result, kind), lambda found: self._take(result, found))

    def update(self) -> None:
        """Enable what can be used now."""
        training = self._training.segmenter_running
        busy = _("A network is being trained now: wait for it, or pause it first.") if training else ""
        self.rows["shape"].show_need("")
        self.rows["scratch"].show_need(busy)
        self._ui.shapeButton.visible = "shape" not in self._found
        self._ui.scratchButton.visible = "scratch" not in self._found

    def cancel(self) -> None:
        """Stop what runs."""
        for row in self.rows.values():
            row.cancel()

    def close(self) -> None:
        """Nothing is shown any more."""
        for row in self.rows.values():
            row.close()

    def _params(self, result: ClassifierTrained, kind: str) -> BaselineParams:
        assert self._state.info is not None
        return BaselineParams(self._state.info.folder, result.run, kind, self._host.device)

    def _take(self, result: ClassifierTrained, found: BaselineResult) -> None:
        if result is self._state.classifier:
            self._found[found.kind] = found
            self._fill()
            self.update()

    def _fail(self, sentence: str) -> None:
        self._problem = sentence
        self._fill()

    def _fill(self) -> None:
        result = self._state.classifier
        if result is None:
            return
        others = [self._found[kind] for kind in ("shape", "scratch") if kind in self._found]
        columns = [(_("Classifier"), (*result.scores, *result.auc))]
        columns += [(_title(other), other.scores) for other in others]
        self._table.show_scores(columns)
        sentences = [other.sentence for other in others]
        show_text(self._ui.baselineLabel, "\n".join([*sentences, self._problem]).strip())


def _title(found: BaselineResult) -> str:
    return {"shape": _("Shape only"), "scratch": _("From scratch")}.get(found.kind, found.name)
