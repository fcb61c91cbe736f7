"""Changes of what ``dataset.json`` says of cases, as functions from the old content to the new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from SegClassifyLib.cases import rules
from SegClassifyLib.cases.reader import find_case
from SegClassifyLib.cases.rules import NewClass
from SegClassifyLib.cases.schema import Case, DatasetFile


def with_changes(
    document: DatasetFile, folder: Path, updates: Mapping[str, Mapping[str, Any]], new_class: NewClass
) -> DatasetFile:
    """The set with other fields in some of its cases.

    Args:
        document: the set.
        folder: where it is, for sentences.
        updates: case name → field → value.
        new_class: as in :meth:`.training_set.TrainingSet.add`.

    Raises:
        TrainingSetError: no such case, or it may not have such a value.
    """
    new: dict[str, Case] = {}
    for name, update in updates.items():
        case = find_case(document, name, folder)
        document = rules.with_class(document, case.name, update.get("label_class"), new_class)
        new[case.name] = rules.changed_case(case, dict(update))
    return document.with_cases(tuple(new.get(c.name, c) for c in document.cases))


def without_unused(document: DatasetFile, classes: Iterable[str]) -> DatasetFile:
    """The set without those of ``classes`` that no case has."""
    used = {c.label_class for c in document.cases}
    gone = set(classes) - used
    return document.with_classes(tuple(c for c in document.segclassify.classes if c not in gone))
