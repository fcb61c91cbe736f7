"""Signals by PythonQt's rules: `b.clicked.connect(f)`, `b.connect('clicked()', f)`, and how many arguments f gets."""

import itertools
import re
import types
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QComboBox

from standin.binding.convert import from_qt, to_qt
from standin.errors import NotInStandin, report_exception

# Signals of Qt 5 that Qt 6 lacks or names otherwise: (class, signature) to the signal of Qt 6 and what to pass on.
REPLACED: dict[tuple[str, str], tuple[str, Any]] = {
    ("QComboBox", "currentIndexChanged(QString)"): (
        "currentIndexChanged",
        lambda combo, index: (combo.itemText(index),),
    ),
    ("QComboBox", "activated(QString)"): ("textActivated", lambda combo, text: (text,)),
    ("QComboBox", "highlighted(QString)"): ("textHighlighted", lambda combo, text: (text,)),
    ("QSpinBox", "valueChanged(QString)"): ("textChanged", lambda box, text: (text,)),
    ("QDoubleSpinBox", "valueChanged(QString)"): ("textChanged", lambda box, text: (text,)),
    ("QButtonGroup", "buttonClicked(int)"): ("idClicked", lambda group, number: (number,)),
    ("QButtonGroup", "buttonToggled(int,bool)"): ("idToggled", lambda group, number, on: (number, on)),
    ("QProcess", "error(QProcess::ProcessError)"): ("errorOccurred", lambda process, error: (error,)),
}


def normalized(signature: str) -> str:
    """A signature as Qt writes it: no spaces, no const references."""
    return re.sub(r"\s+", "", signature.replace("const ", "").replace("&", ""))


def accepted_arguments(callback: Callable) -> int | None:
    """How many arguments PythonQt passes on: as many as a Python function names, None for all of them."""
    function = callback.__func__ if isinstance(callback, types.MethodType) else callback
    if not isinstance(function, types.FunctionType) or function.__code__.co_flags & 0x04:  # has *args
        return None
    return function.__code__.co_argcount - isinstance(callback, types.MethodType)


def argument_count(signature: str) -> int:
    """Number of arguments that a signature names."""
    inside = signature.partition("(")[2].rstrip(")")
    return inside.count(",") + 1 if inside else 0


def qt_signal(target: QObject, signature: str) -> tuple[Any, Callable[..., tuple], int]:
    """The PySide6 signal for a signature of Slicer's Qt, what turns its arguments into those of the signature, and
    how many the PySide6 signal has."""
    name = signature.partition("(")[0]
    for base in type(target).__mro__:
        if (base.__name__, signature) in REPLACED:
            name, adapt = REPLACED[base.__name__, signature]
            return getattr(target, name), partial(adapt, target), adapt.__code__.co_argcount - 1
    own = getattr(target, "signal_for", None)
    if own is not None and own(signature) is not None:
        return own(signature)
    bound = getattr(target, name, None)
    if not hasattr(bound, "connect"):
        kind = "QComboBox" if isinstance(target, QComboBox) else type(target).__name__
        raise NotInStandin(f"The stand-in's {kind} lacks the signal {signature}.")
    count = argument_count(signature)
    return bound, lambda *values: values[:count], count


# PySide6 looks at how many arguments a slot names, and gives `*args` fewer than the signal has.
ARITIES: tuple[Callable[[Callable], Callable], ...] = (
    lambda run: lambda: run(),
    lambda run: lambda a: run(a),
    lambda run: lambda a, b: run(a, b),
    lambda run: lambda a, b, c: run(a, b, c),
    lambda run: lambda a, b, c, d: run(a, b, c, d),
)


# What is connected, by the number of the object's connections: PythonQt holds it where the garbage collector does not
# look. A callable that holds the Qt object it is connected to keeps both alive until it is disconnected.
HELD: dict[int, list[Callable]] = {}
_numbers = itertools.count()


class Connections:
    """Python callables connected to one Qt object: kept as long as the object, as PythonQt keeps them."""

    def __init__(self, target: QObject) -> None:
        number = next(_numbers)
        self._held = HELD.setdefault(number, [])
        weakref.finalize(target, HELD.pop, number, None)
        target.destroyed.connect(lambda *_: HELD.pop(number, None))
        self._target = target
        self._entries: list[tuple[str, Callable, Any, Callable]] = []

    @classmethod
    def of(cls, target: QObject) -> "Connections":
        """The connections of an object, made on first use."""
        connections = getattr(target, "_standin_connections", None)
        if connections is None:
            connections = cls(target)
            target._standin_connections = connections  # type: ignore[attr-defined]
        return connections

    def connect(self, signature: str, callback: Callable) -> bool:
        """Call `callback` when the signal comes; always True."""
        signal, adapt, arity = qt_signal(self._target, signature)
        limit = accepted_arguments(callback)

        def run(*values: Any) -> None:
            try:
                arguments = [from_qt(value) for value in adapt(*values)]
                callback(*(arguments if limit is None else arguments[:limit]))
            except Exception:
                report_exception()

        relay = ARITIES[arity](run)
        signal.connect(relay)
        self._entries.append((signature, callback, signal, relay))
        self._held.append(callback)
        return True

    def disconnect(self, signature: str, callback: Callable | None) -> bool:
        """Undo one connection, or all of the signal if `callback` is None; whether there was one."""
        found = [e for e in self._entries if e[0] == signature and callback in (None, e[1])]
        for entry in found if callback is None else found[:1]:
            entry[2].disconnect(entry[3])
            self._entries.remove(entry)
            self._held.remove(entry[1])
        return bool(found)


class BoundSignal:
    """`button.clicked`: connect, disconnect and emit."""

    def __init__(self, target: QObject, signature: str) -> None:
        self._target = target
        self._signature = signature

    def connect(self, callback: Callable) -> bool:
        """Call `callback` when the signal comes."""
        if not callable(callback):
            raise ValueError(f"connect needs something to call, not {callback!r}.")
        return Connections.of(self._target).connect(self._signature, callback)

    def disconnect(self, callback: Callable | None = None) -> bool:
        """Undo a connection; whether there was one."""
        return Connections.of(self._target).disconnect(self._signature, callback)

    def emit(self, *values: Any) -> None:
        """Send the signal."""
        qt_signal(self._target, self._signature)[0].emit(*[to_qt(value) for value in values])

    def __call__(self, *values: Any) -> None:
        self.emit(*values)
