"""The worker's end of the pipe: nobody but the protocol reads from it or writes to it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

from SegClassifyLib.worker.wire import LineDecoder, Message, Received, encode


class Outlet:
    """Sends messages, whole and one at a time, from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Write one line. When nobody is left to read it, the process ends."""
        line = memoryview(encode(message))
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                leave(0)


def take_over() -> tuple[int, Outlet]:
    """Keep stdin and stdout for the protocol and give everybody else substitutes.

    What libraries print, C code included, goes to stderr; who reads stdin finds it empty.

    Returns:
        The descriptor that requests are read from, and the outlet for all that is sent.
    """
    requests, answers = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        # Not "strict": a strange file name in a log line must not stop a job.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    return requests, Outlet(answers)


def received(descriptor: int) -> Iterator[Received]:
    """Messages as they come in, until the other end closes the pipe."""
    decoder = LineDecoder()
    while data := os.read(descriptor, 1 << 16):
        yield from decoder.feed(data)
    yield from decoder.finish()


def leave(code: int) -> NoReturn:
    """End the process now, whatever its threads are doing."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody may be reading the log any more
            stream.flush()
    os._exit(code)
