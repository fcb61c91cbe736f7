"""Reading and writing Qt properties with the types that Slicer declares."""

import enum
from typing import Any

from PySide6.QtCore import QObject

from standin.api import ClassApi
from standin.binding.convert import from_qt, to_qt
from standin.binding.enums import EnumValue
from standin.errors import NotInStandin

PLAIN: dict[str, tuple[type, ...]] = {
    "QString": (str,),
    "bool": (bool, int),
    "int": (int,),
    "double": (int, float),
    "QStringList": (list, tuple),
}


def read(target: QObject, name: str, api: ClassApi) -> Any:
    """Value of a property, as the module sees it."""
    own = getattr(target, f"read_{name}", None)
    if own is not None:
        return from_qt(own())
    index = target.metaObject().indexOfProperty(name)
    if index < 0:
        raise NotInStandin(f"The stand-in's {api.name} lacks the property '{name}'.")
    if target.metaObject().property(index).isEnumType():
        getter = getattr(target, name, None)
        return from_qt(getter() if callable(getter) else getter)
    value = target.property(name)
    if isinstance(value, list | tuple) and api.properties[name].startswith("QStringList"):
        return tuple(value)
    return from_qt(value)


def write(target: QObject, name: str, value: Any, api: ClassApi) -> None:
    """Set a property.

    Raises:
        AttributeError: if it is read-only or the value is of the wrong type.
    """
    declared = api.properties[name]
    shown = api.name.partition(".")[2]
    if declared.endswith("!"):
        raise AttributeError(f"Property '{name}' of {shown} object is not writable")
    plain = PLAIN.get(declared)
    wanted = (
        isinstance(value, plain) if plain else not isinstance(value, str | float) or declared == "QVariant"
    )
    if declared != "bool" and isinstance(value, bool) and plain:
        wanted = False
    if not wanted:
        raise AttributeError(
            f"Property '{name}' of type '{declared}' does not accept an object of type {type(value).__name__}"
        )
    index = target.metaObject().indexOfProperty(name)
    if index < 0:
        raise NotInStandin(f"The stand-in's {api.name} lacks the property '{name}'.")
    is_enum = target.metaObject().property(index).isEnumType()
    if is_enum and not isinstance(value, EnumValue | enum.Enum):
        raise AttributeError(f"Property '{name}' of {shown} takes a value of {declared}, not {value!r}")
    # Of no enum, or of one of VTK's, which Qt does not know.
    number = isinstance(value, int) and not isinstance(value, bool) and not is_enum
    given = int(value) if number else to_qt(value)
    setter = getattr(target, f"set{name[0].upper()}{name[1:]}", None)
    if setter is not None and (is_enum or not plain):
        setter(given)
    elif not target.setProperty(name, given):
        raise AttributeError(f"Property '{name}' of {shown} does not take {value!r}")
