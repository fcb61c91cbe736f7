"""Errors of the stand-in, and what went wrong where Slicer would only print it."""

import sys
import traceback
from dataclasses import dataclass, field


class NotInStandin(RuntimeError):
    """A name that Slicer has and the stand-in has not: add it to the stand-in."""


class WouldBlock(RuntimeError):
    """A modal dialog that would wait for a person who is not there."""


@dataclass
class Record:
    """What happened while a module ran.

    Args:
        exceptions: tracebacks of exceptions that left a slot, an observer or an event handler; Slicer prints them.
        messages: (kind, text) of every message box that was asked for, in order.
        installs: arguments of every `pip_install`, `pip_ensure` and `pip_uninstall`, in order.
        urls: what `openUrl` was asked to open.
    """

    exceptions: list[str] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    installs: list[tuple[str, object]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def clear(self) -> None:
        """Forget everything."""
        for entries in (self.exceptions, self.messages, self.installs, self.urls):
            entries.clear()


record = Record()


def report_exception() -> None:
    """Print the exception being handled and keep it, as PythonQt prints what leaves a slot."""
    text = traceback.format_exc()
    record.exceptions.append(text)
    print(text, file=sys.stderr)


def raise_recorded() -> None:
    """Raise what slots and observers left behind since the last call, so that a test does not miss it."""
    if record.exceptions:
        text = "\n".join(record.exceptions)
        record.exceptions.clear()
        raise AssertionError(f"An exception left a slot or an observer:\n{text}")
