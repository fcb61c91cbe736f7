"""Talks to the worker, the process that runs models: a client of its protocol on QProcess, without threads."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.process_tree import kill_tree, let_go
from SegClassifyPanel.python_process import python_executable, python_process
from SegClassifyPanel.worker_call import Call, Failed, OnEpoch, OnProgress, WorkerFailure, read_note
from SegClassifyPanel.worker_log import WorkerLog

make_importable()

from SegClassifyLib.worker.protocol import (  # noqa: E402
    PROTOCOL,
    Broken,
    CancelParams,
    Code,
    Hello,
    HelloParams,
    Id,
    LineDecoder,
    Notification,
    Params,
    Received,
    Response,
    ShapeError,
    ShutdownParams,
    encode,
)

A = TypeVar("A")

GRACE = 1.0
"""Seconds that a cancelled job gets to end before the worker is killed."""


class WorkerProcess:
    """Starts the worker on the first call, and again on the first one after it has ended.

    Callbacks come from Qt's event loop, or from inside :meth:`wait`.

    Args:
        idle_seconds: without a job, after which the worker gives memory back.
    """

    def __init__(self, idle_seconds: float = 300.0) -> None:
        self.hello: Hello | None = None
        self._idle_seconds = idle_seconds
        self._numbers = itertools.count(1)
        self._open: dict[Id, Call] = {}
        self._log = WorkerLog()
        self._process: qt.QProcess | None = None
        self._decoder = LineDecoder()

    @property
    def running(self) -> bool:
        """Whether there is a worker at the moment."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Of the worker's interpreter, once it has said hello."""
        return self.hello.pid if self.hello is not None else None

    @property
    def log(self) -> str:
        """The last lines of the worker's log."""
        return self._log.text

    @property
    def log_changed(self) -> Callable[[], None] | None:
        """Called after the log has grown."""
        return self._log.changed

    @log_changed.setter
    def log_changed(self, changed: Callable[[], None] | None) -> None:
        self._log.changed = changed

    def call(
        self,
        params: Params[A],
        done: Callable[[A], None],
        failed: Failed,
        progress: OnProgress | None = None,
        epoch: OnEpoch | None = None,
    ) -> Id:
        """Send a request; exactly one of ``done`` and ``failed`` is called later, never from in here.

        Returns:
            What :meth:`cancel` and :meth:`wait` want.
        """
        identity = next(self._numbers)
        self._open[identity] = Call(params, done, failed, progress, epoch)
        try:
            self._start()
        except (OSError, RuntimeError) as error:
            failure = WorkerFailure(Code.INTERNAL_ERROR, str(error))
            qt.QTimer.singleShot(0, lambda: self._fail(identity, failure))
            return identity
        self._send(params, identity)
        return identity

    def cancel(self, identity: Id) -> None:
        """Ask a job to stop; a worker that has not ended it within :data:`GRACE` is killed."""
        call = self._open.get(identity)
        if call is None or call.asked_to_stop:
            return
        call.deadline = time.monotonic() + GRACE
        self.call(CancelParams(identity), _ignore, _ignore)
        qt.QTimer.singleShot(int(GRACE * 1000), lambda: self._end_by_force(identity))

    def wait(self, identity: Id) -> None:
        """Return when a call has been answered. Nothing else happens in Slicer meanwhile: for scripts only."""
        while identity in self._open:
            if self._process is None:
                self._fail(identity, WorkerFailure(Code.INTERNAL_ERROR, _("The worker did not start.")))
                return
            if not self._process.waitForReadyRead(100):
                self._take_log()
            self._take_answers()
            call = self._open.get(identity)
            if call is not None and call.deadline is not None and time.monotonic() > call.deadline:
                self._end_by_force(identity)  # no timer runs meanwhile
            if self._process is not None and self._process.state() == qt.QProcess.NotRunning:
                self._ended()

    def stop(self, wait_seconds: float = 1.0) -> None:
        """End the worker and fail what it has not answered; it starts again with the next call."""
        process = self._process
        if process is None:
            return
        self._send(ShutdownParams(), next(self._numbers))
        self._forget(process)
        process.closeWriteChannel()
        if not process.waitForFinished(int(wait_seconds * 1000)):
            kill_tree(process, self.pid)
            process.waitForFinished(1000)
        self._close_calls(WorkerFailure(Code.CANCELLED, _("The worker was stopped.")))

    def _start(self) -> None:
        if self._process is not None:
            return
        python = python_executable()
        process = python_process()
        process.readyReadStandardOutput.connect(self._take_answers)
        process.readyReadStandardError.connect(self._take_log)
        process.finished.connect(self._ended)
        process.errorOccurred.connect(self._went_wrong)
        self._process, self._decoder, self.hello = process, LineDecoder(), None
        arguments = ["-m", "SegClassifyLib.worker", "--own-group", "--step-back"]
        arguments += ["--parent-pid", str(os.getpid()), "--idle-seconds", str(self._idle_seconds)]
        process.start(python, arguments)
        if self._process is None:  # it failed at once
            raise RuntimeError(_("{program} cannot be started.").format(program=python))
        self.call(HelloParams(), self._greet, _ignore)

    def _greet(self, hello: Hello) -> None:
        self.hello = hello
        if hello.protocol != PROTOCOL:
            self._give_up(
                _(
                    "The worker speaks another version of the protocol ({worker} instead of {panel}): install the "
                    "extension again."
                ).format(worker=hello.protocol, panel=PROTOCOL)
            )

    def _send(self, params: Params[Any], identity: Id) -> None:
        if self._process is not None:
            self._process.write(encode(params.request(identity)))

    def _take_answers(self, *_args: Any) -> None:
        if self._process is None:
            return
        for message in self._decoder.feed(self._process.readAllStandardOutput().data()):
            self._take(message)

    def _take(self, message: Received) -> None:
        if isinstance(message, Response) and message.id is not None:
            self._settle(message)
        elif isinstance(message, Notification):
            self._pass_on(message)
        else:
            self._log.note(
                f"Passed over: {message.error.message if isinstance(message, Broken) else message}"
            )

    def _pass_on(self, message: Notification) -> None:
        try:
            note = read_note(message)
        except ShapeError as error:
            self._log.note(f"A message out of shape: {error}")
            return
        call = self._open.get(note.id) if note is not None else None
        if note is None:
            self._log.note(f"Passed over: {message}")
        elif call is not None:
            call.tell(note)

    def _settle(self, response: Response) -> None:
        assert response.id is not None
        call = self._open.get(response.id)
        if call is None:
            return
        if response.error is not None:
            error = response.error
            self._fail(response.id, WorkerFailure(error.code, error.message, error.data))
            return
        try:
            answer = call.params.read_answer(response.result)
        except ShapeError as problem:
            self._fail(response.id, WorkerFailure(Code.INTERNAL_ERROR, str(problem)))
            return
        del self._open[response.id]
        call.done(answer)

    def _fail(self, identity: Id, failure: WorkerFailure) -> None:
        call = self._open.pop(identity, None)
        if call is not None:
            if call.asked_to_stop and not failure.cancelled:
                failure = WorkerFailure(Code.CANCELLED, _("Cancelled."), failure.details)
            call.failed(failure)

    def _close_calls(self, failure: WorkerFailure) -> None:
        for identity in list(self._open):
            self._fail(identity, failure)

    def _end_by_force(self, identity: Id) -> None:
        if identity in self._open and self._process is not None:
            self._log.note("The job did not end when asked to: the worker is killed.")
            process = self._process
            self._forget(process)
            kill_tree(process, self.pid)
            self._close_calls(
                WorkerFailure(
                    Code.INTERNAL_ERROR, _("The worker was ended to cancel another job: try again.")
                )
            )

    def _went_wrong(self, error: Any, *_args: Any) -> None:
        # A crash comes here as well, and then to _ended.
        if self._process is not None and error == qt.QProcess.FailedToStart:
            reason = self._process.errorString()
            self._give_up(_("The worker cannot be started: {reason}.").format(reason=reason))

    def _give_up(self, sentence: str) -> None:
        if self._process is not None:
            process = self._process
            self._forget(process)
            kill_tree(process, self.pid)
        failure = WorkerFailure(Code.INTERNAL_ERROR, sentence)
        qt.QTimer.singleShot(0, lambda: self._close_calls(failure))

    def _ended(self, *_args: Any) -> None:
        """The process is gone: read what it left, then tell everybody who waits."""
        process = self._process
        if process is None:
            return
        self._take_answers()
        self._take_log()
        self._log.end()
        code, crashed = process.exitCode(), process.exitStatus() == qt.QProcess.CrashExit
        self._forget(process)
        self._close_calls(self._farewell(code, crashed))

    def _farewell(self, code: int, crashed: bool) -> WorkerFailure:
        how = _("was ended by the system or crashed") if crashed else _("ended with code {code}")
        sentence = _(
            "The worker, which runs the models, {how}. It starts again with the next click. Last line of its log: "
            "{reason}"
        ).format(how=how.format(code=code), reason=self._log.last_line or _("(nothing)"))
        return WorkerFailure(Code.INTERNAL_ERROR, sentence, self._log.last_lines)

    def _forget(self, process: qt.QProcess) -> None:
        """Listen to this process no longer."""
        for signal, slot in (
            (process.readyReadStandardOutput, self._take_answers),
            (process.readyReadStandardError, self._take_log),
            (process.finished, self._ended),
            (process.errorOccurred, self._went_wrong),
        ):
            signal.disconnect(slot)
        self._process = None
        let_go(process)

    def _take_log(self, *_args: Any) -> None:
        if self._process is None:
            return
        self._log.feed(self._process.readAllStandardError().data())


def _ignore(_: object) -> None:
    """For answers that nobody waits for."""
