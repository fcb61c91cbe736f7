"""Classes, groups, roles and splits for cases found in folders, from a CSV table with one row a case name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

from SegClassifyLib.cases.imports.from_csv import choice, class_in, known_columns, read_table
from SegClassifyLib.cases.imports.plan import FoundCase, ImportPlan, ImportProblem
from SegClassifyLib.cases.names import name_key
from SegClassifyLib.cases.schema import Role, Split
from SegClassifyLib.errors import TrainingSetError


def join_table(plan: ImportPlan, path: Path | str, columns: Mapping[str, str] | None = None) -> ImportPlan:
    """The same plan with what a table says of its cases; cases the table does not name are left as they are.

    Args:
        plan: what was found.
        path: a table with a ``name`` column (or ``case``, ``case_id``, …) and any of ``class``, ``group``,
            ``role``, ``split``.
        columns: meaning → header, for other headers.

    Raises:
        TrainingSetError: no table, or no name column. Rows without a case become problems of the plan.
    """
    table = read_table(Path(path))
    known = known_columns(table, columns or {})
    if "name" not in known:
        raise TrainingSetError(
            f"{table.path} has no column of case names; its columns are {', '.join(table.headers)}. "
            "Rename one 'name', or say which it is (columns, --column name=…)."
        )
    by_name = {name_key(case.name): n for n, case in enumerate(plan.cases)}
    cases = list(plan.cases)
    problems = [*plan.problems, *table.problems]
    for line, row in table.rows:
        where = f"{table.path.name}, line {line}"
        number = by_name.get(name_key(row.get(known["name"], "")))
        if number is None:
            name = row.get(known["name"], "")
            sentence = f"there is no case {name!r} in {plan.source}; correct the name or drop the row."
            problems.append(ImportProblem(where, sentence))
            continue
        try:
            cases[number] = _joined(cases[number], row, known)
        except TrainingSetError as error:
            problems.append(ImportProblem(where, str(error)))
    return replace(plan, cases=tuple(cases), problems=tuple(problems))


def _joined(case: FoundCase, row: Mapping[str, str], known: Mapping[str, str]) -> FoundCase:
    return replace(
        case,
        label_class=class_in(row, known) or case.label_class,
        group=row.get(known.get("group", "")) or case.group,
        role=cast(Role, choice(row, known.get("role"), get_args(Role), case.role)),
        split=cast(Split, choice(row, known.get("split"), get_args(Split), case.split)),
    )
