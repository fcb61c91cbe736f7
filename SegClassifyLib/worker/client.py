"""A plain-Python client of the worker, for scripts and tests; 3D Slicer's panel has its own, on Qt."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import SegClassifyLib
from SegClassifyLib.errors import Cancelled, SegClassifyError
from SegClassifyLib.worker.protocol import (
    Broken,
    CancelParams,
    Code,
    EpochDone,
    EpochInfo,
    Id,
    JobProgress,
    LineDecoder,
    Notification,
    Params,
    Received,
    Request,
    Response,
    ShutdownParams,
    encode,
)

A = TypeVar("A")
OnProgress = Callable[[JobProgress], None]
OnEpoch = Callable[[EpochInfo], None]

LOG_LINES = 200
"""How many of the worker's last log lines are kept."""

logger = logging.getLogger(__name__)


class WorkerError(SegClassifyError):
    """What the worker answered instead of a result; ``code`` is one of :class:`.protocol.Code`."""

    def __init__(self, message: str, code: int = Code.USER_ERROR) -> None:
        super().__init__(message)
        self.code = code


class WorkerEndedError(WorkerError):
    """The worker's process is no more; the message says how it ended, with the last lines of its log."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Code.INTERNAL_ERROR)


@dataclass(frozen=True)
class _Waiting:
    """Who waits for a response, and who is told of what comes before it."""

    future: Future[Any]
    on_progress: OnProgress | None
    on_epoch: OnEpoch | None


class WorkerClient:
    """Starts a worker and talks to it. May be used from several threads.

    Args:
        python: the interpreter to run it with; by default this one.
        env: environment variables; by default those of this process.
        arguments: more command-line options, see ``python -m SegClassifyLib.worker --help``.
        grace: seconds that a cancelled job, or a worker told to end, gets before its whole process tree is killed.

    Example:
        >>> with WorkerClient() as worker:                                          # doctest: +SKIP
        ...     worker.ask(HelloParams()).pid
        4711
    """

    def __init__(
        self,
        python: str | None = None,
        env: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        grace: float = 5.0,
    ) -> None:
        self._grace = grace
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._open: dict[Id, _Waiting] = {}
        self._asked_to_stop: set[Id] = set()
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self.process = _start(python or sys.executable, env, arguments)
        self._log_reader = threading.Thread(target=self._read_log, name="worker log", daemon=True)
        self._log_reader.start()
        self._reader = threading.Thread(target=self._read, name="worker answers", daemon=True)
        self._reader.start()

    @property
    def log(self) -> str:
        """The last lines of the worker's log."""
        return "\n".join(self._log)

    def ask(
        self,
        params: Params[A],
        on_progress: OnProgress | None = None,
        timeout: float | None = None,
        on_epoch: OnEpoch | None = None,
    ) -> A:
        """Call a method with typed parameters and answer; see :meth:`call`."""
        identity = self.start(params.METHOD, params.to_json(), on_progress, on_epoch)
        return params.read_answer(self.wait(identity, timeout))

    def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Call a method and wait for its result, as JSON.

        Raises:
            WorkerError: the worker answered with an error.
            WorkerEndedError: it ended before it answered.
            Cancelled: the call was cancelled from another thread.
            TimeoutError: no answer within ``timeout`` seconds; the call goes on.
        """
        return self.wait(self.start(method, params, on_progress), timeout)

    def start(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
        on_epoch: OnEpoch | None = None,
    ) -> Id:
        """Send a request and return its id at once.

        ``on_progress``, and ``on_epoch`` for epochs of a segmenter's training, are called from the thread that reads
        the answers, so they must not wait for one. What they raise is raised by :meth:`wait`.
        """
        with self._lock:
            identity = next(self._numbers)
            self._open[identity] = _Waiting(Future(), on_progress, on_epoch)
        self._send(Request(identity, method, dict(params or {})))
        return identity

    def wait(self, identity: Id, timeout: float | None = None) -> Any:
        """The result of a request; raises as :meth:`call` does. Each may be waited for once."""
        if threading.current_thread() is self._reader:
            raise RuntimeError(
                "on_progress must not wait for an answer: it runs in the thread that reads them"
            )
        future = self._open[identity].future
        try:
            result = future.result(timeout)
        except NotYet as error:
            raise TimeoutError(f"no answer within {timeout} seconds") from error
        finally:
            if future.done():
                self._open.pop(identity, None)
        return result

    def cancel(self, identity: Id) -> bool:
        """Ask a job to stop, and end the worker by force if it has not after the grace time.

        Returns:
            Whether the job was still waiting or running; :meth:`wait` then raises :class:`Cancelled`.
        """
        entry = self._open.get(identity)
        if entry is None or entry.future.done():
            return False
        self._asked_to_stop.add(identity)
        alarm = threading.Timer(self._grace, self.kill)
        alarm.daemon = True
        alarm.start()
        entry.future.add_done_callback(lambda _: alarm.cancel())
        try:
            return self.ask(CancelParams(identity)).accepted
        except WorkerEndedError:  # by force, because it did not even answer this
            return True

    def kill(self) -> None:
        """End the worker and all that it started, at once."""
        if sys.platform == "win32":
            command = ["taskkill", "/F", "/T", "/PID", str(self.process.pid)]
            subprocess.run(command, capture_output=True, check=False)
        elif self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it may end by itself just now
                os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the worker: asked first, by force after the grace time."""
        try:
            self.ask(ShutdownParams(), timeout=self._grace)
        except (WorkerEndedError, TimeoutError) as error:
            logger.info("The worker did not say goodbye: %s", error)
        try:
            self.process.wait(self._grace)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()
        for thread in (self._reader, self._log_reader):
            thread.join(2.0)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not sent any more to one that had ended
                    pipe.close()

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, request: Request) -> None:
        line, pipe = encode(request), self.process.stdin
        assert pipe is not None
        try:
            with self._lock:
                pipe.write(line)
                pipe.flush()
        except (OSError, ValueError):  # it ended: the reader notices too, but perhaps did before this request
            self.process.wait()
            self._fail([request.id])

    def _read(self) -> None:
        decoder, pipe = LineDecoder(), self.process.stdout
        assert pipe is not None
        while data := os.read(pipe.fileno(), 1 << 16):
            for message in decoder.feed(data):
                self._take(message)
        self.process.wait()
        self._fail(list(self._open))

    def _take(self, message: Received) -> None:
        if isinstance(message, Response) and message.id in self._open:
            future = self._open[message.id].future
            if not future.done():
                _settle(future, message)
        elif isinstance(message, Notification) and message.method == JobProgress.METHOD:
            note = JobProgress.from_json(message.params)
            waiting = self._open.get(note.id)
            if waiting is not None and waiting.on_progress is not None:
                _tell(waiting.future, waiting.on_progress, note)
        elif isinstance(message, Notification) and message.method == EpochDone.METHOD:
            told = EpochDone.from_json(message.params)
            waiting = self._open.get(told.id)
            if waiting is not None and waiting.on_epoch is not None:
                _tell(waiting.future, waiting.on_epoch, told.epoch)
        else:
            what = message.error.message if isinstance(message, Broken) else message
            logger.warning("Passed over, from the worker: %s", what)

    def _read_log(self) -> None:
        pipe = self.process.stderr
        assert pipe is not None
        for line in pipe:
            self._log.append(line.decode("utf-8", "backslashreplace").rstrip())

    def _fail(self, identities: Sequence[Id]) -> None:
        """Who waits for these learns that there will be no answer."""
        self._log_reader.join(2.0)  # not for ever: a child of the worker may hold the log open
        error = self._farewell()
        with self._lock:
            for identity in identities:
                waiting = self._open.get(identity)
                if waiting is not None and not waiting.future.done():
                    waiting.future.set_exception(Cancelled() if identity in self._asked_to_stop else error)

    def _farewell(self) -> WorkerEndedError:
        code = self.process.returncode
        how = f"exit code {code}"
        if code < 0:
            how = f"killed by {signal.Signals(-code).name}"
        last = "\n".join(list(self._log)[-20:]) or "(nothing)"
        return WorkerEndedError(
            f"The worker has ended ({how}): start it again. The last lines of its log:\n{last}"
        )


def _tell(future: Future[Any], listener: Callable[[A], None], note: A) -> None:
    if not future.done():
        try:
            listener(note)
        except Exception as error:  # the caller's own: raised where the caller waits
            future.set_exception(error)


def _settle(future: Future[Any], response: Response) -> None:
    if response.error is None:
        future.set_result(response.result)
    elif response.error.code == Code.CANCELLED:
        future.set_exception(Cancelled())
    else:
        future.set_exception(WorkerError(response.error.message, response.error.code))


def _start(python: str, env: Mapping[str, str] | None, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    variables = dict(os.environ if env is None else env)
    library = str(Path(SegClassifyLib.__file__).resolve().parents[1])
    path = variables.get("PYTHONPATH", "")
    variables["PYTHONPATH"] = os.pathsep.join([library, path] if path else [library])
    return subprocess.Popen(
        [python, "-m", "SegClassifyLib.worker", "--parent-pid", str(os.getpid()), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=variables,
        start_new_session=sys.platform != "win32",
    )
