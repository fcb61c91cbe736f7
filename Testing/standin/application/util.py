"""`slicer.util`: slicer-core's own file, which is Slicer's, over the stand-in's application; messages are kept."""

import importlib.util
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer_core

from standin.api import document
from standin.application.strict import StrictModule
from standin.binding.dialogs import answers
from standin.errors import record

MESSAGES = ("errorDisplay", "warningDisplay", "infoDisplay", "messageBox")
QUESTIONS = ("confirmOkCancelDisplay", "confirmYesNoDisplay", "confirmRetryCloseDisplay")
INSTALLS = ("pip_install", "pip_uninstall")


def load_real() -> Any:
    """slicer-core's `slicer/util.py`, loaded apart from the package it lies in."""
    path = Path(slicer_core.__file__).parent.parent / "slicer" / "util.py"
    spec = importlib.util.spec_from_file_location("slicer.util", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not there: slicer-core is not installed as expected.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def keep_message(name: str, real: Callable) -> Callable:
    """The function, noting what it was asked to say; in testing mode it opens nothing."""

    def display(text: str, *args: Any, **kwargs: Any) -> Any:
        record.messages.append((name, text))
        if name in QUESTIONS and answers:
            return answers.popleft()
        return real(text, *args, **kwargs)

    display.__name__ = name
    return display


def keep_install(name: str) -> Callable:
    """A function that notes what was to be installed, and installs nothing."""

    def install(requirements: Any, **kwargs: Any) -> None:
        record.installs.append((name, requirements))

    install.__name__ = name
    return install


def delay_display(message: str, autoCloseMsec: int = 1000, parent: Any = None, **kwargs: Any) -> None:
    """Log the message and let the event loop run for a moment, as in testing mode."""
    import slicer

    logging.info(message)
    slicer.app.processEvents()


def util_module() -> StrictModule:
    """The module `slicer.util`: the names that Slicer is known to have, and no others."""
    real = load_real()
    listed = document()["slicer.util"].split()
    module = StrictModule("slicer.util", "Slicer's helpers", listed)
    for name in MESSAGES + QUESTIONS:
        setattr(real, name, keep_message(name, getattr(real, name)))
    for name in INSTALLS:
        setattr(real, name, keep_install(name))
    real.delayDisplay = delay_display
    for name in listed:
        if hasattr(real, name):
            setattr(module, name, getattr(real, name))
    sys.modules["slicer.util"] = module
    return module
