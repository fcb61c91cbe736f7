"""Tables as people read them."""

from __future__ import annotations

import numpy as np

from SegClassifyLib.evaluation.crossvalidate import CrossValidation, score_intervals
from SegClassifyLib.evaluation.draws import DrawResult
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.metrics import score
from SegClassifyLib.evaluation.summary import (
    confusion_table,
    cross_validation_summary,
    few_shot_summary,
    table,
)


def test_columns_line_up() -> None:
    assert table(["arm", "n"], [["linear", "5"], ["conv", "10"]]) == (
        "| arm    |  n |\n| ------ | -: |\n| linear |  5 |\n| conv   | 10 |"
    )


def test_confusion_has_true_classes_as_rows() -> None:
    lines = confusion_table(np.array([[8, 2], [1, 4]]), ["benign", "malignant"]).splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["true class", "said benign", "said malignant", "right"]
    assert cells[2] == ["benign", "8", "2", "8/10"]
    assert cells[3] == ["malignant", "1", "4", "4/5"]


def test_cross_validation_reads_with_intervals_and_undefined_as_a_dash() -> None:
    y = np.array([0, 0, 1, 1] * 5)
    proba = np.tile([[0.8, 0.1, 0.1], [0.4, 0.5, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]], (5, 1))
    scores, intervals = score(y, proba), score_intervals(y, proba, np.arange(20))
    result = CrossValidation(np.log(proba)[None], proba, scores, intervals, (scores,), (), (), 5, 0)
    text = cross_validation_summary(result, ["a", "b", "c"])
    assert text.startswith("20 cases, 5 folds, 1 repeats; 95 % intervals over patients.")
    shown = intervals.balanced_accuracy
    assert f"| 0.75 ({shown.low:.2f}–{shown.high:.2f}) |" in text
    assert [line.split("|")[2].strip() for line in text.splitlines() if "AUC of c" in line] == ["–"]


def test_few_shot_has_arms_as_rows_and_dashes_for_what_was_not_run() -> None:
    def result(n: int, value: float) -> DrawResult:
        interval = Interval(value, value - 0.1, value + 0.1)
        return DrawResult(n, (value,), (value,), interval, interval)

    text = few_shot_summary({"linear": [result(5, 0.6), result(10, 0.7)], "shape": [result(5, 0.5)]})
    rows = [
        [c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    assert rows[0] == ["cases per class", "5", "10"]
    assert rows[2] == ["linear", "0.60 (0.50–0.70)", "0.70 (0.60–0.80)"]
    assert rows[3] == ["shape", "0.50 (0.40–0.60)", "–"]
    assert text.count("linear") == 2
