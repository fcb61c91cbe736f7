"""A button that is Cancel while its job runs, with a bar, what happens now, and the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.run_section import clock_text
from SegClassifyPanel.training_job import TrainingListener

if TYPE_CHECKING:
    from SegClassifyLib.worker.params import Params
    from SegClassifyPanel.training_job import TrainingJob
    from SegClassifyPanel.training_logic import TrainingLogic

A = TypeVar("A")


class JobRow:
    """Starts jobs of one kind, one at a time.

    Args:
        ui: holds the button, and ``<prefix>Progress`` with ``<prefix>Bar``, ``<prefix>Phase``, ``<prefix>Elapsed``.
        button: its name.
        prefix: of the other names.
        training: runs the job.
        clicked: called when the user clicks the button while nothing runs.
        changed: called after the job began or ended.
        failed: gets the sentence of a job that went wrong.
    """

    def __init__(
        self,
        ui: SimpleNamespace,
        button: str,
        prefix: str,
        training: TrainingLogic,
        clicked: Callable[[], None],
        changed: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        self._button = getattr(ui, button)
        self._frame = getattr(ui, prefix + "Progress")
        self._bar = getattr(ui, prefix + "Bar")
        self._phase = getattr(ui, prefix + "Phase")
        self._elapsed = getattr(ui, prefix + "Elapsed")
        self._text, self._tip = self._button.text, self._button.toolTip
        self._training, self._clicked, self._changed, self._say = training, clicked, changed, failed
        self._job: TrainingJob | None = None
        self._number = 0
        self._cancelling = False
        self._started = 0.0
        self._clock = qt.QTimer()
        self._clock.interval = 500
        self._clock.connect("timeout()", self._show_time)
        self._button.connect("clicked()", self._on_click)
        self._frame.visible = False

    @property
    def running(self) -> bool:
        """Whether a job runs."""
        return self._job is not None

    def show_need(self, need: str) -> None:
        """What has to be done before the button can be clicked; empty for nothing."""
        if not self.running:
            self._button.enabled = not need
            self._button.toolTip = need or self._tip

    def start(self, params: Params[A], done: Callable[[A], None]) -> None:
        """Begin; ``done`` gets the answer if there is one."""
        self._number += 1
        self._cancelling = False
        self._started = time.monotonic()
        self._frame.visible = True
        self._button.enabled = True
        self._set_words(_("Cancel"), _("Stop. What was there before stays."))
        self._show_phase(_("Waiting for the worker"), None)
        self._show_time()
        self._clock.start()
        self._say("")
        guarded = self._guarded
        self._job = self._training.start(
            params,
            TrainingListener(
                guarded(lambda answer: self._end(done, answer)),
                guarded(lambda sentence: self._end(self._say, sentence)),
                guarded(lambda: self._end()),
                guarded(self._show_phase),
            ),
        )
        self._changed()

    def cancel(self) -> None:
        """Stop what runs."""
        if self._job is not None and not self._cancelling:
            self._cancelling = True
            self._button.enabled = False
            self._phase.text = _("Cancelling…")
            self._bar.maximum = 0
            self._job.cancel()

    def close(self) -> None:
        """Answers that come later are for nobody."""
        self._number += 1
        self._clock.stop()
        self._job = None

    def _guarded(self, call: Callable[..., None]) -> Callable[..., None]:
        number = self._number
        return lambda *values: call(*values) if number == self._number else None

    def _end(self, then: Callable[..., None] | None = None, *values: Any) -> None:
        self._job = None
        self._clock.stop()
        self._frame.visible = False
        self._button.enabled = True
        self._set_words(self._text, self._tip)
        if then is not None:
            then(*values)
        self._changed()

    def _set_words(self, text: str, tip: str) -> None:
        self._button.text = text
        self._button.accessibleName = text
        self._button.toolTip = tip

    def _on_click(self) -> None:
        if self.running:
            self.cancel()
        else:
            self._clicked()

    def _show_phase(self, text: str, fraction: float | None) -> None:
        if not self._cancelling:
            show_progress(self._bar, fraction)
            self._phase.text = text

    def _show_time(self) -> None:
        self._elapsed.text = clock_text(time.monotonic() - self._started)


def show_progress(bar: qt.QProgressBar, fraction: float | None) -> None:
    """0 to 1; ``None``: not known, and the bar runs to and fro."""
    bar.maximum = 0 if fraction is None else 1000
    if fraction is not None:
        bar.value = round(1000 * min(max(fraction, 0.0), 1.0))
