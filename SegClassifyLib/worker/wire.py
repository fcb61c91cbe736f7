"""JSON-RPC 2.0, one message per line: the envelopes, and bytes to messages. Standard library only.

Specification: https://www.jsonrpc.org/specification. Batches are not spoken.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

Id = int | str
"""Of a request; chosen by the caller, never the same for two requests that are not answered yet."""

LONGEST_LINE = 16 << 20
"""Bytes. No message of this protocol comes near it: voxels never travel through the pipe."""


class Code(IntEnum):
    """What kind of thing went wrong; the first five are JSON-RPC's own."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    USER_ERROR = -32000
    """The message is a sentence for the user: what is wrong, where, what to do."""
    CANCELLED = -32001
    """The job was cancelled as asked."""
    BUSY = -32002
    """Too many jobs are waiting already."""


@dataclass(frozen=True)
class RpcError:
    """Why a request was not fulfilled.

    Args:
        code: one of :class:`Code`.
        message: in words; with ``USER_ERROR`` fit to be shown as it is.
        data: details for a log, such as a traceback; may be empty.
    """

    code: int
    message: str
    data: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the ``error`` member of a response."""
        content: dict[str, Any] = {"code": int(self.code), "message": self.message}
        return {**content, "data": self.data} if self.data else content

    @classmethod
    def from_json(cls, content: Any) -> RpcError:
        """Read an ``error`` member; of one that is out of shape, whatever can be shown."""
        if not isinstance(content, dict) or not isinstance(content.get("code"), int):
            return cls(Code.INTERNAL_ERROR, f"an error out of shape: {content!r:.200}")
        return cls(content["code"], str(content.get("message", "")), str(content.get("data", "")))


@dataclass(frozen=True)
class Request:
    """Asks for ``method`` with parameters by name; gets exactly one :class:`Response`."""

    id: Id
    method: str
    params: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The whole message."""
        return {"jsonrpc": "2.0", "id": self.id, "method": self.method, "params": self.params}


@dataclass(frozen=True)
class Notification:
    """Tells something; gets no answer."""

    method: str
    params: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The whole message."""
        return {"jsonrpc": "2.0", "method": self.method, "params": self.params}


@dataclass(frozen=True)
class Response:
    """Answers the request ``id``: ``result``, or ``error`` when that is not ``None``.

    ``id`` is ``None`` only when a request was too broken to tell its id.
    """

    id: Id | None
    result: Any = None
    error: RpcError | None = None

    def to_json(self) -> dict[str, Any]:
        """The whole message."""
        head = {"jsonrpc": "2.0", "id": self.id}
        return (
            {**head, "result": self.result} if self.error is None else {**head, "error": self.error.to_json()}
        )


@dataclass(frozen=True)
class Broken:
    """A line that is no message, with the error to answer it with (or to log, at the panel's end)."""

    error: RpcError
    id: Id | None = None


Message = Request | Notification | Response
Received = Request | Notification | Response | Broken


def encode(message: Message) -> bytes:
    """A message as one line, its newline included.

    ASCII only: file names that are not valid Unicode (lone surrogates) then survive the way there and back.

    Raises:
        ValueError: it holds NaN or an infinity, which JSON cannot.
    """
    text = json.dumps(message.to_json(), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


class LineDecoder:
    """Bytes in pieces of any size to messages. Nothing that comes in can make it raise.

    Example:
        >>> decoder = LineDecoder()
        >>> decoder.feed(b'{"jsonrpc": "2.0", "id": 1, "met')
        []
        >>> decoder.feed(b'hod": "hello"}\\nnonsense\\n')[0]
        Request(id=1, method='hello', params={})
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._pieces: list[bytes] = []
        self._length = 0

    def feed(self, data: bytes) -> list[Received]:
        """Every message that is whole now, in order; a line that is none gives :class:`Broken`."""
        *whole, rest = data.split(b"\n")
        found: list[Received] = []
        for piece in whole:
            self._keep(piece)
            found += self._take_line()
        self._keep(rest)
        return found

    def finish(self) -> list[Received]:
        """What is left when the stream has ended: nothing, or a last line without its newline."""
        return self._take_line()

    def _keep(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._length > self._longest:
            self._pieces = []  # too long to be a message: only its length is still of interest
        elif piece:
            self._pieces.append(piece)

    def _take_line(self) -> list[Received]:
        line, length = b"".join(self._pieces), self._length
        self._pieces, self._length = [], 0
        if length > self._longest:
            return [Broken(RpcError(Code.PARSE_ERROR, f"a line of {length} bytes is too long"))]
        return [decode(line)] if line.strip() else []


def decode(line: bytes) -> Received:
    """One line, without its newline, as a message."""
    try:
        content = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return Broken(RpcError(Code.PARSE_ERROR, f"not a line of JSON in UTF-8: {error}"))
    if not isinstance(content, dict):
        return Broken(RpcError(Code.INVALID_REQUEST, "not a JSON object (batches are not spoken)"))
    identity = content.get("id")
    known = identity if isinstance(identity, (int, str)) and not isinstance(identity, bool) else None
    if content.get("jsonrpc") != "2.0":
        return Broken(RpcError(Code.INVALID_REQUEST, 'the member "jsonrpc" is not "2.0"'), known)
    if "method" in content:
        return _call(content, known)
    if ("result" in content) == ("error" in content) or (known is None and identity is not None):
        return Broken(RpcError(Code.INVALID_REQUEST, "neither a request nor a response"), known)
    if "error" in content:
        return Response(known, error=RpcError.from_json(content["error"]))
    return Response(known, content["result"])


def _call(content: dict[str, Any], known: Id | None) -> Received:
    method, params = content["method"], content.get("params", {})
    if not isinstance(method, str):
        return Broken(RpcError(Code.INVALID_REQUEST, "the method is not a string"), known)
    if not isinstance(params, dict):
        return Broken(RpcError(Code.INVALID_PARAMS, f"{method}: parameters go by name"), known)
    if "id" not in content:
        return Notification(method, params)
    if known is None:
        return Broken(RpcError(Code.INVALID_REQUEST, "the id is neither a whole number nor a string"))
    return Request(known, method, params)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
