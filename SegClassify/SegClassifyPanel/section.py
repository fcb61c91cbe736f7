"""A part of a page: a form of its own, in a layout of the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import slicer

if TYPE_CHECKING:
    import qt


class Section:
    """Loads the form.

    Args:
        resources: the module's folder Resources.
        layout: where the section goes.
        form: file name in the folder UI.
    """

    def __init__(self, resources: Path, layout: qt.QVBoxLayout, form: str) -> None:
        self.widget = slicer.util.loadUI(str(resources / "UI" / form))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        layout.addWidget(self.widget)
