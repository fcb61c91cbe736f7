"""What a comparison writes: tables, JSON, report; and its command."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from compare_data import lesions, quick, ready, segmenter_folder
from typer.testing import CliRunner

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.main import app
from SegClassifyLib.experiment.report import write_compare_report
from SegClassifyLib.experiment.result import CompareResult
from SegClassifyLib.experiment.run import run_ready
from SegClassifyLib.experiment.summing import sum_up
from SegClassifyLib.experiment.tables import to_json, to_markdown, write_tables


@pytest.fixture(scope="module")
def training_set(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return lesions(tmp_path_factory.mktemp("set") / "set", 8)


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return segmenter_folder(tmp_path_factory.mktemp("segmenter") / "run")


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("output")


@pytest.fixture(scope="module")
def result(training_set: TrainingSet, segmenter: Path, output: Path) -> CompareResult:
    made = ready(training_set, segmenter, output, "linear", "shape", settings=quick(sizes=(3, 5, 7)))
    return run_ready(made)


def test_tables_say_what_the_result_says(result: CompareResult, output: Path) -> None:
    paths = {p.name: p for p in write_tables(result, output)}
    rows = list(csv.DictReader(paths["scores.csv"].open(encoding="utf-8")))
    found = next(
        r
        for r in rows
        if (r["arm"], r["cases_per_class"], r["metric"]) == ("shape", "5", "balanced_accuracy")
    )
    expected = result.score("shape", 5)
    assert expected is not None
    assert float(found["value"]) == pytest.approx(expected.scores["balanced_accuracy"].value, abs=1e-6)
    assert float(found["low"]) <= float(found["value"]) <= float(found["high"])
    told = json.loads(paths["compare.json"].read_text(encoding="utf-8"))
    assert [d["draws"] for d in told["differences"]] == [2] * len(told["differences"])
    assert {len(draw["train"]) for draw in told["draws"]["3"]} == {6}
    text = paths["compare.md"].read_text(encoding="utf-8")
    assert str(expected.scores["balanced_accuracy"]) in text
    assert "7" not in told["draws"], "8 cases of each class leave too few to be tested on"
    assert "too few cases for 7" in text


def test_difference_in_the_table_is_first_less_other(result: CompareResult) -> None:
    both = [result.score(arm, 5) for arm in ("linear", "shape")]
    assert both[0] and both[1]
    gap = both[0].scores["balanced_accuracy"].value - both[1].scores["balanced_accuracy"].value
    (told,) = (d for d in result.against_first("balanced_accuracy") if d.size == 5)
    assert told.difference.value == pytest.approx(gap)
    assert f"{gap:+.2f}".replace("-", "−") in to_markdown(result)


def test_report_is_one_page_that_loads_nothing(result: CompareResult, output: Path) -> None:
    page = write_compare_report(result, output).read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=[\"'](?!data:|#)", page)
    assert page.count("<img") >= 6
    for words in (
        "segmenter features, linear",
        "shape of the predicted labels only",
        "Reliability",
        "guessing",
    ):
        assert words in page


def test_an_unfinished_comparison_is_summed_up_too(
    training_set: TrainingSet, segmenter: Path, tmp_path: Path
) -> None:
    made = ready(training_set, segmenter, tmp_path, "linear", "shape")
    empty = sum_up(made)
    assert empty.unfinished == 4 and empty.scores == ()
    run_ready(made)
    made.units[0].path(tmp_path).unlink()
    partly = sum_up(made)
    assert partly.unfinished == 1
    assert "still to be run" in to_markdown(partly)
    json.dumps(to_json(partly), allow_nan=False)
    write_compare_report(partly, tmp_path)


def test_command_lists_and_runs_and_goes_on(
    training_set: TrainingSet, segmenter: Path, tmp_path: Path
) -> None:
    runner, out = CliRunner(), tmp_path / "out"
    words = ["compare", str(training_set.folder), "--segmenter", str(segmenter), "--output", str(out)]
    words += ["--sizes", "4", "--draws", "2", "--jobs", "1", "--device", "cpu", "--arms", "shape,linear"]
    listed = runner.invoke(app, [*words, "--list"])
    assert listed.exit_code == 0, listed.output
    assert "4 trainings of linear, shape" in listed.output and "To be run: 4" in listed.output
    assert "scratch-encoder about" in listed.output
    assert not (out / "report.html").exists()
    done = runner.invoke(app, words)
    assert done.exit_code == 0, done.output
    assert (out / "report.html").exists() and "shape of the predicted labels only" in done.output
    again = runner.invoke(app, [*words, "--json"])
    assert again.exit_code == 0
    assert json.loads(again.stdout)["unfinished"] == 0
    assert "4 are there from an earlier run" in runner.invoke(app, [*words, "--list"]).output


@pytest.mark.parametrize(
    "more, told",
    [
        (["--sizes", "5,many"], "numbers from 2 on"),
        (["--sizes", ","], "--sizes is empty"),
        (["--arms", "everything"], "no arm 'everything'"),
        (["--imagenet", "vgg"], "no ImageNet network 'vgg'"),
        (["--imagenet-weights", "nowhere.pth"], "check the path"),
        (["--test", "split"], "no test cases"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    training_set: TrainingSet, segmenter: Path, tmp_path: Path, more: list[str], told: str
) -> None:
    words = ["compare", str(training_set.folder), "--segmenter", str(segmenter), "--output", str(tmp_path)]
    done = CliRunner().invoke(app, [*words, "--device", "cpu", *more])
    assert done.exit_code == 1
    assert told in done.output
