"""Tables as people read them."""

from __future__ import annotations

import numpy as np

from SegClassifyLib.evaluation.draws import DrawResult
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.summary import (
    confusion_table,
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
