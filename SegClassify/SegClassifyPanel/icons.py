"""The style's own icons beside a text."""

from __future__ import annotations

import qt


def show_icon(label: qt.QLabel, which: int) -> None:
    """Put a standard icon of the current style into a label, as large as buttons have it.

    Args:
        label: empty.
        which: such as ``qt.QStyle.SP_MessageBoxWarning``.
    """
    style = label.style()
    size = style.pixelMetric(qt.QStyle.PM_SmallIconSize)
    label.setPixmap(style.standardIcon(which).pixmap(size, size))
