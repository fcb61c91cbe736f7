"""Python subclasses of Qt classes: Qt calls their paintEvent, sizeHint, eventFilter …"""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal

from standin.errors import report_exception

VIRTUAL = frozenset(
    {
        "event",
        "eventFilter",
        "sizeHint",
        "minimumSizeHint",
        "heightForWidth",
        "hasHeightForWidth",
        "accept",
        "reject",
    }
    | {"done", "rowCount", "columnCount", "data", "headerData", "flags", "setData"}
    | {"filterAcceptsRow", "filterAcceptsColumn", "lessThan"}
)
# Of these PythonQt takes whatever they return as true or false, None too.
YES_OR_NO = frozenset(
    {"event", "eventFilter", "filterAcceptsRow", "filterAcceptsColumn", "lessThan", "setData"}
)


class DeclaredSignal:
    """`qt.Signal(str)` in the body of a Python subclass."""

    def __init__(self, *types: Any) -> None:
        self.types = types
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, wrapper: Any, owner: type) -> Any:
        if wrapper is None:
            return self
        from standin.binding.signals import BoundSignal  # signals.py must not wait for this module

        names = ",".join(getattr(kind, "__name__", str(kind)) for kind in self.types)
        return BoundSignal(wrapper.__dict__["_standin_qt"], f"{self.name}({names})")


def is_virtual(name: str) -> bool:
    """Whether Qt calls a method of this name by itself."""
    return name.endswith("Event") or name in VIRTUAL


def make_pyside_subclass(
    name: str, kind: Any, namespace: dict[str, Any], declared: dict[str, DeclaredSignal]
) -> type:
    """The PySide6 class behind a Python subclass.

    Args:
        name: of the Python class.
        kind: the Python class, a wrapper class.
        namespace: its body.
        declared: signals of the body.
    """
    base = next(entry for entry in kind.__mro__[1:] if "_standin_pyside" in vars(entry))._standin_pyside
    body: dict[str, Any] = {"STANDIN_NATIVE": getattr(base, "STANDIN_NATIVE", base)}
    for method in namespace:
        if is_virtual(method) and callable(namespace[method]) and hasattr(base, method):
            body[method] = _forward(method, getattr(base, method))
    for signal, declaration in declared.items():
        plain = [entry if entry in (int, str, float, bool) else object for entry in declaration.types]
        body[signal] = Signal(*plain)
    return type(name, (base,), body)


def _forward(name: str, inherited: Callable) -> Callable:
    def virtual(target: Any, *args: Any) -> Any:
        from standin.binding.convert import from_qt, to_qt  # convert.py must not wait for this module

        known = getattr(target, "_standin_wrapper", None)
        wrapper = known() if known is not None else None
        if wrapper is None:  # Qt calls within its constructor, or Python has let go of the object
            return inherited(target, *args)
        try:
            answer = to_qt(getattr(wrapper, name)(*[from_qt(value) for value in args]))
            return bool(answer) if name in YES_OR_NO else answer
        except Exception:
            report_exception()
            return inherited(target, *args)

    virtual.__name__ = name
    return virtual
