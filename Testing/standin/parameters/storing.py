"""How values stand in a parameter node: numbers as text, enums by member name, lists as `names.0 … names.len`."""

import enum
import pathlib
import typing
from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSequence
from typing import Any

from standin.parameters.annotations import (
    IsInstance,
    IsNone,
    NotNone,
    Validator,
    is_node_type,
    is_union,
    splitAnnotations,
)

PATHS = (pathlib.Path, pathlib.PurePath, pathlib.PosixPath, pathlib.PurePosixPath, pathlib.PureWindowsPath)


class Text:
    """A value stored as one text."""

    def __init__(
        self,
        kind: Any,
        default: Any,
        write: Callable[[Any], str],
        read: Callable[[str], Any],
        check: list[Validator],
    ) -> None:
        self.kind, self._default, self._write, self._read, self.validators = kind, default, write, read, check

    def default(self) -> Any:
        """Value where no default is given."""
        return self._default() if callable(self._default) else self._default

    def validate(self, value: Any) -> None:
        """Raise ValueError or TypeError if the value is not allowed."""
        for validator in self.validators:
            validator.validate(value)

    def is_in(self, node: Any, name: str) -> bool:
        """Whether the node has the value."""
        return node.HasParameter(name)

    def write(self, node: Any, name: str, value: Any) -> None:
        """Store a value."""
        self.validate(value)
        node.SetParameter(name, self._write(value))

    def read(self, node: Any, name: str) -> Any:
        """The stored value."""
        return self._read(node.GetParameter(name))

    def remove(self, node: Any, name: str) -> None:
        """Forget the value."""
        node.UnsetParameter(name)

    def takes(self, value: Any) -> bool:
        """Whether a value is of this kind, for unions."""
        return type(value) is self.kind or (isinstance(self.kind, tuple) and type(value) in self.kind)


class Node(Text):
    """A node, stored as a node reference beside an empty text."""

    def __init__(self, kind: type) -> None:
        super().__init__(kind, None, str, str, [IsInstance(kind)])

    def write(self, node: Any, name: str, value: Any) -> None:
        """Store a reference."""
        self.validate(value)
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node: Any, name: str) -> Any:
        """The node that is referred to."""
        return node.GetNodeReference(name)

    def remove(self, node: Any, name: str) -> None:
        """Forget the reference."""
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)

    def takes(self, value: Any) -> bool:
        """Whether it is a node of the class."""
        return isinstance(value, self.kind)


class Union(Text):
    """One of several kinds, stored under `name.N` for the N-th."""

    def __init__(self, kinds: list[Text]) -> None:
        super().__init__(None, None, str, str, [])
        self._kinds = kinds

    def default(self) -> Any:
        """None for an optional value, else the default of the first kind."""
        optional = len(self._kinds) == 2 and self._kinds[1].kind is type(None)
        return None if optional else self._kinds[0].default()

    def is_in(self, node: Any, name: str) -> bool:
        """Whether one of the kinds is there."""
        return any(kind.is_in(node, f"{name}.{index}") for index, kind in enumerate(self._kinds))

    def write(self, node: Any, name: str, value: Any) -> None:
        """Store under the kind that takes the value."""
        self.validate(value)
        for index, kind in enumerate(self._kinds):
            if kind.takes(value):
                kind.validate(value)
                self.remove(node, name)
                kind.write(node, f"{name}.{index}", value)
                return
        raise TypeError(f"Unable to write value '{value}' of type '{type(value)}'")

    def read(self, node: Any, name: str) -> Any:
        """The value of the kind that is there."""
        for index, kind in enumerate(self._kinds):
            if kind.is_in(node, f"{name}.{index}"):
                return kind.read(node, f"{name}.{index}")
        raise KeyError(f"Unable to find value for name: {name}")

    def remove(self, node: Any, name: str) -> None:
        """Forget all kinds."""
        for index, kind in enumerate(self._kinds):
            kind.remove(node, f"{name}.{index}")

    def takes(self, value: Any) -> bool:
        """Whether one of the kinds takes it."""
        return any(kind.takes(value) for kind in self._kinds)


class Sequence(Text):
    """A list, or with `fixed` kinds a tuple."""

    def __init__(self, element: Text | None, fixed: list[Text] | None = None) -> None:
        super().__init__(tuple if fixed else list, None, str, str, [])
        self._element, self._fixed = element, fixed

    def default(self) -> Any:
        """An empty list, or a tuple of defaults."""
        return tuple(kind.default() for kind in self._fixed) if self._fixed else []

    def _kind(self, index: int) -> Text:
        kind = self._fixed[index] if self._fixed else self._element
        if kind is None:
            raise TypeError("A list needs the type of its elements.")
        return kind

    def _length(self, node: Any, name: str) -> int:
        return len(self._fixed) if self._fixed else int(node.GetParameter(f"{name}.len") or 0)

    def is_in(self, node: Any, name: str) -> bool:
        """Whether its length, or its first element, is there."""
        return self._fixed[0].is_in(node, f"{name}.0") if self._fixed else node.HasParameter(f"{name}.len")

    def write(self, node: Any, name: str, value: Iterable) -> None:
        """Store every element; if one is refused nothing is changed."""
        values = list(value)
        if self._fixed and len(values) != len(self._fixed):
            raise ValueError("Unexpected number of tuple values")
        for index, entry in enumerate(values):
            self._kind(index).validate(entry)
        before = self._length(node, name)
        for index, entry in enumerate(values):
            self._kind(index).write(node, f"{name}.{index}", entry)
        if not self._fixed:
            node.SetParameter(f"{name}.len", str(len(values)))
            for index in range(len(values), before):
                self._kind(index).remove(node, f"{name}.{index}")

    def read(self, node: Any, name: str) -> Any:
        """A tuple, or a list whose changes are stored."""
        values = [
            self._kind(index).read(node, f"{name}.{index}") for index in range(self._length(node, name))
        ]
        return tuple(values) if self._fixed else ObservedList(self, node, name, values)

    def remove(self, node: Any, name: str) -> None:
        """Forget every element."""
        for index in range(self._length(node, name)):
            self._kind(index).remove(node, f"{name}.{index}")
        if not self._fixed:
            node.UnsetParameter(f"{name}.len")


