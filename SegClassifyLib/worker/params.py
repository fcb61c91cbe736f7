"""What every request's parameters have in common. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, cast

from SegClassifyLib.worker.plain import PlainData, read_value
from SegClassifyLib.worker.wire import Id, Request

A = TypeVar("A")


@dataclass(frozen=True)
class Nothing(PlainData):
    """The answer ``{}``: done."""


@dataclass(frozen=True)
class Params(PlainData, Generic[A]):
    """Base of what requests ask for. Every method has one subclass, named after it."""

    METHOD: ClassVar[str]
    ANSWER: ClassVar[Any]

    def request(self, identity: Id) -> Request:
        """The request to send."""
        return Request(identity, self.METHOD, self.to_json())

    def read_answer(self, result: Any) -> A:
        """The result of the response to such a request.

        Raises:
            ShapeError: it is not what this method answers.
        """
        return cast("A", read_value(result, self.ANSWER, self.METHOD))
