"""Modal dialogs: they never open. A test says beforehand what a person would answer."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from standin.binding.specials import static
from standin.binding.wrapper import SPECIALS, Wrapper
from standin.errors import WouldBlock, record

# Answers of the next modal dialogs, in order: a function(wrapper) for exec_(), a value for static functions.
answers: deque[Any] = deque()

BUTTON_QUESTIONS = ("question", "information", "warning", "critical")


@dataclass(frozen=True)
class Question:
    """A static function of a dialog that waits for a person.

    Args:
        needed: types of arguments that must be given, after the parent.
        optional: types of those that may follow.
        answer: type of what it gives back: one value, for PythonQt has no `ok` beside it.
        given_up: what it gives back when the person cancels, which a test says as None.
    """

    needed: tuple[type, ...]
    optional: tuple[type, ...]
    answer: type
    given_up: Any


LINE = (str, str)  # title and label
ASKING = {
    ("QFileDialog", "getOpenFileName"): Question((), (str, str, str), str, ""),
    ("QFileDialog", "getOpenFileNames"): Question((), (str, str, str), tuple, ()),
    ("QFileDialog", "getSaveFileName"): Question((), (str, str, str), str, ""),
    ("QFileDialog", "getExistingDirectory"): Question((), (str, str, int), str, ""),
    ("QInputDialog", "getText"): Question(LINE, (int, str), str, ""),
    ("QInputDialog", "getMultiLineText"): Question(LINE, (str,), str, ""),
    ("QInputDialog", "getInt"): Question(LINE, (int, int, int, int), int, 0),
    ("QInputDialog", "getDouble"): Question(LINE, (float, float, float, int), float, 0.0),
    ("QInputDialog", "getItem"): Question((*LINE, list), (int, bool), str, ""),
}


def answer(*values: Any) -> None:
    """Say what the next modal dialogs get.

    Args:
        values: one for each dialog, in order: what a static function gives back (a path, a text, True), or for a
            dialog that is run by `exec_()` a function that gets the dialog, acts on it and gives the result code.
            None for a file or input dialog: the person cancels.
    """
    answers.extend(values)


def _next_answer(what: str) -> Any:
    if not answers:
        raise WouldBlock(f"{what} would wait for a person. Say the answer beforehand with standin.answer(…).")
    return answers.popleft()


def _run(wrapper: Wrapper, *args: Any) -> int:
    kind = type(wrapper)._standin_api.name
    respond: Callable[[Wrapper], int] = _next_answer(f"{kind}.exec_()")
    return respond(wrapper)


for dialog in ("QDialog", "QMenu"):
    SPECIALS[dialog, "exec"] = _run


def _message(kind: str) -> None:
    @static("QMessageBox", kind)
    def show(parent: Any, title: str, text: str, *buttons: Any) -> Any:
        record.messages.append((kind, text))
        return answers.popleft() if answers else False


def _fits(value: Any, kind: type) -> bool:
    kinds = {list: (list, tuple), float: (int, float)}.get(kind, (kind,))
    return isinstance(value, kinds)


def _ask(dialog: str, function: str, question: Question) -> None:
    @static(dialog, function)
    def ask(*args: Any) -> Any:
        kinds = (*question.needed, *question.optional)
        parent, rest = (args[0], args[1:]) if args else (None, ())
        fit = len(question.needed) <= len(rest) <= len(kinds) and all(map(_fits, rest, kinds))
        if not fit or not (parent is None or (isinstance(parent, Wrapper) and parent.isWidgetType())):
            raise ValueError(f"Could not find matching overload for given arguments:\n{args}")
        reply = _next_answer(f"{dialog}.{function}()")
        if reply is None:
            return question.given_up
        return str(reply) if question.answer is str and isinstance(reply, PurePath) else reply


for kind in BUTTON_QUESTIONS:
    _message(kind)
for (dialog, function), question in ASKING.items():
    _ask(dialog, function, question)
