"""Properties of the stand-in's widgets that are only remembered, or remembered and then acted on."""

import enum
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Property


def stored(name: str, kind: Any, default: Any, changed: Callable[[Any], None] | None = None) -> Any:
    """A Qt property.

    Args:
        name: where the value is kept is `_` and this.
        kind: the Qt type: int, bool, str, float or a type name.
        default: value at first; None for an empty list.
        changed: called with the widget after the value has changed.
    """
    attribute = f"_{name}"

    def read(self: Any) -> Any:
        return getattr(self, attribute, [] if default is None else default)

    def write(self: Any, value: Any) -> None:
        if isinstance(value, enum.Enum):
            value = value.value
        if read(self) != value:
            setattr(self, attribute, value)
            if changed is not None:
                changed(self)

    return Property(kind, read, write)
