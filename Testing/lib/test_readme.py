"""The README's example runs as it stands, and the README and the documents say nothing that is not there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
DOCUMENTS = [REPO / "README.md", *sorted((REPO / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)(#[^)]*)?\)")
_COMMAND = re.compile(r"^(?:\$ )?segclassify ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?(.*)$", re.MULTILINE)


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def run(code: str, folder: Path) -> str:
    """What a program prints, run in ``folder`` as a user would, on one thread."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_s_example_runs_and_answers(tmp_path: Path) -> None:
    example = blocks(REPO / "README.md", "python")[0]
    statements = [line for line in example.splitlines() if line and not line.startswith(("from", "import"))]
    assert len(statements) <= 10
    lines = run(example, tmp_path).splitlines()
    assert re.fullmatch(
        r"Balanced accuracy 0\.\d\d \(\d\.\d\d–\d\.\d\d\)|Balanced accuracy 1\.00 .*", lines[0]
    )
    assert len(lines) == 5
    for line in lines[1:]:
        assert re.fullmatch(
            r"case-\d+ is (round|spiculated): (round|spiculated) \(\d+%; \w+ \d+%\)(; at 90 % confidence.+)?",
            line,
        )
    assert (tmp_path / "model" / "configs" / "segclassify.json").is_file()


def test_snippets_of_the_library_guide_run_one_after_the_other(tmp_path: Path) -> None:
    snippets = blocks(REPO / "docs" / "library-guide.md", "python")
    assert len(snippets) > 5
    run("\n".join(snippets), tmp_path)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = [match[0] for match in _LINK.findall(document.read_text(encoding="utf-8"))]
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_commands_and_their_options_are_there(document: Path) -> None:
    import typer.main

    from SegClassifyLib.cli.main import app

    root = typer.main.get_command(app)
    for block in blocks(document, "sh"):
        for name, second, rest in _COMMAND.findall(re.sub(r"\\\n\s*", "", block)):
            commands = root.commands  # type: ignore[attr-defined]
            assert name in commands, f"{document.name}: segclassify {name}"
            command = commands[name]
            if hasattr(command, "commands"):
                assert second in command.commands, f"{document.name}: segclassify {name} {second}"
                command = command.commands[second]
            known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
            used = re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", rest)
            assert set(used) <= known, f"{document.name}: segclassify {name} {second}{rest}"


def test_every_dependency_has_its_reason() -> None:
    tomllib = pytest.importorskip("tomllib")  # Python 3.11 and newer

    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [r for group in project["optional-dependencies"].values() for r in group]
    wanted = {re.split(r"[>=<;\[ ]", r)[0] for r in (*project["dependencies"], *extras)} - {"segclassify"}
    rows = re.findall(
        r"^\| `([\w-]+)` \|", (REPO / "docs" / "dependencies.md").read_text("utf-8"), re.MULTILINE
    )
    assert set(rows) == wanted
