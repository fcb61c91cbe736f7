"""The button Classify, which is Cancel while something runs, with what is missing, the progress and the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.icons import show_icon


class RunSection:
    """Shows whether Classify can run, is running, and how it went wrong; what runs is somebody else's.

    Args:
        ui: the widgets of ClassifyTab.ui.
        start: called when the user clicks Classify.
        cancel: called when the user clicks Cancel.
        read_log: gives the text of the log.
    """

    def __init__(
        self,
        ui: SimpleNamespace,
        start: Callable[[], None],
        cancel: Callable[[], None],
        read_log: Callable[[], str],
    ) -> None:
        self._ui = ui
        self._start = start
        self._cancel = cancel
        self._read_log = read_log
        self._running = False
        self._cancelling = False
        self._started = 0.0
        self._clock = qt.QTimer()
        self._clock.interval = 500
        self._clock.connect("timeout()", self._show_elapsed)
        self._log_delay = qt.QTimer()  # a chatty worker must not have the whole log set again for every line
        self._log_delay.setSingleShot(True)
        self._log_delay.interval = 200
        self._log_delay.connect("timeout()", self._show_log)
        show_icon(ui.errorIcon, qt.QStyle.SP_MessageBoxCritical)
        ui.classifyButton.connect("clicked()", self._on_click)
        ui.logSection.connect("contentsCollapsed(bool)", self._show_log)
        self.ended()

    @property
    def running(self) -> bool:
        """Whether the button is Cancel."""
        return self._running

    def show_needs(self, needs: Sequence[str]) -> None:
        """What has to be done before Classify can run; with nothing the button is enabled."""
        if self._running:
            return
        button = self._ui.classifyButton
        button.enabled = not needs
        button.toolTip = "\n".join(needs) or _("Segment these images, and say how probable each class is.")
        self._ui.needsLabel.text = "\n".join(needs)
        self._ui.needsLabel.visible = bool(needs)

    def started(self) -> None:
        """Something runs now."""
        self._running, self._cancelling = True, False
        self._started = time.monotonic()
        self.show_error("")
        self._ui.needsLabel.visible = False
        self._ui.progressFrame.visible = True
        self._ui.classifyButton.enabled = True
        self._ui.classifyButton.text = _("Cancel")
        self._ui.classifyButton.accessibleName = _("Cancel")
        self._ui.classifyButton.toolTip = _("Stop. The scene stays as it was.")
        self.show_phase(_("Starting…"), None)
        self._show_elapsed()
        self._clock.start()

    def show_phase(self, text: str, fraction: float | None) -> None:
        """What happens now.

        Args:
            text: in words.
            fraction: of the whole, 0 to 1; ``None`` where it is not known, and the bar runs to and fro.
        """
        if not self._running or self._cancelling:
            return
        bar = self._ui.progressBar
        bar.maximum = 0 if fraction is None else 1000
        if fraction is not None:
            bar.value = round(1000 * min(max(fraction, 0.0), 1.0))
        self._ui.phaseLabel.text = text

    def ended(self) -> None:
        """Nothing runs any more."""
        self._running = self._cancelling = False
        self._clock.stop()
        self._ui.progressFrame.visible = False
        self._ui.classifyButton.text = _("Classify")
        self._ui.classifyButton.accessibleName = _("Classify")

    def show_error(self, sentence: str) -> None:
        """Say what went wrong and what to do; an empty sentence takes it away."""
        self._ui.errorLabel.text = sentence
        self._ui.errorFrame.visible = bool(sentence)

    def log_changed(self) -> None:
        """The log has grown."""
        if not self._log_delay.active:
            self._log_delay.start()

    def close(self) -> None:
        """Stop the clocks."""
        self._clock.stop()
        self._log_delay.stop()

    def _on_click(self) -> None:
        if not self._running:
            self._start()
        elif not self._cancelling:
            self._cancelling = True
            self._ui.classifyButton.enabled = False
            self._ui.phaseLabel.text = _("Cancelling…")
            self._ui.progressBar.maximum = 0
            self._cancel()

    def _show_elapsed(self) -> None:
        self._ui.elapsedLabel.text = clock_text(time.monotonic() - self._started)

    def _show_log(self, *_collapsed: object) -> None:
        if self._ui.logSection.collapsed:
            return
        self._ui.logText.setPlainText(self._read_log())
        bar = self._ui.logText.verticalScrollBar()
        bar.setValue(bar.maximum)


def clock_text(seconds: float) -> str:
    """75 → "1:15"."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
