"""Ends a process with all that it started; killing only the launcher in front of Python would leave the rest behind."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import Any

import qt


def let_go(process: qt.QProcess) -> None:
    """Keep a process that nobody waits for any more until it has ended and its signals are through.

    Python would delete it with its last reference, and Qt would then wait for it, or stumble over the signal in whose
    handler that happened.
    """
    _leaving.append(process)
    process.finished.connect(_sweep)
    _sweep()


def _sweep(*_args: Any) -> None:
    qt.QTimer.singleShot(0, _drop_ended)


def _drop_ended() -> None:
    _leaving[:] = [process for process in _leaving if process.state() != qt.QProcess.NotRunning]


_leaving: list[qt.QProcess] = []


def kill_tree(process: qt.QProcess, group: int | None) -> None:
    """End a process and its children at once.

    Args:
        process: as started; may be a launcher.
        group: process id of the interpreter behind it, if that is known; on POSIX it leads a process group.
    """
    if sys.platform == "win32":
        for pid in {process.processId(), group or 0} - {0}:
            qt.QProcess.execute("taskkill", ["/F", "/T", "/PID", str(pid)])
    elif group is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it may just have ended by itself
            if os.getpgid(group) == group:
                os.killpg(group, signal.SIGKILL)
    process.kill()