class Mapping(Text):
    """A dict, stored as a list of pairs."""

    def __init__(self, key: Text, value: Text) -> None:
        super().__init__(dict, dict, str, str, [])
        self._pairs = Sequence(Sequence(None, [key, value]))

    def is_in(self, node: Any, name: str) -> bool:
        """Whether the pairs are there."""
        return self._pairs.is_in(node, name)

    def write(self, node: Any, name: str, value: Any) -> None:
        """Store the pairs."""
        self._pairs.write(node, name, value.items())

    def read(self, node: Any, name: str) -> Any:
        """A dict whose changes are stored."""
        return ObservedDict(self, node, name, dict(self._pairs.read(node, name)))

    def remove(self, node: Any, name: str) -> None:
        """Forget the pairs."""
        self._pairs.remove(node, name)


class ObservedList(MutableSequence):
    """A list whose changes go to the parameter node."""

    def __init__(self, kind: Sequence, node: Any, name: str, values: list) -> None:
        self._kind, self._node, self._name, self._values = kind, node, name, values

    def _save(self, values: list) -> None:
        self._kind.write(self._node, self._name, values)
        self._values = list(self._kind.read(self._node, self._name))

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        changed = list(self._values)
        changed[index] = value
        self._save(changed)

    def __delitem__(self, index: Any) -> None:
        changed = list(self._values)
        del changed[index]
        self._save(changed)

    def __len__(self) -> int:
        return len(self._values)

    def insert(self, index: int, value: Any) -> None:
        """Put a value in."""
        changed = list(self._values)
        changed.insert(index, value)
        self._save(changed)

    def __eq__(self, other: object) -> bool:
        return self._values == (other._values if isinstance(other, ObservedList) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ObservedList({self._values})"


class ObservedDict(MutableMapping):
    """A dict whose changes go to the parameter node."""

    def __init__(self, kind: Mapping, node: Any, name: str, values: dict) -> None:
        self._kind, self._node, self._name, self._values = kind, node, name, values

    def __getitem__(self, key: Any) -> Any:
        return self._values[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._kind.write(self._node, self._name, {**self._values, key: value})
        self._values[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._values[key]
        self._kind.write(self._node, self._name, self._values)

    def __iter__(self) -> Iterator:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"ObservedDict({self._values})"


def make_store(annotated: Any) -> tuple[Text, list[Any]]:
    """How to store a type.

    Args:
        annotated: the type, annotated or not.

    Returns:
        The store with the annotation's validators, and the annotations that are left.

    Raises:
        TypeError: if values of the type cannot be stored.
    """
    kind, annotations = splitAnnotations(annotated)
    store = _plain_store(kind)
    limits = [entry for entry in annotations if isinstance(entry, Validator)]
    store.validators = [*store.validators, *limits]
    return store, [entry for entry in annotations if not isinstance(entry, Validator)]


def _plain_store(kind: Any) -> Text:
    if kind is int or kind is float:
        wanted = int if kind is int else (int, float)
        return Text(kind, 0, str, kind, [NotNone(), IsInstance(wanted)])
    if kind is str:
        return Text(str, "", str, str, [NotNone(), IsInstance(str)])
    if kind is bool:
        return Text(bool, False, str, lambda text: text == "True", [NotNone(), IsInstance(bool)])
    if kind in PATHS:
        return Text(PATHS, kind, str, kind, [NotNone(), IsInstance(kind)])
    if kind is type(None):
        return Text(type(None), None, lambda value: "True", lambda text: None, [IsNone()])
    if is_node_type(kind):
        return Node(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        first = next(iter(kind))
        return Text(kind, first, lambda value: value.name, lambda text: kind[text], [IsInstance(kind)])
    arguments = [make_store(entry)[0] for entry in typing.get_args(kind) if entry is not Ellipsis]
    origin = typing.get_origin(kind)
    if is_union(kind):
        return Union(arguments)
    if origin is list and len(arguments) == 1:
        return Sequence(arguments[0])
    if origin is tuple and arguments:
        return Sequence(None, arguments)
    if origin is dict and len(arguments) == 2:
        return Mapping(*arguments)
    raise TypeError(f"Unable to create serializer for type: {kind} (or the stand-in does not know how)")
