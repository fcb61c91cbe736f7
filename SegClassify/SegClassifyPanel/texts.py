"""Labels that are there only while they have something to say."""

from __future__ import annotations

from collections.abc import Sequence

import qt
from slicer.i18n import tr as _


def show_text(label: qt.QLabel, text: str) -> None:
    """Show a text; an empty one takes the label away."""
    label.text = text
    label.visible = bool(text)


def bullets(sentences: Sequence[str]) -> str:
    """A line for each."""
    return "\n".join(f"•  {sentence}" for sentence in sentences)


def cases_words(count: int) -> str:
    """ "no case", "1 case", "12 cases"."""
    if count == 0:
        return _("no case")
    return _("1 case") if count == 1 else _("{count} cases").format(count=count)
