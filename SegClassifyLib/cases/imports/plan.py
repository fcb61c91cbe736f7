"""What an import found, before anything is added."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from SegClassifyLib.cases.names import name_key, safe_name
from SegClassifyLib.cases.schema import Role, Split
from SegClassifyLib.errors import TrainingSetError


@dataclass(frozen=True)
class FoundCase:
    """One case that an import found.

    Args:
        where: line or folder it came from, for sentences.
        name: before it is made fit for a file name.
        images: one file a channel, or a single file that holds all channels.
    """

    where: str
    name: str
    images: tuple[Path, ...]
    segmentation: Path | None = None
    label_class: str | None = None
    group: str | None = None
    role: Role = "both"
    split: Split = "train"


@dataclass(frozen=True)
class ImportProblem:
    """One thing that keeps a case, or several, out of the set."""

    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}"


@dataclass(frozen=True)
class ImportPlan:
    """All that was found.

    Args:
        source: the file or folder.
        channels: channel names in order.
        labels: label names by value, background first; empty where the source does not say.
    """

    source: Path
    channels: tuple[str, ...]
    cases: tuple[FoundCase, ...]
    problems: tuple[ImportProblem, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def found_problems(self) -> tuple[ImportProblem, ...]:
        """Its problems, and names that several cases have."""
        return (*self.problems, *_double_names(self.cases))


def grouped_by(plan: ImportPlan, pattern: str | None) -> ImportPlan:
    """The same plan with groups taken from case names.

    Args:
        plan: what was found.
        pattern: regular expression searched in the name; its first bracket (or all of it) is the group.

    Raises:
        TrainingSetError: no regular expression. A name in which it is not found becomes a problem of the plan.
    """
    if pattern is None:
        return plan
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise TrainingSetError(f"The group pattern {pattern!r} is no regular expression: {error}.") from error
    cases, problems = [], list(plan.problems)
    for case in plan.cases:
        match = expression.search(case.name)
        if match is None:
            problems.append(
                ImportProblem(case.where, f"the group pattern {pattern!r} is not in {case.name!r}.")
            )
            cases.append(case)
        else:
            cases.append(replace(case, group=match[1] if expression.groups else match[0]))
    return replace(plan, cases=tuple(cases), problems=tuple(problems))


def _double_names(cases: Sequence[FoundCase]) -> list[ImportProblem]:
    """A problem for every case whose name, made fit for a file name, an earlier one has."""
    first: dict[str, str] = {}
    problems = []
    for case in cases:
        try:
            key = name_key(safe_name(case.name))
        except TrainingSetError as error:
            problems.append(ImportProblem(case.where, str(error)))
            continue
        if key in first:
            problems.append(
                ImportProblem(
                    case.where, f"the case name {case.name!r} is taken by {first[key]}; rename one of them."
                )
            )
        first.setdefault(key, case.where)
    return problems
