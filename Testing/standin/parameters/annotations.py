"""What can stand beside a type in `Annotated[…]`: defaults, limits, hints for widgets."""

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any


class Default:
    """Default value of a parameter."""

    def __init__(self, value: Any = None, *, generator: Callable[[], Any] | None = None) -> None:
        self._value, self._generator = value, generator

    @property
    def value(self) -> Any:
        """The value, made anew if there is a generator."""
        return self._generator() if self._generator else self._value


@dataclass
class Decimals:
    """Digits after the point in the widget."""

    value: int


@dataclass
class SingleStep:
    """Step of the widget."""

    value: float


@dataclass
class Label:
    """Text beside the widget."""

    label: str


class Validator:
    """Base of limits."""

    def validate(self, value: Any) -> None:
        """Raise ValueError or TypeError if the value is not allowed."""


class IsNone(Validator):
    """Only None."""

    def validate(self, value: Any) -> None:
        """Raise ValueError unless it is None."""
        if value is not None:
            raise ValueError("Value must be None")


class NotNone(Validator):
    """Not None."""

    def validate(self, value: Any) -> None:
        """Raise ValueError for None."""
        if value is None:
            raise ValueError("Value must not be None")


class IsInstance(Validator):
    """Of a class, or None."""

    def __init__(self, classtype: Any) -> None:
        self.classtype = classtype

    def validate(self, value: Any) -> None:
        """Raise TypeError for anything else."""
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(
                f"Value must be of type '{self.classtype}', is type '{type(value)}' value '{value}'"
            )


class WithinRange(Validator):
    """Between two numbers."""

    def __init__(self, minimum: Any, maximum: Any) -> None:
        self.minimum, self.maximum = minimum, maximum

    def validate(self, value: Any) -> None:
        """Raise ValueError outside."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


class Minimum(Validator):
    """Not below."""

    def __init__(self, minimum: Any) -> None:
        self.minimum = minimum

    def validate(self, value: Any) -> None:
        """Raise ValueError below."""
        if value < self.minimum:
            raise ValueError(f"Value must be greater than {self.minimum}, is {value}")


class Maximum(Validator):
    """Not above."""

    def __init__(self, maximum: Any) -> None:
        self.maximum = maximum

    def validate(self, value: Any) -> None:
        """Raise ValueError above."""
        if value > self.maximum:
            raise ValueError(f"Value must be less than {self.maximum}, is {value}")


class Choice(Validator):
    """One of some values."""

    def __init__(self, choices: Any) -> None:
        self.choices = choices

    def validate(self, value: Any) -> None:
        """Raise ValueError for another."""
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be in one of the following: {self.choices}")


class Exclude(Validator):
    """None of some values."""

    def __init__(self, excludedValues: Any) -> None:
        self.excludedValues = excludedValues

    def validate(self, value: Any) -> None:
        """Raise ValueError for one of them."""
        if value in self.excludedValues:
            raise ValueError(f"Value is {value}, but must not be an excluded value: {self.excludedValues}")


def splitAnnotations(possiblyAnnotatedType: Any) -> tuple[Any, tuple]:
    """Type and annotations apart."""
    arguments = typing.get_args(Annotated[possiblyAnnotatedType, None])
    return arguments[0], tuple(arguments[1:-1])


def unannotatedType(possiblyAnnotatedType: Any) -> Any:
    """The type without annotations."""
    return splitAnnotations(possiblyAnnotatedType)[0]


def findFirstAnnotation(annotationsList: Any, annotationType: type) -> Any:
    """The first annotation of a class, or None."""
    return next((entry for entry in annotationsList if isinstance(entry, annotationType)), None)


def is_union(kind: Any) -> bool:
    """Whether the type is `A | B` or `Optional[A]`."""
    return typing.get_origin(kind) is typing.Union or isinstance(kind, types.UnionType)


def is_node_type(kind: Any) -> bool:
    """Whether the type is a class of nodes."""
    import slicer_core

    return isinstance(kind, type) and issubclass(kind, slicer_core.vtkMRMLNode)


def isNodeOrUnionOfNodes(datatype: Any) -> bool:
    """Whether the type is a class of nodes, or several of them and None."""
    kind = unannotatedType(datatype)
    if is_union(kind):
        return all(
            entry is type(None) or is_node_type(unannotatedType(entry)) for entry in typing.get_args(kind)
        )
    return is_node_type(kind)


def getNodeTypes(datatype: Any) -> tuple[str, ...]:
    """Names of the classes of nodes in a type."""
    kind = unannotatedType(datatype)
    entries = typing.get_args(kind) if is_union(kind) else (kind,)
    nodes = [unannotatedType(entry) for entry in entries if is_node_type(unannotatedType(entry))]
    if not nodes:
        raise TypeError(f"Cannot handle type {datatype}")
    return tuple(node().GetClassName() for node in nodes)
