"""Qt's enums as PythonQt shows them: integers, named on their class (`qt.QFrame.Box`), never scoped twice."""

import enum
from functools import cache
from typing import Any


class EnumValue(int):
    """A value of a Qt enum: an int that remembers its PySide6 enum class, so that Qt takes it back."""

    enum_class: type[enum.Enum]

    def __new__(cls, enum_class: type[enum.Enum], value: int) -> "EnumValue":
        """Args: enum_class: the PySide6 enum; value: one of its values, or several joined."""
        instance = super().__new__(cls, value)
        instance.enum_class = enum_class
        return instance

    @property
    def member(self) -> enum.Enum:
        """The PySide6 enum member."""
        return self.enum_class(int(self))

    def __or__(self, other: int) -> "EnumValue":
        return EnumValue(self.enum_class, int(self) | int(other))

    def __and__(self, other: int) -> "EnumValue":
        return EnumValue(self.enum_class, int(self) & int(other))

    def __xor__(self, other: int) -> "EnumValue":
        return EnumValue(self.enum_class, int(self) ^ int(other))

    def __invert__(self) -> "EnumValue":
        mask = 0
        for member in self.enum_class:
            mask |= int(member.value)
        return EnumValue(self.enum_class, mask & ~int(self))

    __ror__, __rand__, __rxor__ = __or__, __and__, __xor__


class EnumType:
    """An enum of a class (`qt.QMessageBox.StandardButton`): called with an int it gives the value."""

    def __init__(self, enum_class: type[enum.Enum]) -> None:
        self._enum_class = enum_class

    def __call__(self, value: int = 0) -> EnumValue:
        return EnumValue(self._enum_class, int(value))


def from_member(member: enum.Enum) -> EnumValue:
    """The PythonQt value of a PySide6 enum member."""
    return EnumValue(type(member), int(member.value))


@cache
def enum_names(pyside_class: type) -> dict[str, Any]:
    """Names of enums and of their values on a PySide6 class and its bases: `EnumType` or `EnumValue` by name."""
    names: dict[str, Any] = {}
    for base in reversed(pyside_class.__mro__):
        for name, attribute in vars(base).items():
            if isinstance(attribute, type) and issubclass(attribute, enum.Enum):
                names[name] = EnumType(attribute)
                for value_name, member in attribute.__members__.items():
                    names[value_name] = from_member(member)
    return names
