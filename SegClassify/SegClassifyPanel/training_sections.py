"""The training half of the page Train: which sections there are, in the order in which they are made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import qt


def make_sections(
    resources: Path,
    layouts: dict[str, qt.QVBoxLayout],
    logic: Any,
    host: Any,
) -> list[Any]:
    """Make them; each has ``set_changed(info)`` and ``close()``.

    Args:
        resources: the module's folder Resources.
        layouts: by name of the collapsible section: "segmenterSection", "classifierSection",
            "trainingResultSection", "nextSection".
        logic: does the work.
        host: the page.
    """
    return []
