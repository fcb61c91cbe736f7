"""Qt objects as PythonQt shows them: properties are attributes, unknown names and new attributes are errors.

A wrapper stands before a PySide6 object and lets through only the names of the class's `ClassApi`. A Python
subclass of a wrapper gets a PySide6 subclass of its own that hands Qt's virtual calls to the Python methods.
"""

import weakref
from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6.QtCore import QObject

from standin.api import ClassApi
from standin.binding import convert, properties
from standin.binding.convert import from_qt, to_qt
from standin.binding.enums import EnumType, EnumValue, enum_names
from standin.binding.ownership import delete_with, goes_with_wrapper
from standin.binding.signals import BoundSignal
from standin.binding.subclass import DeclaredSignal, make_pyside_subclass
from standin.binding.truth import is_true
from standin.errors import NotInStandin

INTERNAL = frozenset({"_standin_qt", "__class__"})
# (class name without module, method) to a function(wrapper, *args) that the stand-in does itself; see specials.py.
SPECIALS: dict[tuple[str, str], Callable] = {}
STATIC_SPECIALS: dict[tuple[str, str], Callable] = {}


def special(table: dict[tuple[str, str], Callable], kind: type, name: str) -> Callable | None:
    """The stand-in's own function for a method of a wrapper class or one of its bases."""
    for base in kind.__mro__:
        if (base.__name__, name) in table:
            return table[base.__name__, name]
    return None


class WrapperType(type):
    """Type of wrapper classes: enum values, static methods and unbound methods as class attributes."""

    _standin_api: ClassApi
    _standin_pyside: type
    _standin_native: type

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        if "_standin_pyside" not in namespace and bases:  # a class of the module, not one of Slicer's
            declared = {key: value for key, value in namespace.items() if isinstance(value, DeclaredSignal)}
            cls._standin_pyside = make_pyside_subclass(name, cls, namespace, declared)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        name = python_name(name)
        own = special(STATIC_SPECIALS, cls, name)
        if own is not None:
            return own
        native = cls._standin_native
        if name in enum_names(native):
            return enum_names(native)[name]
        if name in cls._standin_api.methods and hasattr(native, name):
            return lambda *args, **kwargs: call(getattr(native, name), f"{cls.__name__}.{name}", args, kwargs)
        raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")

    def __setattr__(cls, name: str, value: Any) -> None:
        if not name.startswith("_standin") and cls.__dict__.get("_standin_pyside") is cls._standin_native:
            raise TypeError(f"cannot set '{name}' of Qt's class '{cls.__name__}'")
        super().__setattr__(name, value)


def python_name(name: str) -> str:
    """Qt's name where Python's keyword stands in the way: `exec_` and `raise_`."""
    return name[:-1] if name in ("exec_", "raise_", "print_") else name


class Wrapper(metaclass=WrapperType):
    """A Qt object as the module sees it."""

    _standin_api = ClassApi("qt.QObject")
    _standin_pyside: type = object
    _standin_native: type = object

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs:
            shown = type(self)._standin_api.name.partition(".")[2]
            raise ValueError(
                f"Called {shown}(QWidget parent, Qt::WindowFlags f) -> {shown} with keyword arguments, "
                "but called slot does not support kwargs."
            )
        kind = type(self)
        target = call(kind._standin_pyside, kind.__name__, args, {}, wrap=False)
        alone = goes_with_wrapper(target, kind._standin_native)
        attach(self, target, hold=not alone)
        if alone:
            delete_with(self, target)

    def __bool__(self) -> bool:
        return is_true(self.__dict__.get("_standin_qt"))

    def _standin_unwrap(self) -> Any:
        return alive(self, "an argument")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in INTERNAL:
            raise AttributeError(name)
        kind = type(self)
        api = kind._standin_api
        name = python_name(name)
        if name == "name" and "objectName" in api.properties and "name" not in api.properties:
            name = "objectName"
        if name in api.properties:
            return properties.read(alive(self, name), name, api)
        signatures = api.signatures(name)
        if signatures:
            return BoundSignal(alive(self, name), signatures[0])
        own = special(SPECIALS, kind, name)
        if own is not None and (name in api.methods or name in ("connect", "disconnect")):
            return Slot(self, name, own)
        if name in enum_names(kind._standin_native):
            return enum_names(kind._standin_native)[name]
        if name in api.methods:
            return Slot(self, name, None)
        raise AttributeError(f"{api.name.partition('.')[2]} has no attribute named '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        api = kind._standin_api
        if name in INTERNAL:
            object.__setattr__(self, name, value)
            return
        if name == "name" and "objectName" in api.properties and "name" not in api.properties:
            name = "objectName"
        if name in api.properties:
            properties.write(alive(self, name), name, value, api)
        elif api.knows(name) and kind._standin_pyside is kind._standin_native:
            raise AttributeError(f"Method '{name}' of {kind.__name__} cannot be set")
        elif kind._standin_pyside is not kind._standin_native:
            object.__setattr__(self, name, value)  # a Python subclass keeps what it likes
        else:
            raise AttributeError(
                f"'{name}' does not exist on {kind.__name__} and creating new attributes on C++ objects is not allowed"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Wrapper):
            return NotImplemented
        mine, theirs = self.__dict__.get("_standin_qt"), other.__dict__.get("_standin_qt")
        return mine is theirs or (not isinstance(mine, QObject) and mine == theirs)

    def __hash__(self) -> int:
        target = self.__dict__.get("_standin_qt")
        return id(target) if isinstance(target, QObject) else hash(target)

    def __repr__(self) -> str:
        shown = type(self)._standin_api.name.partition(".")[2]
        address = f"{id(self.__dict__.get('_standin_qt')):#x}"
        return f"{type(self).__name__} ({shown}({address}) , at: {address})"


class Slot:
    """A method of one Qt object."""

    def __init__(self, wrapper: Wrapper, name: str, own: Callable | None) -> None:
        self._wrapper = wrapper
        self._name = name
        self._own = own

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        target = alive(self._wrapper, self._name)
        if self._own is not None:
            own, wrapper = self._own, self._wrapper
            return call(lambda *values: own(wrapper, *values), self._name, args, kwargs, plain=True)
        function = getattr(target, self._name, None)
        if function is None:
            raise NotInStandin(f"The stand-in's {type(self._wrapper).__name__} lacks {self._name}().")
        return call(function, self._name, args, kwargs)

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Slot) and self._name == other._name
        return same and self._wrapper == other._wrapper  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((self._wrapper, self._name))

    def __repr__(self) -> str:
        shown = type(self._wrapper)._standin_api.name.partition(".")[2]
        return f"<qt slot {self._name} of {shown} instance at {id(self._wrapper):#x}>"


