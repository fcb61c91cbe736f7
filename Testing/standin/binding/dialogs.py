"""Modal dialogs: they never open. A test says beforehand what a person would answer."""

from collections import deque
from collections.abc import Callable
from typing import Any

from standin.binding.specials import static
from standin.binding.wrapper import SPECIALS, Wrapper
from standin.errors import WouldBlock, record

# Answers of the next modal dialogs, in order: a function(wrapper) for exec_(), a value for static functions.
answers: deque[Any] = deque()

BUTTON_QUESTIONS = ("question", "information", "warning", "critical")
ASKING = {
    "QFileDialog": ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"),
    "QInputDialog": ("getText", "getInt", "getDouble", "getItem"),
}


def answer(*values: Any) -> None:
    """Say what the next modal dialogs get.

    Args:
        values: one for each dialog, in order: what a static function gives back (a path, a text, True), or for a
            dialog that is run by `exec_()` a function that gets the dialog, acts on it and gives the result code.
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


def _ask(dialog: str, function: str) -> None:
    @static(dialog, function)
    def ask(*args: Any) -> Any:
        return _next_answer(f"{dialog}.{function}()")


for kind in BUTTON_QUESTIONS:
    _message(kind)
for dialog, functions in ASKING.items():
    for function in functions:
        _ask(dialog, function)
