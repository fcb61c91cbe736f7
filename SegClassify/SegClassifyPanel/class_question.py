"""Asks, within the page, whether a class that was typed is a new one or a slip of the finger."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from types import SimpleNamespace

from slicer.i18n import tr as _


def known_class(text: str, classes: Sequence[str]) -> str | None:
    """The class of the set that a text means, upper and lower case alike; ``None`` for none."""
    wanted = text.strip().casefold()
    return next((name for name in classes if name.casefold() == wanted), None)


class ClassQuestion:
    """Shown below a field while it waits for an answer; nothing else is held up.

    Args:
        ui: holds ``<prefix>Frame`` with ``<prefix>Label`` and the buttons ``<prefix>Yes``, ``<prefix>Instead``,
            ``<prefix>No``.
        prefix: of these names.
    """

    def __init__(self, ui: SimpleNamespace, prefix: str) -> None:
        self._frame = getattr(ui, prefix + "Frame")
        self._label = getattr(ui, prefix + "Label")
        self._yes = getattr(ui, prefix + "Yes")
        self._instead = getattr(ui, prefix + "Instead")
        self._typed = self._known = ""
        self._answer: Callable[[str, bool], None] | None = None
        self._yes.connect("clicked()", self._on_yes)
        self._instead.connect("clicked()", self._on_instead)
        getattr(ui, prefix + "No").connect("clicked()", self.hide)
        self._frame.visible = False

    @property
    def shown(self) -> bool:
        """Whether it waits."""
        return self._answer is not None

    def ask(self, typed: str, classes: Sequence[str], answer: Callable[[str, bool], None]) -> None:
        """Ask about a text that is no class of the set.

        Args:
            typed: by the user.
            classes: of the set.
            answer: called with the class, and whether it is new; not at all if the user thinks better of it.
        """
        self._typed, self._answer = typed, answer
        folded = {name.casefold(): name for name in classes}
        near = difflib.get_close_matches(typed.casefold(), folded, 1, 0.7)
        self._known = folded[near[0]] if near else ""
        text = _("“{name}” is not a class of this training set yet.").format(name=typed)
        if self._known:
            text += " " + _("Did you mean “{name}”?").format(name=self._known)
        self._label.text = text
        self._yes.text = _("Add class “{name}”").format(name=_short(typed))
        self._yes.accessibleName = self._yes.toolTip = _("Add the class {name}").format(name=typed)
        self._instead.text = _("Use “{name}”").format(name=_short(self._known))
        self._instead.accessibleName = self._instead.toolTip = _("Use {name}").format(name=self._known)
        self._instead.visible = bool(self._known)
        self._frame.visible = True

    def hide(self) -> None:
        """Ask no longer."""
        self._answer = None
        self._frame.visible = False

    def _on_yes(self) -> None:
        self._reply(self._typed, True)

    def _on_instead(self) -> None:
        self._reply(self._known, False)

    def _reply(self, name: str, new: bool) -> None:
        answer = self._answer
        self.hide()
        if answer is not None:
            answer(name, new)


def _short(name: str) -> str:
    return name if len(name) <= 16 else name[:15] + "…"
