"""What every command shares: sentences for errors, exit codes, JSON, and a progress bar with time left."""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from SegClassifyLib.disk_errors import explain_os_error
from SegClassifyLib.errors import Cancelled, SegClassifyError
from SegClassifyLib.progress import Progress, ProgressEvent

P = ParamSpec("P")
R = TypeVar("R")

EXIT_ERROR = 1
EXIT_CANCELLED = 130
"""What shells expect of a command that Ctrl-C ended."""

console = Console(highlight=False)
"""Answers, on stdout."""
errors = Console(stderr=True, highlight=False)
"""Errors and progress, on stderr."""


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Decorate a command: an error a user can cause becomes one sentence on stderr and exit code 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (Cancelled, KeyboardInterrupt) as error:
            errors.print("Cancelled.")
            raise typer.Exit(EXIT_CANCELLED) from error
        except SegClassifyError as error:
            raise fail(str(error)) from error
        except BrokenPipeError:  # the reader of our output has seen enough; click ends quietly
            raise
        except OSError as error:
            raise fail(explain_os_error(error, "the output folder")) from error
        except MemoryError as error:
            raise fail("There is not enough memory for this; use smaller images or fewer at once.") from error

    return run


def fail(sentence: str) -> typer.Exit:
    """Print ``Error: sentence`` on stderr and return what to raise."""
    errors.print("[bold red]Error:[/bold red] ", end="")
    errors.print(sentence, markup=False, soft_wrap=True)
    return typer.Exit(EXIT_ERROR)


def print_json(content: Any) -> None:
    """Print one JSON document on stdout, for programs."""
    sys.stdout.write(json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n")


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal, or wide enough for whole cells where it is no terminal."""
    console.print(table, width=None if console.is_terminal else 200)


@contextmanager
def progress_bar(quiet: bool = False) -> Iterator[Progress]:
    """A :class:`Progress` that is drawn on stderr: a bar in a terminal, a line a second at most elsewhere.

    Args:
        quiet: draw nothing (``--json``).
    """
    if quiet:
        yield Progress()
    elif not errors.is_terminal:
        yield Progress(_PlainLines())
    else:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[share]}", markup=False),
            TextColumn("{task.fields[note]}", markup=False),
        )
        with RichProgress(*columns, console=errors, transient=True) as drawn:
            yield Progress(_Bar(drawn))


class _Bar:
    """Draws the current phase."""

    def __init__(self, drawn: RichProgress) -> None:
        self._drawn = drawn
        self._task = drawn.add_task("", total=None, share="", note="", visible=False)

    def __call__(self, event: ProgressEvent) -> None:
        self._drawn.update(
            self._task,
            description=event.phase,
            total=None if event.fraction is None else 1.0,
            completed=event.fraction or 0.0,
            share=_share(event),
            note=event.note,
            visible=True,
        )


class _PlainLines:
    """Writes a line for each new phase, and at most one a second within it."""

    def __init__(self, interval: float = 1.0) -> None:
        self._interval = interval
        self._phase = ""
        self._last = 0.0

    def __call__(self, event: ProgressEvent) -> None:
        now = time.monotonic()
        if event.phase == self._phase and now - self._last < self._interval:
            return
        self._phase, self._last = event.phase, now
        parts = [p for p in (_share(event), event.note) if p]
        sys.stderr.write(f"{event.phase}: {', '.join(parts)}\n" if parts else f"{event.phase} …\n")
        sys.stderr.flush()


def _share(event: ProgressEvent) -> str:
    """Per cent done and time left, as far as they are known."""
    share = "" if event.fraction is None else f"{event.fraction:.0%}"
    return share if event.seconds_left is None else f"{share}, {duration(event.seconds_left)} left"


def duration(seconds: float) -> str:
    """A time span for people: ``8 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
