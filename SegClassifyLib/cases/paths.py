"""From what ``dataset.json`` says to a file, without letting it lead out of the folder unasked."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.errors import TrainingSetError


def leaves_folder(text: str) -> bool:
    """Whether a path, read as Windows or as POSIX would, can point outside the folder it is relative to."""
    windows = PureWindowsPath(text)
    return bool(windows.drive or windows.root or PurePosixPath(text).is_absolute() or ".." in windows.parts)


def resolve(folder: Path, case: Case, text: str) -> Path:
    """The file that ``text``, a path of ``case``, means.

    Raises:
        TrainingSetError: it leaves the folder, and the case does not say that its files lie elsewhere.
    """
    if case.storage == "own" and leaves_folder(text):
        raise TrainingSetError(
            f"Case {case.name!r}: the path {text!r} leads out of the training set {folder}; "
            'move the file into it, or say "storage": "reference" if it is meant to stay there.'
        )
    return folder / text
