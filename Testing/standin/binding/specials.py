"""Methods that PythonQt adds or that Qt 6 has otherwise: connect, findChildren, className, QProcess.write …"""

import warnings
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, QUrl

from standin.binding.convert import from_qt, to_qt
from standin.binding.signals import Connections, normalized
from standin.binding.wrapper import SPECIALS, STATIC_SPECIALS, Slot, Wrapper, WrapperType, alive
from standin.errors import record, report_exception


def method(kind: str, name: str) -> Callable:
    """Decorator: the stand-in's own method of a wrapper class."""

    def register(function: Callable) -> Callable:
        SPECIALS[kind, name] = function
        return function

    return register


def static(kind: str, name: str) -> Callable:
    """Decorator: the stand-in's own static method of a wrapper class."""

    def register(function: Callable) -> Callable:
        STATIC_SPECIALS[kind, name] = function
        SPECIALS[kind, name] = lambda wrapper, *args: function(*args)
        return function

    return register


def known_signature(wrapper: Wrapper, signature: str) -> str:
    """The signature as the class lists it.

    Raises:
        ValueError: if the class has no such signal. PythonQt only answers False, which nobody sees.
    """
    wanted = normalized(signature)
    for listed in type(wrapper)._standin_api.signals:
        if normalized(listed) == wanted:
            return normalized(listed)
    raise ValueError(f"{type(wrapper).__name__} has no signal {signature}")


@method("Wrapper", "connect")
def connect(wrapper: Wrapper, signal: str, *rest: Any) -> bool:
    """`b.connect('clicked()', f)` or `b.connect('clicked()', receiver, 'slot()')`."""
    return Connections.of(alive(wrapper, "connect")).connect(
        known_signature(wrapper, signal), _receiver(rest)
    )


@method("Wrapper", "disconnect")
def disconnect(wrapper: Wrapper, signal: str, *rest: Any) -> bool:
    """The reverse of `connect`; whether there was such a connection."""
    receiver = _receiver(rest) if rest else None
    return Connections.of(alive(wrapper, "disconnect")).disconnect(known_signature(wrapper, signal), receiver)


def _receiver(rest: tuple) -> Callable:
    if len(rest) == 1 and callable(rest[0]):
        return rest[0]
    if len(rest) == 2 and isinstance(rest[0], Wrapper):
        return getattr(rest[0], rest[1].partition("(")[0])
    raise ValueError(f"Called connect with arguments that do not fit: {rest!r}")


@method("QObject", "className")
def class_name(wrapper: Wrapper) -> str:
    """Name of the C++ class."""
    return type(wrapper)._standin_api.name.partition(".")[2]


@method("QObject", "inherits")
def inherits(wrapper: Wrapper, name: str) -> bool:
    """Whether the object is of the C++ class of that name."""
    return any(kind.__name__ == name for kind in type(wrapper).__mro__)


@method("QObject", "property")
def get_property(wrapper: Wrapper, name: str) -> Any:
    """Value of a property, a dynamic one too."""
    return from_qt(alive(wrapper, "property").property(name))


@method("QObject", "setProperty")
def set_property(wrapper: Wrapper, name: str, value: Any) -> bool:
    """Set a property, a dynamic one too."""
    return alive(wrapper, "setProperty").setProperty(name, to_qt(value))


@method("QObject", "children")
def children(wrapper: Wrapper) -> tuple:
    """Direct children that are known classes."""
    return tuple(from_qt(child) for child in alive(wrapper, "children").children() if _is_shown(child))


def _is_shown(child: QObject) -> bool:
    """Whether a child is more than an inner part of one of the stand-in's widgets."""
    return not child.objectName().startswith("standin_")


@method("QObject", "findChildren")
def find_children(wrapper: Wrapper, kind: Any = None, name: str = "") -> tuple:
    """All children below the object, by class (or its name) and by object name."""
    found = alive(wrapper, "findChildren").findChildren(QObject)
    return tuple(from_qt(child) for child in found if _is_shown(child) and _matches(child, kind, name))


@method("QObject", "findChild")
def find_child(wrapper: Wrapper, kind: Any = None, name: str = "") -> Any:
    """The first child below the object, by class (or its name) and by object name; None if there is none."""
    found = find_children(wrapper, kind, name)
    return found[0] if found else None


def _matches(child: QObject, kind: Any, name: str) -> bool:
    if name and child.objectName() != name:
        return False
    if kind is None:
        return True
    if isinstance(kind, str):
        return any(base.__name__ == kind for base in type(child).__mro__)
    if isinstance(kind, WrapperType):
        return isinstance(child, kind._standin_native)
    raise ValueError(f"findChildren needs a Qt class or the name of one, not {kind!r}.")


@method("QObject", "delete")
def delete(wrapper: Wrapper) -> None:
    """Delete the C++ object now."""
    import shiboken6

    shiboken6.delete(alive(wrapper, "delete"))


def write(wrapper: Wrapper, content: Any) -> int:
    """Write bytes; of a str PythonQt writes nothing and answers -1."""
    if isinstance(content, str):
        return -1
    return alive(wrapper, "write").write(to_qt(content))


for device in ("QProcess", "QFile", "QLocalSocket"):
    SPECIALS[device, "write"] = write


@method("QByteArray", "data")
def data(wrapper: Wrapper) -> bytes:
    """The bytes."""
    return bytes(alive(wrapper, "data"))


@static("QTimer", "singleShot")
def single_shot(milliseconds: int, callback: Callable) -> None:
    """Call something once, later."""
    if not callable(callback):
        raise ValueError("Could not find matching overload for given arguments: singleShot needs a callable.")

    def relay() -> None:
        try:
            callback()
        except Exception:
            report_exception()

    QTimer.singleShot(milliseconds, relay)


@static("QDesktopServices", "openUrl")
def open_url(url: Wrapper) -> bool:
    """Keep what would have been opened."""
    target: QUrl = alive(url, "openUrl")
    record.urls.append(target.toString())
    return True


@method("QMenu", "addAction")
def add_menu_action(wrapper: Wrapper, *args: Any) -> Any:
    """`addAction(text)`, `addAction(icon, text)`, either with a callable behind, or `addAction(action)` of QWidget."""
    plain = [value for value in args if isinstance(value, str | Wrapper)]
    callbacks = [value for value in args[len(plain) :] if callable(value)]
    kinds = [type(value).__name__ if isinstance(value, Wrapper) else "text" for value in plain]
    fits = kinds in (["text"], ["QIcon", "text"]) or (kinds == ["QAction"] and not callbacks)
    if len(plain) + len(callbacks) != len(args) or len(callbacks) > 1 or not fits:
        raise ValueError(f"Could not find matching overload for given arguments:\n{args}")
    action = from_qt(alive(wrapper, "addAction").addAction(*[to_qt(value) for value in plain]))
    for callback in callbacks:
        Connections.of(alive(action, "connect")).connect("triggered(bool)", callback)
    return action


@method("QSortFilterProxyModel", "invalidateFilter")
def invalidate_filter(wrapper: Wrapper) -> None:
    """Ask `filterAcceptsRow` again; Qt 6 says that it will have another name, Qt 5 does not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        alive(wrapper, "invalidateFilter").invalidateFilter()


@method("QUiLoader", "load")
def load_ui(wrapper: Wrapper, file: Wrapper, parent: Wrapper | None = None) -> Any:
    """Build the widgets of a `.ui` file."""
    from standin.ui import load  # ui.py needs the widgets, which need this binding

    return from_qt(load(alive(file, "load").fileName(), to_qt(parent)))


__all__ = ["Slot", "known_signature", "method", "static"]
