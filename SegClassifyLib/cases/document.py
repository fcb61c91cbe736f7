"""Reading and writing ``dataset.json``: whole, checked, and with sentences where it is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from SegClassifyLib.atomic import write_bytes
from SegClassifyLib.cases.files import storage_errors
from SegClassifyLib.cases.names import name_key
from SegClassifyLib.cases.schema import FORMAT, DatasetFile
from SegClassifyLib.errors import TrainingSetError

FILE_NAME = "dataset.json"


def read_document(folder: Path) -> DatasetFile:
    """The content of ``folder/dataset.json``.

    Raises:
        TrainingSetError: no training set there, damaged (with the line), of another kind or a newer format.
    """
    path = folder / FILE_NAME
    content = _own_content(_read_json(path), path)
    try:
        document = DatasetFile.model_validate(content)
    except ValidationError as error:
        raise TrainingSetError(
            f"{path} is damaged: {_first_fault(error, content)}. Correct it by hand."
        ) from error
    seen: dict[str, str] = {}
    for case in document.cases:
        if name_key(case.name) in seen:
            twin = seen[name_key(case.name)]
            raise TrainingSetError(
                f"{path} has two cases named {twin!r} and {case.name!r}; rename one by hand."
            )
        seen[name_key(case.name)] = case.name
    return document


def write_document(folder: Path, document: DatasetFile) -> None:
    """Replace ``folder/dataset.json``; a kill leaves the old file or the new one."""
    # ASCII, because MONAI opens the file in whatever encoding the computer prefers.
    text = json.dumps(document.to_json(), indent=1, ensure_ascii=True) + "\n"
    write_bytes(folder / FILE_NAME, text.encode("ascii"))


def _read_json(path: Path) -> Any:
    with storage_errors(path):
        if not path.is_file():
            raise TrainingSetError(
                f"{path.parent} is not a training set: it has no {FILE_NAME}. "
                "Make one with `segclassify dataset create`, or check the folder's name."
            )
        raw = path.read_bytes()
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise TrainingSetError(
            f"{path} is damaged at line {error.lineno}, column {error.colno} ({error.msg}). "
            "Correct that line by hand, or put a copy of the file back."
        ) from error
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise TrainingSetError(
            f"{path} is damaged at line {line}: not UTF-8 text. Put a copy back."
        ) from error


def _own_content(content: Any, path: Path) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise TrainingSetError(f"{path} is damaged: it holds no JSON object. Put a copy of the file back.")
    own = content.get("segclassify")
    if not isinstance(own, dict):
        raise TrainingSetError(
            f"{path} was not made by SegClassify (a Decathlon or nnU-Net folder?); "
            "import it into a new training set with `segclassify dataset import-decathlon`."
        )
    version = own.get("format", FORMAT)
    if isinstance(version, int) and version > FORMAT:
        raise TrainingSetError(
            f"{path} was written by a newer SegClassify (format {version}, this one reads up to {FORMAT}); "
            "update SegClassify."
        )
    return content


def _first_fault(error: ValidationError, content: dict[str, Any]) -> str:
    """The first thing pydantic complains of, in words and with the case it is in."""
    fault = error.errors()[0]
    place = list(fault["loc"])
    where = ".".join(str(p) for p in place)
    if len(place) > 1 and place[0] in ("training", "test") and isinstance(place[1], int):
        entry = content[place[0]][place[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        where = f"case {name!r}" if name else f"entry {place[1] + 1} of {place[0]!r}"
        where += f", key {'.'.join(str(p) for p in place[2:])!r}" if place[2:] else ""
    return f"{where}: {fault['msg']}"
