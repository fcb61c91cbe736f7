"""Takes requests and sees to it that each gets its one response."""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Callable
from typing import Any

from SegClassifyLib.errors import Cancelled, SegClassifyError
from SegClassifyLib.progress import Progress
from SegClassifyLib.worker.hello import hello
from SegClassifyLib.worker.lane import Job, Lane
from SegClassifyLib.worker.methods import Answer, Methods
from SegClassifyLib.worker.plain import PlainData, ShapeError
from SegClassifyLib.worker.protocol import (
    METHODS,
    Broken,
    Cancelling,
    CancelParams,
    Code,
    Nothing,
    Params,
    Received,
    Request,
    Response,
    RpcError,
)
from SegClassifyLib.worker.reporter import Reporter
from SegClassifyLib.worker.wire import Message, encode

logger = logging.getLogger(__name__)


class Server:
    """Answers what can be answered at once, and puts the rest in line.

    Args:
        send: gets every message to the panel; called from several threads.
        leave: ends the process.
        idle_seconds: without a job, after which the warm model is released.
        program: number of the process that this one works for.
    """

    def __init__(
        self,
        send: Callable[[Message], None],
        leave: Callable[[int], None],
        idle_seconds: float,
        program: int | None = None,
    ) -> None:
        self._send, self._leave = send, leave
        self._methods = methods = Methods(os.getppid() if program is None else program)
        self._lanes: dict[str, Lane] = {}
        self._run_by: dict[str, Callable[[Any, Progress], Answer]] = {}
        self._fill(Lane("jobs", self._run, send, methods.idle, idle_seconds), methods.jobs())
        self._fill(Lane("errands", self._run, send), methods.errands())
        self._fill(Lane("sets", self._run, send), methods.sets())
        self._fill(Lane("checks", self._run, send), methods.checks())

    def _fill(self, lane: Lane, methods: dict[str, Callable[[Any, Progress], Answer]]) -> None:
        self._lanes |= dict.fromkeys(methods, lane)
        self._run_by |= methods

    def close(self) -> None:
        """Before the process ends of its own will."""
        self._methods.leave()

    def take(self, message: Received) -> None:
        """See to one message. Never raises: whatever is wrong with it is answered."""
        if isinstance(message, Request):
            self._take_request(message)
        elif isinstance(message, Broken):
            logger.warning("A line that is no message: %s", message.error.message)
            self._send(Response(message.id, error=message.error))
        else:
            logger.warning("Passed over, for it asks for nothing: %s", message)

    def _take_request(self, request: Request) -> None:
        kind = METHODS.get(request.method)
        if kind is None:
            error = RpcError(Code.METHOD_NOT_FOUND, f"there is no method {request.method!r}")
            self._send(Response(request.id, error=error))
            return
        try:
            params = kind.from_json_strictly(request.params)
        except ShapeError as problem:
            error = RpcError(Code.INVALID_PARAMS, f"{request.method}: {problem}")
            self._send(Response(request.id, error=error))
            return
        self._take_call(request, params)

    def _take_call(self, request: Request, params: Params[Any]) -> None:
        if request.method in self._lanes:
            refused = self._lanes[request.method].submit(request)
            if refused is not None:
                self._send(Response(request.id, error=refused))
        elif isinstance(params, CancelParams):
            accepted = any(lane.cancel(params.id) for lane in set(self._lanes.values()))
            self._send(Response(request.id, Cancelling(accepted).to_json()))
        elif request.method == "hello":
            self._send(Response(request.id, hello().to_json()))
        else:
            self._send(Response(request.id, Nothing().to_json()))
            self.close()
            self._leave(0)

    def _run(self, job: Job) -> Response:
        request = job.request
        started = time.monotonic()
        reporter = Reporter(request.id, self._send, job.cancelled.is_set)
        try:
            params = METHODS[request.method].from_json_strictly(request.params)
            answer = self._run_by[request.method](params, reporter)
            response = Response(request.id, _plain(answer))
            encode(response)  # here, where a number that JSON does not know can still be answered for
        except Exception as error:  # whatever a library may raise, the request gets its answer
            response = Response(request.id, error=explain(error))
        took = time.monotonic() - started
        what = "done" if response.error is None else response.error.message
        logger.info("%s %s, %.2f s: %s", request.method, request.id, took, what)
        return response


def explain(error: Exception) -> RpcError:
    """An exception as the protocol says it; one that nobody foresaw goes to the log with its traceback."""
    if isinstance(error, Cancelled):
        return RpcError(Code.CANCELLED, str(error))
    if isinstance(error, SegClassifyError):
        return RpcError(Code.USER_ERROR, str(error))
    if isinstance(error, ModuleNotFoundError):
        return RpcError(
            Code.USER_ERROR,
            f"The worker's Python lacks the package {error.name}: install what SegClassify needs.",
        )
    if isinstance(error, MemoryError):
        return RpcError(
            Code.USER_ERROR,
            "The main memory does not do for this: close other programs, or use a smaller image.",
        )
    logger.error("An error that nobody foresaw", exc_info=error)
    details = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return RpcError(Code.INTERNAL_ERROR, f"{type(error).__name__}: {error}", details)


def _plain(answer: Any) -> Any:
    return answer.to_json() if isinstance(answer, PlainData) else [part.to_json() for part in answer]
