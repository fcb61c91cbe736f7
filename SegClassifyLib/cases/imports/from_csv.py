"""Cases from a CSV table: one row a case."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from SegClassifyLib.cases.files import storage_errors
from SegClassifyLib.cases.imports.plan import FoundCase, ImportPlan, ImportProblem
from SegClassifyLib.cases.schema import Role, Split
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.formats import file_stem

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "image": ("image", "images", "image_path", "file", "filename", "path"),
    "segmentation": ("segmentation", "mask", "label", "seg"),
    "class": ("class", "label_class", "diagnosis"),
    "group": ("group", "patient", "patient_id", "subject", "subject_id"),
    "name": ("name", "case", "case_id", "case_name", "id"),
    "role": ("role",),
    "split": ("split",),
}
"""What a column means → headers it is known by, the first one found counts; upper and lower case are the same."""

_CHANNEL = re.compile(r"image[_ ](.+)", re.IGNORECASE)
_NO_CLASS = {"", "na", "n/a", "nan", "none", "null", "?"}


@dataclass(frozen=True)
class Table:
    """A CSV file read: rows as header → text, each with its line number (the header is line 1)."""

    path: Path
    headers: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    problems: tuple[ImportProblem, ...] = ()


def plan_csv(
    path: Path | str, channels: Sequence[str] | None = None, columns: Mapping[str, str] | None = None
) -> ImportPlan:
    """Find cases in a CSV table.

    Columns are ``image`` (or ``image_<channel>`` for each of several channels), and optionally those of
    :data:`COLUMNS`. Paths are relative to the table's folder. Comma, semicolon, tab or ``|`` may separate.

    Args:
        path: the table.
        channels: those of the training set; ``None`` takes them from the headers.
        columns: meaning → header, for tables with other headers (``{"group": "near_duplicate_group"}``;
            ``{"image_T1": "t1_file"}`` for a channel).

    Raises:
        TrainingSetError: no such table, not a table, or no image column. Bad rows become problems of the plan.
    """
    table = read_table(Path(path))
    known = known_columns(table, columns or {})
    images = _image_columns(table, known, channels)
    cases: list[FoundCase] = []
    problems = list(table.problems)
    for line, row in table.rows:
        try:
            cases.append(_case(table, line, row, known, list(images.values())))
        except TrainingSetError as error:
            problems.append(ImportProblem(f"line {line}", str(error)))
    names = tuple(channels) if channels else tuple(images)
    return ImportPlan(table.path, names, tuple(cases), tuple(problems))


def read_table(path: Path) -> Table:
    """Read a CSV file; raises TrainingSetError if it is none."""
    if not path.is_file():
        raise TrainingSetError(f"There is no table {path}; check the path.")
    try:
        with storage_errors(path):
            text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TrainingSetError(f"{path} is not UTF-8 text; save the table as 'CSV UTF-8'.") from error
    if not text.strip() or "\0" in text:
        raise TrainingSetError(
            f"{path} is not a CSV table; save it as CSV with a line of column names first."
        )
    # The header has no quoted text to speak of, so the separator is whichever it holds most of.
    separator = max(",;\t|", key=text.lstrip().split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    headers: tuple[str, ...] = ()
    rows: list[tuple[int, dict[str, str]]] = []
    problems: list[ImportProblem] = []
    try:
        for cells in reader:
            stripped = [c.strip() for c in cells]
            if not headers:
                headers = tuple(stripped)
            elif any(stripped) and len(stripped) > len(headers) and any(stripped[len(headers) :]):
                where = f"line {reader.line_num}"
                problems.append(
                    ImportProblem(
                        where, f"it has {len(stripped)} cells for {len(headers)} columns; quote the text."
                    )
                )
            elif any(stripped):
                rows.append((reader.line_num, dict(zip(headers, stripped, strict=False))))
    except csv.Error as error:
        raise TrainingSetError(
            f"{path} is damaged at line {reader.line_num} ({error}); correct it."
        ) from error
    return Table(path, headers, tuple(rows), tuple(problems))


def known_columns(table: Table, given: Mapping[str, str]) -> dict[str, str]:
    """Meaning → header as written in the table."""
    by_key = {h.casefold(): h for h in reversed(table.headers)}
    found = {}
    for meaning, names in COLUMNS.items():
        header = next((by_key[n] for n in names if n in by_key), None)
        if header is not None:
            found[meaning] = header
    for meaning, header in given.items():
        if meaning not in COLUMNS and not _CHANNEL.fullmatch(meaning):
            raise TrainingSetError(
                f"{meaning!r} is no column SegClassify knows; use one of {', '.join(COLUMNS)}."
            )
        if header.casefold() not in by_key:
            raise TrainingSetError(
                f"{table.path} has no column {header!r}; its columns are {', '.join(table.headers)}."
            )
        found[meaning] = by_key[header.casefold()]
    return found


def _image_columns(table: Table, known: Mapping[str, str], channels: Sequence[str] | None) -> dict[str, str]:
    """Channel → header, in the channels' order; a single ``image`` column may hold files with all channels."""
    by_channel = {m[1]: h for h in table.headers if (m := _CHANNEL.fullmatch(h)) and h not in known.values()}
    by_channel.update({m[1]: h for k, h in known.items() if (m := _CHANNEL.fullmatch(k))})
    if by_channel and (channels is None or len(channels) > 1 or "image" not in known):
        if channels is None:
            return by_channel
        folded = {name.casefold(): header for name, header in by_channel.items()}
        missing = [c for c in channels if c.casefold() not in folded]
        if missing:
            raise TrainingSetError(
                f"{table.path} has no column 'image_{missing[0]}' for the channel {missing[0]!r}; "
                f"its columns are {', '.join(table.headers)}."
            )
        return {c: folded[c.casefold()] for c in channels}
    if "image" not in known:
        raise TrainingSetError(
            f"{table.path} has no column 'image' (or 'image_<channel>'); its columns are "
            f"{', '.join(table.headers)}. Rename one, or say which it is (columns, --column image=…)."
        )
    return {channels[0] if channels else "image": known["image"]}


