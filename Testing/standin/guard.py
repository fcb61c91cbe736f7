"""What Slicer would let pass in silence and a test must not: threads of the module, exceptions in observers."""

import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import qInstallMessageHandler

from standin.errors import record

# What Qt has said since somebody cleared it.
qt_messages: list[str] = []
# The offscreen platform says this of every window.
NOISE = "This plugin does not support propagateSizeHints()"

_module_folders: set[Path] = set()
_start = threading.Thread.start


def watch_folder(folder: Path) -> None:
    """Code in this folder may not start Python threads."""
    _module_folders.add(folder.resolve())


def _starts_in_module() -> str:
    """File and line of the module's code that is starting a thread, or nothing."""
    frame = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_absolute() and any(folder in path.parents for folder in _module_folders):
            return f"{path}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def _guarded_start(thread: threading.Thread) -> None:
    where = _starts_in_module()
    if where:
        raise RuntimeError(
            f"{where} starts a Python thread. In Slicer it stands still while the event loop is idle: "
            "use QProcess, QTimer or a socket."
        )
    _start(thread)


def _keep(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """VTK and PySide6 print what leaves an observer or a slot; it is also kept."""
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        sys.__excepthook__(kind, error, trace)
        return
    text = "".join(traceback.format_exception(kind, error, trace))
    record.exceptions.append(text)
    print(text, file=sys.stderr)


def _qt_message(kind: object, context: object, message: str) -> None:
    if message != NOISE:
        qt_messages.append(message)
        print(message, file=sys.stderr)


def install() -> None:
    """Watch from now on."""
    qInstallMessageHandler(_qt_message)
    threading.Thread.start = _guarded_start  # type: ignore[assignment, method-assign]
    sys.excepthook = _keep
