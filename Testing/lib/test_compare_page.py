"""The page of a comparison, whatever was compared: arms, sizes, classes, draws, scores that are not defined."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
from made_comparisons import LONG, made_comparison

from SegClassifyLib.evaluation import compare_figures
from SegClassifyLib.evaluation import figures as drawing
from SegClassifyLib.evaluation.report_html import Figure, Report, Table, Text, render_report
from SegClassifyLib.experiment.report import compare_report, summary
from SegClassifyLib.experiment.result import CompareResult

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module", autouse=True)
def _unpainted() -> Iterator[None]:
    """Pictures are made but not painted, which takes longest: here their words count."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (drawing, compare_figures):
            patch.setattr(module, "to_png", lambda canvas: PNG)
        yield


def figures(report: Report, section: str) -> list[Figure]:
    return [b for s in report.sections if s.title == section for b in s.blocks if isinstance(b, Figure)]


def tables(report: Report, section: str) -> list[Table]:
    return [b for s in report.sections if s.title == section for b in s.blocks if isinstance(b, Table)]


@pytest.fixture(scope="module")
def large() -> tuple[CompareResult, Report]:
    result = made_comparison(11, (5, 20), 4, LONG)
    return result, compare_report(result)


def test_one_size_is_compared_arm_by_arm() -> None:
    result = made_comparison(3, (10,))
    shown = figures(compare_report(result), "How good")
    assert [f.caption for f in shown] == [
        "Balanced accuracy with 10 cases per class (line: 95 % interval; dashed: guessing, 0.33).",
        "AUC with 10 cases per class (line: 95 % interval; dashed: guessing, 0.50).",
    ]
    for score in result.scores:
        assert str(score.scores["balanced_accuracy"]) in shown[0].alt


def test_several_sizes_are_curves_with_the_first_arm_in_each(large: tuple[CompareResult, Report]) -> None:
    result, report = large
    shown = figures(report, "How good")
    assert len(shown) == 4 and all("against the number of training cases" in f.caption for f in shown)
    assert all(f"{result.arms[0].title}:" in f.alt for f in shown)
    for arm in result.arms:
        assert sum(f"{arm.title}" in f.alt for f in shown) >= 2


def test_all_cases_are_called_so_in_the_curves() -> None:
    shown = figures(compare_report(made_comparison(2, (5, 0))), "How good")
    assert "with all (about 10)" in shown[0].alt


def test_every_arm_has_its_matrix(large: tuple[CompareResult, Report]) -> None:
    result, report = large
    shown = figures(report, "Which class is taken for which")
    assert len(shown) == len(result.arms)
    for arm, figure in zip(result.arms, shown, strict=True):
        assert figure.caption.startswith(f"{arm.title}, with 20 cases per class, ")
    words = [b.text for s in report.sections for b in s.blocks if isinstance(b, Text)]
    assert any("compare.json has the numbers of every size" in w for w in words)


def test_few_classes_make_small_pictures() -> None:
    by_classes = {
        n: figures(compare_report(made_comparison(1, (5,), n)), "Which class is taken for which")[0]
        for n in (2, 4)
    }
    assert by_classes[2].small and not by_classes[4].small
    assert '<figure class="small">' in render_report(compare_report(made_comparison(1, (5,), 2)))


def test_one_arm_is_not_compared() -> None:
    report = compare_report(made_comparison(1, (5, 10)))
    assert report.summary[0] == "One way to classify 90 cases of 90 patients."
    assert all("noise" not in sentence for sentence in report.summary)
    assert not tables(report, "Differences") and not figures(report, "Differences")
    assert "nothing to compare it with" in render_report(report)
    assert "every other pair" not in render_report(compare_report(made_comparison(2, (5,))))


def test_summary_names_a_few_and_counts_many(large: tuple[CompareResult, Report]) -> None:
    few = summary(made_comparison(3, (10,)))
    assert "“segmenter features, linear, number 2”" in few[1]
    result, _ = large
    better = sum(
        d.is_more_than_noise and d.difference.value > 0
        for d in result.against_first("balanced_accuracy")
        if d.size == 20
    )
    assert better > 4
    counted = f"{better} of the 10 others" if better < 10 else "all 10 others"
    assert summary(result)[2].endswith(f"better by more than noise than {counted}.")


@pytest.mark.parametrize("undefined, sizes", [({"arm-0", "arm-1", "arm-2"}, (10,)), ({"arm-1"}, (5, 10))])
def test_undefined_scores_are_never_nan(undefined: set[str], sizes: tuple[int, ...]) -> None:
    page = render_report(compare_report(made_comparison(3, sizes, undefined=frozenset(undefined))))
    words = re.sub(r'src="data:[^"]*"', "", page)
    assert not re.search(r"\bnan\b", words)
    assert "–: not trained, or not defined" in words


def test_differences_are_set_as_numbers() -> None:
    page = render_report(compare_report(made_comparison(3, (5, 10), seed=1)))
    part = page.split("less that of each other; *")[1].split("</table>")[0]
    assert part.count('<td class="number">') == 4


@pytest.mark.parametrize("draws", [1, 3])
def test_few_draws(draws: int) -> None:
    report = compare_report(made_comparison(4, (5,), draws=draws))
    captions = [f.caption for f in figures(report, "Which class is taken for which")]
    assert captions[-1].endswith("one draw.")
    assert captions[0].endswith("one draw." if draws == 1 else "3 draws together.")


def test_nothing_trained_yet_is_said() -> None:
    page = render_report(compare_report(made_comparison(2, ())))
    assert "No training is done yet." in page and "<img" not in page
