"""Values on their way between the module (wrappers, ints, tuples) and PySide6 (objects, enums, lists)."""

import enum
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QByteArray, QModelIndex, QObject
from PySide6.QtGui import QPainter

from standin.binding.enums import EnumValue, from_member

# Set by wrapper.py: gives the wrapper of a PySide6 object. Here it would be a circle of imports.
wrap_object: list[Callable[[Any], Any]] = []


def to_qt(value: Any, plain_enums: bool = False) -> Any:
    """What PySide6 is given for a value of the module.

    Args:
        value: a wrapper, an `EnumValue`, a number, a string, a sequence or a dict.
        plain_enums: give enum values as ints, for Qt functions that are declared with int.

    Raises:
        ValueError: for NumPy's own numbers, which PythonQt does not take.
    """
    if isinstance(value, np.generic):
        raise ValueError(f"PythonQt does not take {type(value).__name__}: give int(…) or float(…).")
    inner = getattr(type(value), "_standin_unwrap", None)
    if inner is not None:
        return inner(value)
    if isinstance(value, EnumValue):
        return int(value) if plain_enums else value.member
    if isinstance(value, list | tuple):
        return [to_qt(entry, plain_enums) for entry in value]
    if isinstance(value, dict):
        return {key: to_qt(entry, plain_enums) for key, entry in value.items()}
    return value


def from_qt(value: Any) -> Any:
    """What the module sees for a value of PySide6: wrappers, ints for enums, tuples for sequences."""
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, enum.Enum):
        return from_member(value)
    if isinstance(value, list | tuple):
        return tuple(from_qt(entry) for entry in value)
    if isinstance(value, dict):
        return {key: from_qt(entry) for key, entry in value.items()}
    if isinstance(value, QByteArray | QModelIndex | QObject | QPainter) or _is_pyside(type(value)):
        return wrap_object[0](value)
    return value


def _is_pyside(kind: type) -> bool:
    """Whether objects of the type are Qt's."""
    return any(base.__module__.startswith("PySide6.") for base in kind.__mro__)
