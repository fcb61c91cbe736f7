"""The worker and the process it works for: ends when that is gone, even in the middle of a job."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

INTERVAL = 0.5
"""Seconds between two looks."""

_SYNCHRONIZE = 0x00100000
_INFINITE = 0xFFFFFFFF
_BELOW_NORMAL = 0x00004000
_NICENESS = 5


def watch_parent(pid: int | None, gone: Callable[[], None]) -> None:
    """Call ``gone``, from a thread of its own, once the parent is no more.

    Args:
        pid: of the process to watch. It need not be the direct parent, for Slicer starts Python through a
            launcher; the direct parent is watched as well.
        gone: should end the process.
    """
    wait = _wait_on_windows if sys.platform == "win32" else _wait_on_posix

    def run() -> None:
        wait(pid)
        gone()

    threading.Thread(target=run, name="parent", daemon=True).start()


def lead_group() -> None:
    """Become the leader of a process group, whose number then is this process's; on Windows there are none."""
    if sys.platform != "win32" and os.getpgrp() != os.getpid():
        os.setpgid(0, 0)


def step_back() -> None:
    """Take a lower priority: a window that shares the processors with a network must not stutter."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        kernel.SetPriorityClass.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICENESS)


def _wait_on_posix(pid: int | None) -> None:
    first = os.getppid()
    while os.getppid() == first and (pid is None or is_alive(pid)):
        time.sleep(INTERVAL)


def is_alive(pid: int) -> bool:
    """Whether there is a process of that number (POSIX; on Windows this would end it)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        return True
    return True


def _wait_on_windows(pid: int | None) -> None:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.WaitForSingleObject.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    handle = kernel.OpenProcess(_SYNCHRONIZE, False, os.getppid() if pid is None else pid)
    if handle:
        kernel.WaitForSingleObject(handle, _INFINITE)
