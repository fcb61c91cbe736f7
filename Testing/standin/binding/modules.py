"""The modules `qt` and `ctk`: wrapper classes by name, and an error for every other name."""

import types
from typing import Any

from standin.binding import dialogs, specials  # noqa: F401  they register what they do
from standin.binding.classes import wrapper_class
from standin.binding.subclass import DeclaredSignal


class ClassModule(types.ModuleType):
    """A module whose attributes are wrapper classes."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return wrapper_class(f"{self.__name__}.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("__"):
            raise AttributeError(f"'{name}' cannot be set on {self.__name__}")
        super().__setattr__(name, value)


def qt_module() -> types.ModuleType:
    """The module `qt`."""
    module = ClassModule("qt", "Qt as PythonQt shows it")
    types.ModuleType.__setattr__(module, "Signal", DeclaredSignal)
    return module


def ctk_module() -> types.ModuleType:
    """The module `ctk`."""
    return ClassModule("ctk", "CTK as PythonQt shows it")
