"""A bar with what happens now and a button Cancel, there only while something runs."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from slicer.i18n import tr as _

from SegClassifyPanel.job_row import show_progress


class JobLine:
    """Shows one thing at a time.

    Args:
        ui: holds ``<prefix>ProgressFrame`` with ``<prefix>ProgressBar``, ``<prefix>PhaseLabel`` and
            ``<prefix>CancelButton``.
        prefix: of these names.
    """

    def __init__(self, ui: SimpleNamespace, prefix: str) -> None:
        self._frame = getattr(ui, prefix + "ProgressFrame")
        self._bar = getattr(ui, prefix + "ProgressBar")
        self._phase = getattr(ui, prefix + "PhaseLabel")
        self._button = getattr(ui, prefix + "CancelButton")
        self._cancel: Callable[[], None] | None = None
        self._button.connect("clicked()", self.cancel)
        self._frame.visible = False

    @property
    def running(self) -> bool:
        """Whether it is shown."""
        return self._cancel is not None

    def start(self, text: str, cancel: Callable[[], None]) -> None:
        """Something runs now; ``cancel`` is called when the user has enough of it."""
        self._cancel = cancel
        self._button.enabled = True
        self._frame.visible = True
        self.show(text, None)

    def show(self, text: str, fraction: float | None) -> None:
        """What happens now, and how far it is, 0 to 1 (``None``: not known)."""
        if self.running and self._button.enabled:
            show_progress(self._bar, fraction)
            self._phase.text = text

    def cancel(self) -> None:
        """Stop; the end comes later."""
        if self._cancel is not None and self._button.enabled:
            self._button.enabled = False
            self._phase.text = _("Cancelling…")
            self._bar.maximum = 0
            self._cancel()

    def end(self) -> None:
        """Nothing runs any more."""
        self._cancel = None
        self._frame.visible = False
