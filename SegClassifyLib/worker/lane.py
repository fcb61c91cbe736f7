"""Work that waits in line for one thread, and may be cancelled while it waits or runs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from SegClassifyLib.worker.protocol import Code, Id, Request, Response, RpcError

LONGEST_QUEUE = 10_000
"""Requests. A caller that asks for more without waiting for answers is out of order."""


@dataclass
class Job:
    """One request on its way through a lane."""

    request: Request
    cancelled: threading.Event = field(default_factory=threading.Event)


class Lane:
    """Runs one request after the other in a thread of its own, in the order they came.

    Args:
        name: of the thread.
        run: does what a request asks for; looks at ``job.cancelled`` every now and then. Must not raise.
        send: gets the response.
        idle: called once when nothing was to do for ``idle_seconds`` after a request.
        idle_seconds: how long that is.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Job], Response],
        send: Callable[[Response], None],
        idle: Callable[[], None] | None = None,
        idle_seconds: float = 0.0,
    ) -> None:
        self._run, self._send = run, send
        self._idle, self._idle_seconds = idle, idle_seconds
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        # A daemon: it must not keep the process alive when that is told to end.
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, request: Request) -> RpcError | None:
        """Put a request in line; an error says why it cannot be."""
        with self._changed:
            if request.id in self._ids():
                return RpcError(Code.INVALID_REQUEST, f"the id {request.id!r} is in use")
            if len(self._waiting) >= LONGEST_QUEUE:
                return RpcError(
                    Code.BUSY, f"{LONGEST_QUEUE} requests are waiting: let some of them end first."
                )
            self._waiting.append(Job(request))
            self._changed.notify()
        return None

    def cancel(self, identity: Id) -> bool:
        """Cancel a request that waits or runs; ``False`` if there is none of that id (any more)."""
        with self._changed:
            if self._running is not None and self._running.request.id == identity:
                self._running.cancelled.set()
                return True
            job = next((j for j in self._waiting if j.request.id == identity), None)
            if job is None:
                return False
            self._waiting.remove(job)
        self._send(cancelled(identity))
        return True

    def _ids(self) -> list[Id]:
        running = [self._running] if self._running is not None else []
        return [job.request.id for job in (*running, *self._waiting)]

    def _work(self) -> None:
        idle_due = False
        while True:
            job = self._next(self._idle_seconds if idle_due and self._idle else None)
            if job is None:
                idle_due = False
                if self._idle is not None:
                    self._idle()
                continue
            response = self._run(job)
            with self._changed:
                self._running = None
                # Decided under the lock: who was told "accepted" gets CANCELLED, even where the work was done.
                if job.cancelled.is_set():
                    response = cancelled(job.request.id)
            self._send(response)
            idle_due = True

    def _next(self, seconds: float | None) -> Job | None:
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._waiting), seconds):
                return None
            self._running = self._waiting.popleft()
            return self._running


def cancelled(identity: Id) -> Response:
    """The response of a job that was cancelled."""
    return Response(identity, error=RpcError(Code.CANCELLED, "Cancelled."))
