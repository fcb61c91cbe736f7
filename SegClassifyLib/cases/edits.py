"""Changes of what ``dataset.json`` says of cases, as functions from the old content to the new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from SegClassifyLib.cases import rules
from SegClassifyLib.cases.reader import find_case
from SegClassifyLib.cases.rules import NewClass
from SegClassifyLib.cases.schema import Case, DatasetFile
from SegClassifyLib.errors import TrainingSetError


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


def with_new_class(document: DatasetFile, name: str) -> DatasetFile:
    """The set knowing one more class; raises TrainingSetError if it knows it already."""
    classes = (*document.segclassify.classes, name)
    rules.refuse_bad_names("class", classes)
    return document.with_classes(classes)


def with_renamed_class(document: DatasetFile, old: str, new: str) -> DatasetFile:
    """The set with another name for a class, in all its cases; raises TrainingSetError if ``new`` is taken."""
    rules.require_class(document, old)
    classes = tuple(new if c == old else c for c in document.segclassify.classes)
    rules.refuse_bad_names("class", classes)
    cases = tuple(
        c.model_copy(update={"label_class": new}) if c.label_class == old else c for c in document.cases
    )
    return document.with_classes(classes).with_cases(cases)


def without_class(document: DatasetFile, name: str) -> DatasetFile:
    """The set without a class; raises TrainingSetError if a case has it."""
    rules.require_class(document, name)
    users = [c.name for c in document.cases if c.label_class == name]
    if users:
        raise TrainingSetError(
            f"Class {name!r} is that of {len(users)} case(s) ({users[0]!r}, …); change them first."
        )
    return document.with_classes(tuple(c for c in document.segclassify.classes if c != name))


def without_unused(document: DatasetFile, classes: Iterable[str]) -> DatasetFile:
    """The set without those of ``classes`` that no case has."""
    used = {c.label_class for c in document.cases}
    gone = set(classes) - used
    return document.with_classes(tuple(c for c in document.segclassify.classes if c not in gone))
