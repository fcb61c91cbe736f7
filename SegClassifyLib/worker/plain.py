"""Frozen dataclasses to plain JSON and back, checked field by field. Standard library only."""

from __future__ import annotations

import dataclasses
import math
import types
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

M = TypeVar("M", bound="PlainData")


class ShapeError(ValueError):
    """JSON that is not of the shape it should be; the message names the place ("images[0].spacing")."""


class PlainData:
    """Base of the dataclasses that travel as JSON objects.

    Fields may be ``str``, ``int``, ``float``, ``bool``, another ``PlainData``, ``X | None``, ``tuple[X, ...]``,
    ``dict[str, X]``, or a union of ``PlainData``, told apart by which fields are there. JSON lists become tuples.
    Fields with a default may be missing.
    """

    def to_json(self) -> dict[str, Any]:
        """As a JSON object of dictionaries, lists, strings, numbers, booleans and ``None``."""
        return {name: _plain(getattr(self, name)) for name in _hints(type(self))}

    @classmethod
    def from_json(cls: type[M], content: Any) -> M:
        """Back from JSON. Fields that are not known are ignored: they may come from a newer version.

        Raises:
            ShapeError: a field is missing or of another type.
        """
        return _read_object(content, cls, "", strict=False)

    @classmethod
    def from_json_strictly(cls: type[M], content: Any) -> M:
        """As :meth:`from_json`, but a field that is not known is refused, for it may be a misspelled one."""
        return _read_object(content, cls, "", strict=True)


_FIELD_TYPES: dict[type, dict[str, Any]] = {}


def _hints(cls: type) -> dict[str, Any]:
    """The fields of a dataclass with their types, worked out once."""
    if cls not in _FIELD_TYPES:
        types_by_name = get_type_hints(cls)
        _FIELD_TYPES[cls] = {f.name: types_by_name[f.name] for f in dataclasses.fields(cls)}
    return _FIELD_TYPES[cls]


def _plain(value: Any) -> Any:
    if isinstance(value, PlainData):
        return value.to_json()
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _read_object(content: Any, cls: type[M], place: str, strict: bool) -> M:
    if not isinstance(content, dict):
        raise ShapeError(f"{place or cls.__name__} should be an object, not {content!r:.80}")
    prefix = f"{place}." if place else ""
    hints = _hints(cls)
    unknown = [name for name in content if name not in hints]
    if strict and unknown:
        raise ShapeError(f"{prefix}{unknown[0]} is not known")
    values = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        if field.name in content:
            values[field.name] = read_value(
                content[field.name], hints[field.name], prefix + field.name, strict
            )
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ShapeError(f"{prefix}{field.name} is missing")
    return cls(**values)


def read_value(value: Any, kind: Any, place: str, strict: bool = False) -> Any:
    """JSON as a value of the type ``kind``.

    Args:
        value: as ``json.loads`` gave it.
        kind: one of the types that :class:`PlainData` lists.
        place: what to call it when it is of another shape.
        strict: refuse fields that are not known.

    Raises:
        ShapeError: naming the place.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _read_union(value, inner, place, strict)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise ShapeError(f"{place} should be a list, not {value!r:.80}")
        return tuple(read_value(v, inner[0], f"{place}[{i}]", strict) for i, v in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ShapeError(f"{place} should be an object, not {value!r:.80}")
        return {k: read_value(v, inner[1], f"{place}.{k}", strict) for k, v in value.items()}
    if issubclass(kind, PlainData):
        return _read_object(value, kind, place, strict)
    return _read_scalar(value, kind, place)


def _read_union(value: Any, kinds: tuple[Any, ...], place: str, strict: bool) -> Any:
    if value is None and type(None) in kinds:
        return None
    left = [k for k in kinds if k is not type(None)]
    objects = [k for k in left if isinstance(k, type) and issubclass(k, PlainData)]
    if len(left) > 1 and objects and isinstance(value, dict):
        # The one with the most of its fields there: its complaint about the others is the helpful one.
        best = max(objects, key=lambda k: len(value.keys() & _hints(k).keys()) / len(_hints(k)))
        return _read_object(value, best, place, strict)
    for kind in left[:-1]:
        try:
            return read_value(value, kind, place, strict)
        except ShapeError:
            continue
    return read_value(value, left[-1], place, strict)


def _read_scalar(value: Any, kind: type, place: str) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind is float and (whole or isinstance(value, float)) and math.isfinite(value):
        return float(value)
    if (kind is int and whole) or (kind in (str, bool) and isinstance(value, kind)):
        return value
    words = {str: "a string", int: "a whole number", float: "a finite number", bool: "true or false"}
    raise ShapeError(f"{place} should be {words[kind]}, not {value!r:.80}")