def _case(
    table: Table, line: int, row: Mapping[str, str], known: Mapping[str, str], image_headers: Sequence[str]
) -> FoundCase:
    images = tuple(_file(table, row, header) for header in image_headers)
    mask_header = known.get("segmentation", "")
    segmentation = _file(table, row, mask_header) if row.get(mask_header) else None
    return FoundCase(
        where=f"line {line}",
        name=row.get(known.get("name", "")) or file_stem(images[0]),
        images=images,
        segmentation=segmentation,
        label_class=class_in(row, known),
        group=row.get(known.get("group", "")) or None,
        role=cast(Role, choice(row, known.get("role"), get_args(Role), "both")),
        split=cast(Split, choice(row, known.get("split"), get_args(Split), "train")),
    )


def _file(table: Table, row: Mapping[str, str], header: str) -> Path:
    text = row.get(header, "")
    if not text:
        raise TrainingSetError(f"the column {header!r} is empty; give a file.")
    path = (
        table.path.parent
        / Path(text.replace("\\", "/") if not Path(text).is_absolute() else text).expanduser()
    )
    if not path.exists():
        hint = " If that column holds classes, rename it 'class'." if header.casefold() == "label" else ""
        raise TrainingSetError(f"the column {header!r} names {text}, and there is no file {path}.{hint}")
    return path


def class_in(row: Mapping[str, str], known: Mapping[str, str]) -> str | None:
    """The class a row gives its case; ``None`` where the cell is empty or says so in words."""
    text = row.get(known.get("class", ""), "")
    return None if text.casefold() in _NO_CLASS else text


def choice(row: Mapping[str, str], header: str | None, allowed: Sequence[str], default: str) -> str:
    """One of the ``allowed`` words from a column; raises TrainingSetError for another."""
    text = row.get(header or "", "").casefold() or default
    text = {"training": "train", "testing": "test"}.get(text, text)
    if text not in allowed:
        raise TrainingSetError(
            f"the column {header!r} says {text!r}; it must be one of {', '.join(allowed)}."
        )
    return text
