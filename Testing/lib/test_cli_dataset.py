"""``segclassify dataset`` from the outside, and the plumbing all commands share."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import typer
from cases_data import write_mask, write_volume
from typer.testing import CliRunner, Result

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli import console
from SegClassifyLib.cli.dataset import app
from SegClassifyLib.errors import Cancelled, TrainingSetError
from SegClassifyLib.progress import ProgressEvent


def run(*arguments: object, code: int = 0, **more: str) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], **more)  # type: ignore[arg-type]
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run(
        "create",
        tmp_path / "set",
        "--channel",
        "T1",
        "--label",
        "tumour",
        "--class",
        "ring",
        "--class",
        "solid",
    )
    return tmp_path / "set"


def test_a_set_from_start_to_end(folder: Path, tmp_path: Path) -> None:
    image, mask = write_volume(tmp_path / "alpha.nii.gz"), write_mask(tmp_path / "m.nii.gz", value=7)
    run("add", folder, image, "-s", mask, "--label-value", "7=1", "-c", "ring", "-g", "P1", "--predicted")
    case = TrainingSet.open(folder).case("alpha")
    assert (case.label_class, case.group, case.segmentation_is_prediction) == ("ring", "P1", True)
    run("change", folder, "alpha", "--class", "", "--split", "test", "--corrected")
    case = TrainingSet.open(folder).case("alpha")
    assert (case.label_class, case.group, case.split, case.segmentation_is_prediction) == (
        None,
        "P1",
        "test",
        False,
    )
    assert "alpha" in run("list", folder).stdout
    run("remove", folder, "alpha")
    assert "alpha" not in run("list", folder).stdout
    run("restore", folder, "alpha")
    run("add-class", folder, "odd", "other")
    run("rename-class", folder, "odd", "strange")
    run("remove-class", folder, "other")
    assert "ring 0, solid 0, strange 0" in run("show", folder).stdout
    write_volume(folder / "images" / "orphan.nii.gz")
    assert "orphan.nii.gz belongs to no case" in run("check", folder, "--pixels").stdout
    run("tidy", folder, input="n\n", code=1)
    assert (folder / "images" / "orphan.nii.gz").exists()
    run("tidy", folder, "--yes")
    assert not (folder / "images" / "orphan.nii.gz").exists()


def test_json_output_is_one_document_on_stdout(folder: Path, tmp_path: Path) -> None:
    added = json.loads(run("add", folder, write_volume(tmp_path / "a.nii.gz"), "--json").stdout)
    assert (added["name"], added["image"], added["split"]) == ("a", "images/a.nii.gz", "train")
    assert json.loads(run("list", folder, "--json").stdout) == [added]
    assert json.loads(run("show", folder, "a", "--json").stdout) == added
    assert json.loads(run("show", folder, "--json").stdout)["classes"] == {"ring": 0, "solid": 0}
    checked = json.loads(run("check", folder, "--json").stdout)
    assert {f["severity"] for f in checked["findings"]} == {"warning", "info"}
    assert checked["classes"][0] == {"name": "ring", "cases": 0, "groups": 0, "test_cases": 0}
    assert (checked["cases"], checked["unlabelled"], checked["classifier_can_be_trained"]) == (1, 1, False)
    assert json.loads(run("remove", folder, "a", "--json").stdout) == [added]
    assert json.loads(run("tidy", folder, "--json").stdout) == []


def test_errors_are_one_sentence_on_stderr_and_exit_code_1(folder: Path, tmp_path: Path) -> None:
    for arguments, sentence in (
        (("add", folder, tmp_path / "gone.nii.gz"), "there is no file"),
        (("show", tmp_path / "nowhere"), "is not a training set"),
        (("create", folder, "--label", "x"), "already holds a dataset.json"),
        (("remove", folder, "nobody"), "has no case 'nobody'"),
        (("add", folder, tmp_path / "x.nii.gz", "--label-value", "one=1"), "two whole numbers"),
        (("import-csv", folder, tmp_path / "gone.csv"), "There is no table"),
    ):
        result = run(*arguments, code=1)
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ") and sentence in result.stderr
        assert result.stderr.count("\n") == 1


def test_check_fails_when_there_are_errors(folder: Path, tmp_path: Path) -> None:
    run("add", folder, write_volume(tmp_path / "a.nii.gz"))
    (folder / "images" / "a.nii.gz").unlink()
    assert "a.nii.gz is gone" in run("check", folder, code=1).stdout


def test_imports_make_the_set_they_need(tmp_path: Path) -> None:
    for name in ("p1_l", "p1_r", "p2_l"):
        write_volume(tmp_path / "in" / "ring" / f"{name}.nii.gz")
        write_mask(tmp_path / "in" / "ring" / "masks" / f"{name}.nii.gz")
    result = run(
        "import-folders", tmp_path / "a", tmp_path / "in", "--group-pattern", r"p\d+", "--label", "tumour"
    )
    assert "Added 3 case(s)" in result.stdout
    assert sorted(TrainingSet.open(tmp_path / "a").groups) == ["p1", "p2"]
    rows = [
        "image,mask,which,class",
        "in/ring/p1_l.nii.gz,in/ring/masks/p1_l.nii.gz,x,ring",
        "gone.nii.gz,,y,ring",
    ]
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    stopped = run("import-csv", tmp_path / "b", tmp_path / "t.csv", code=1)
    assert "line 3" in stopped.stdout and not (tmp_path / "b").exists()
    skip = ("--on-error", "skip", "--column", "name=which", "--json")
    content = json.loads(run("import-csv", tmp_path / "b", tmp_path / "t.csv", *skip, code=1).stdout)
    assert content["added"] == ["x"] and content["problems"][0]["where"] == "line 3"
    assert [x.name for x in TrainingSet.open(tmp_path / "b").labels] == ["background", "foreground"]


def test_decathlon_import_with_a_table_of_classes(tmp_path: Path) -> None:
    from test_cases_imports import decathlon_source

    source = decathlon_source(tmp_path / "in")
    (tmp_path / "t.csv").write_text("name;class\nb1;ring\nb2;solid\n", encoding="utf-8")
    run("import-decathlon", tmp_path / "set", source, "--table", tmp_path / "t.csv")
    made = TrainingSet.open(tmp_path / "set")
    assert (made.channels, made.class_counts) == (("MRI", "MRI 2"), {"ring": 1, "solid": 1})


def test_every_command_explains_itself() -> None:
    for name in ("create", "add", "change", "remove", "restore", "list", "show", "check", "add-class", "import-csv",
                 "import-folders", "import-decathlon", "tidy"):  # fmt: skip
        assert len(run(name, "--help").stdout) > 200


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (TrainingSetError("The set [x] is odd."), 1, "Error: The set [x] is odd.\n"),
        (Cancelled(), 130, "Cancelled.\n"),
        (KeyboardInterrupt(), 130, "Cancelled.\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "is full"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x/y"),
            1,
            "Error: /x/y may not be read or written",
        ),
        (MemoryError(), 1, "not enough memory"),
    ],
)
def test_guarded_commands_end_in_a_sentence(
    error: BaseException, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @console.guarded
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        command()
    assert caught.value.exit_code == code
    assert sentence in capsys.readouterr().err


def test_a_bug_is_not_taken_for_a_users_error() -> None:
    @console.guarded
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


def test_progress_is_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress_bar() as progress:
        for done in range(1000):
            progress.report("Reading", done, 1000)
        progress.report("Writing")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Reading: 0%" and lines[-1] == "Writing …"
    assert len(lines) < 20
    with console.progress_bar(quiet=True) as progress:
        progress.report("Reading", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_progress_is_a_bar_with_time_left_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from rich.console import Console

    drawn = io.StringIO()
    monkeypatch.setattr(console, "errors", Console(file=drawn, force_terminal=True, width=100))
    with console.progress_bar() as progress:
        assert progress._on_event is not None
        progress._on_event(ProgressEvent("Training", 0.25, "Dice 0.8", 200.0))
    for text in ("Training", "25%, 3 min 20 s left", "Dice 0.8"):
        assert text in drawn.getvalue()
    assert [console.duration(s) for s in (8, 61, 7500)] == ["8 s", "1 min 1 s", "2 h 5 min"]
