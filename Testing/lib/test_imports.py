"""What importing the library drags in, and that the rooms' arrows point one way."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import SegClassifyLib

LIBRARY = Path(SegClassifyLib.__file__).parent

HEAVY = ("torch", "monai", "sklearn", "scipy", "matplotlib")

GROUND = {"atomic", "devices", "disk_errors", "errors", "progress"}
"""Single files that every room may import."""

ARROWS: dict[str, set[str]] = {
    "volumes": set(),
    "preprocessing": {"volumes"},
    "networks": {"preprocessing", "volumes"},
    "features": {"networks", "preprocessing", "volumes", "segmenter"},
    "segmenter": {"features", "networks", "preprocessing", "volumes"},
    "inference": {"features", "networks", "preprocessing", "segmenter", "volumes"},
    "cases": {"volumes"},
    "phantoms": {"cases", "volumes"},
    "evaluation": {"features"},
    "heads": {"evaluation", "features"},
    "trust": {"evaluation", "features", "heads", "volumes"},
    "package": {
        "evaluation", "features", "heads", "networks", "preprocessing", "segmenter", "trust", "volumes",
    },
    "classify": {
        "cases", "evaluation", "features", "heads", "inference", "networks", "package", "preprocessing",
        "segmenter", "trust", "volumes",
    },
    "training": {
        "cases", "evaluation", "features", "heads", "inference", "networks", "package", "preprocessing",
        "segmenter", "trust", "volumes",
    },
    "annotation": {
        "cases", "evaluation", "features", "heads", "inference", "package", "training",
    },
    "evidence": {
        "classify", "features", "heads", "inference", "package", "preprocessing", "segmenter", "volumes",
    },
    "experiment": {
        "cases", "evaluation", "features", "heads", "inference", "networks", "package", "preprocessing",
        "segmenter", "training", "trust",
    },
    "recipes": {"cases", "evaluation", "experiment", "networks", "phantoms", "training", "volumes"},
    "demo": {
        "cases", "classify", "evaluation", "features", "heads", "inference", "networks", "package", "phantoms",
        "preprocessing", "segmenter", "training", "volumes",
    },
    "worker": {
        "annotation", "cases", "classify", "evaluation", "evidence", "features", "networks", "package",
        "preprocessing", "training", "volumes",
    },
    "cli": {
        "annotation", "cases", "classify", "demo", "evaluation", "evidence", "experiment", "features", "networks",
        "package", "phantoms", "recipes", "training", "volumes",
    },
}  # fmt: skip
"""Room → rooms it may import."""


def room_of(module: str) -> str:
    """``features.taps`` → ``features``."""
    return module.split(".")[0]


def modules() -> dict[str, Path]:
    """``features.taps`` → its file; packages by their own name."""
    found = {}
    for path in sorted(LIBRARY.rglob("*.py")):
        parts = path.relative_to(LIBRARY).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts:
            found[".".join(parts)] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """Full names of all that a file imports, inside functions too; for types only counts not."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}:{node.lineno} imports by dots"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        pending += ast.iter_child_nodes(node)


def own_imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of the library that a file imports."""
    found = set()
    for name in imported(path):
        top, _, inside = name.partition(".")
        if top == "SegClassifyLib" and inside:
            found.add(inside if inside in known else inside.rpartition(".")[0])
    return found - {""}


def test_arrows_between_rooms_are_those_of_the_table() -> None:
    known = modules()
    wrong = []
    for module, path in known.items():
        room = room_of(module)
        if room in GROUND:
            allowed = GROUND
        else:
            assert room in ARROWS, f"the room {room} is not in the table: say what it may import"
            allowed = GROUND | {room} | ARROWS[room]
        wrong += [
            f"{module} imports {other}"
            for other in sorted(own_imports(path, known))
            if room_of(other) not in allowed
        ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_no_import_runs_in_a_circle() -> None:
    known = modules()
    edges = {module: own_imports(path, known) for module, path in known.items()}
    done: set[str] = set()

    def walk(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " → ".join((*trail[trail.index(module) :], module))
        if module in done:
            return
        for other in edges.get(module, ()):
            walk(other, (*trail, module))
        done.add(module)

    for module in edges:
        walk(module, ())


@pytest.mark.parametrize("forbidden", ["slicer", "qt", "ctk", "vtk"])
def test_nothing_of_slicer_is_imported(forbidden: str) -> None:
    wrong = [m for m, path in modules().items() if any(n.split(".")[0] == forbidden for n in imported(path))]
    assert not wrong


@pytest.mark.parametrize(
    "name, absent",
    [
        ("SegClassifyLib", (*HEAVY, "SimpleITK", "numpy", "pydantic", "typer")),
        ("SegClassifyLib.cli.main", HEAVY),
        ("SegClassifyLib.cases.training_set", HEAVY),
        ("SegClassifyLib.package.library", HEAVY),
        ("SegClassifyLib.worker.server", (*HEAVY, "SimpleITK", "numpy", "pydantic")),
    ],
)
def test_importing_stays_light(name: str, absent: tuple[str, ...]) -> None:
    code = f"import {name}, json, sys; print(json.dumps(sorted(m for m in sys.modules if '.' not in m)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(json.loads(done.stdout)) & set(absent)


def test_public_names_are_there_and_are_all() -> None:
    for name in SegClassifyLib.__all__:
        assert getattr(SegClassifyLib, name) is not None
    assert set(SegClassifyLib.__all__) == {*SegClassifyLib._HOMES, "__version__"}
    assert set(SegClassifyLib.__all__) <= set(dir(SegClassifyLib))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = SegClassifyLib.nothing


def test_names_for_type_checkers_are_the_public_names() -> None:
    tree = ast.parse((LIBRARY / "__init__.py").read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    names = {
        alias.asname or alias.name
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert names == set(SegClassifyLib._HOMES)


def test_version_is_the_distribution_s() -> None:
    from importlib.metadata import version

    assert SegClassifyLib.__version__ == version("segclassify")