def call(
    function: Callable, name: str, args: tuple, kwargs: dict, wrap: bool = True, plain: bool = False
) -> Any:
    """Call a Qt function as PythonQt would: no keyword arguments, and ValueError for arguments that do not fit.

    Args:
        function: PySide6's function, or one of the stand-in.
        name: for the message.
        args: arguments of the module.
        kwargs: must be empty.
        wrap: turn the answer into what the module sees.
        plain: arguments go in as they are.
    """
    if kwargs:
        raise ValueError(f"Called {name}(…) with keyword arguments, but called slot does not support kwargs.")
    if plain:
        return function(*args)
    try:
        answer = function(*[to_qt(value) for value in args])
    except TypeError as error:
        if not _is_mismatch(error):
            raise
        if not any(isinstance(value, EnumValue) for value in args):
            raise ValueError(
                f"Could not find matching overload for given arguments:\n{args}\n{error}"
            ) from error
        answer = function(*[to_qt(value, plain_enums=True) for value in args])
    return from_qt(answer) if wrap else answer


def _is_mismatch(error: TypeError) -> bool:
    """Whether the error says that arguments do not fit, rather than coming from deeper inside."""
    depth, frame = 0, error.__traceback__
    while frame is not None:
        depth, frame = depth + 1, frame.tb_next
    return depth <= 1


def attach(wrapper: Wrapper, target: Any, hold: bool = True) -> None:
    """Join a wrapper and its PySide6 object; a Python subclass lives as long as the object if that is to `hold` it."""
    object.__setattr__(wrapper, "_standin_qt", target)
    if isinstance(target, QObject):
        kind = type(wrapper)
        keep = hold and kind._standin_pyside is not kind._standin_native
        target._standin_wrapper = (lambda: wrapper) if keep else weakref.ref(wrapper)  # type: ignore[attr-defined]


def alive(wrapper: Wrapper, name: str) -> Any:
    """The PySide6 object of a wrapper.

    Raises:
        ValueError: if Qt has deleted it, or a subclass did not call `__init__`.
    """
    target = wrapper.__dict__.get("_standin_qt")
    if target is None or not shiboken6.isValid(target):
        raise ValueError(f"Trying to call '{name}' on a destroyed {type(wrapper).__name__} object")
    return target


def wrap_target(target: Any) -> Any:
    """The wrapper of a PySide6 object: the one it has, or a new one of the nearest known class."""
    known = getattr(target, "_standin_wrapper", None)
    wrapper = known() if known is not None else None
    if wrapper is None:
        from standin.binding.classes import nearest_class  # the table of classes is made of wrappers

        kind: Any = nearest_class(type(target))  # type: ignore[arg-type]
        wrapper = kind.__new__(kind)
        attach(wrapper, target)
    return wrapper


convert.wrap_object.append(wrap_target)
__all__ = [
    "SPECIALS",
    "STATIC_SPECIALS",
    "EnumType",
    "Slot",
    "Wrapper",
    "WrapperType",
    "alive",
    "wrap_target",
]
