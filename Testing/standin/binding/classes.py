"""The table of wrapper classes: one for every Qt, CTK and qMRML class that is known, made on first use."""

from functools import cache
from typing import Any

from PySide6 import QtCore, QtGui, QtNetwork, QtUiTools, QtWidgets

from standin.api import class_api
from standin.binding.wrapper import Wrapper, WrapperType
from standin.errors import NotInStandin

# PySide6 classes that the stand-in brings, by full name: `ctk.ctkSliderWidget`
OWN: dict[str, type] = {}


def own_class(full_name: str) -> Any:
    """Class decorator: this PySide6 class stands in for `ctk.…` or `slicer.…`."""

    def register(pyside_class: type) -> type:
        pyside_class.STANDIN_NAME = full_name  # type: ignore[attr-defined]
        OWN[full_name] = pyside_class
        return pyside_class

    return register


def pyside_class(full_name: str) -> type | None:
    """The PySide6 class for a full name."""
    if full_name in OWN:
        return OWN[full_name]
    name = full_name.removeprefix("qt.")
    for module in (QtCore, QtGui, QtWidgets, QtNetwork, QtUiTools):
        if hasattr(module, name):
            return getattr(module, name)
    return None


@cache
def wrapper_class(full_name: str) -> WrapperType:
    """The wrapper class of a full name.

    Raises:
        AttributeError: if Slicer is not known to have it.
        NotInStandin: if Slicer has it and the stand-in has not.
    """
    module, _, name = full_name.partition(".")
    api = class_api(full_name)
    if api is None:
        raise AttributeError(
            f"module '{module}' has no attribute '{name}', or it is not among the names known to exist in Slicer "
            "(Testing/standin/api.json, extra_api.txt)"
        )
    native = pyside_class(full_name)
    if native is None:
        raise NotInStandin(f"{full_name} exists in Slicer, but the stand-in does not have it.")
    base: type = Wrapper
    for ancestor in native.__mro__[1:]:
        ancestor_name = getattr(ancestor, "STANDIN_NAME", f"qt.{ancestor.__name__}")
        if ancestor is not object and class_api(ancestor_name) and pyside_class(ancestor_name) is ancestor:
            base = wrapper_class(ancestor_name)
            break
    body = {"_standin_api": api, "_standin_pyside": native, "_standin_native": native, "__module__": module}
    return WrapperType(name, (base,), body)


@cache
def nearest_class(pyside_type: Any) -> WrapperType:
    """The wrapper class for objects of a PySide6 type: its own, or that of the nearest known base."""
    for ancestor in pyside_type.__mro__:
        name = getattr(ancestor, "STANDIN_NAME", f"qt.{ancestor.__name__}")
        if class_api(name) is not None and pyside_class(name) is not None:
            return wrapper_class(name)
    raise NotInStandin(f"The stand-in has no wrapper for {pyside_type.__name__}: add it to extra_api.txt.")
