"""The looks of reports' pictures: nothing is cut off or covered, whatever the names and however many there are."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from made_comparisons import LONG, NAN

from SegClassifyLib.evaluation import compare_figures, figures
from SegClassifyLib.evaluation.canvas import folded
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.reliability import Reliability

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas
    from matplotlib.transforms import Bbox

SHORT = "segmenter and ImageNet EfficientNet-Lite0 features, linear, {}"
ONE = Interval(0.8, 0.7, 0.9)
CURVE = {5: Interval(0.5, 0.4, 0.6), 10: Interval(0.6, 0.5, 0.7), 20: ONE}
SURE = Reliability((0.4, 0.9), (Interval(0.3, 0.2, 0.5), ONE), (10, 10), Interval(0.1, 0.0, 0.2), 0.1, ONE)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Canvas]:
    """The canvases of the pictures that a test makes, laid out but not painted, which takes longest."""
    canvases: list[Canvas] = []

    def keep(canvas: Canvas) -> bytes:
        canvas.draw_without_rendering()
        canvases.append(canvas)
        return b""

    for module in (figures, compare_figures):
        monkeypatch.setattr(module, "to_png", keep)
    return canvases


def words(canvas: Canvas) -> list[tuple[str, Bbox]]:
    """All that can be read, and where it stands."""
    from matplotlib.text import Text

    found = [t for t in canvas.findobj(Text) if isinstance(t, Text) and t.get_visible() and t.get_text()]
    return [(t.get_text(), t.get_window_extent()) for t in found]


def assert_whole(canvas: Canvas) -> None:
    """No word leaves the canvas, and no axes with its words reaches into another."""
    drawn = canvas.get_tightbbox()
    width, height = canvas.get_size_inches()
    least, most = -0.01, 0.01  # inches
    assert drawn.x0 > least and drawn.x1 < width + most, f"cut off at a side: {drawn} of {width} inches"
    assert drawn.y0 > least and drawn.y1 < height + most, (
        f"cut off above or below: {drawn} of {height} inches"
    )
    boxes = [axes.get_tightbbox() for axes in canvas.axes]
    for one, other in itertools.combinations([b for b in boxes if b is not None], 2):
        assert not overlap(one, other)


def overlap(one: Bbox, other: Bbox) -> bool:
    """By more than a pixel each way."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return bool(width > 1 and height > 1)


@pytest.mark.parametrize("title, arms", [(SHORT, 1), (SHORT, 5), (LONG, 7), ("x" * 200 + "{}", 4)])
class TestNothingIsCutOff:
    def test_in_pictures_with_a_row_for_each_arm(self, drawn: list[Canvas], title: str, arms: int) -> None:
        names = [title.format(i) for i in range(arms)]
        figures.score_comparison(dict.fromkeys(names, ONE), chance=0.3)
        compare_figures.differences({n: {"5": ONE, "10": ONE, "all": ONE} for n in names}, names[0])
        compare_figures.differences({n: {"10": ONE} for n in names}, names[0], "AUC")
        for canvas in drawn:
            assert_whole(canvas)
            (axes,) = canvas.axes
            # constrained layout gives up, and leaves everything where it is, where the names take all the room
            assert axes.bbox.width > 0.4 * canvas.bbox.width
            rows = sorted(t.get_window_extent().bounds[1::2] for t in axes.get_yticklabels())
            assert all(low + height <= above for (low, height), (above, _) in itertools.pairwise(rows))

    def test_in_curves_with_a_legend(self, drawn: list[Canvas], title: str, arms: int) -> None:
        names = [title.format(i) for i in range(min(arms, 8))]
        compare_figures.learning_curve(dict.fromkeys(names, CURVE), chance=0.3)
        figures.training_curves([1, 2], [1.0, 0.5], {n: [0.1, 0.9] for n in names})
        for canvas in drawn:
            assert_whole(canvas)

    def test_in_reliability_diagrams(self, drawn: list[Canvas], title: str, arms: int) -> None:
        compare_figures.reliability_diagrams({title.format(i): SURE for i in range(arms)})
        assert_whole(drawn[0])
        assert len(drawn[0].axes) == arms
        # constrained layout shrinks what has no room
        for axes in drawn[0].axes:
            assert axes.bbox.width > 0.7 * drawn[0].bbox.width / min(arms, 3)


@pytest.mark.parametrize("classes", [2, 6])
@pytest.mark.parametrize("name", ["{}", "infiltrating lobular carcinoma {}", "c" * 80 + "{}"])
def test_class_names_are_whole(drawn: list[Canvas], classes: int, name: str) -> None:
    names = [name.format(k) for k in range(classes)]
    figures.confusion_matrix(123 * np.eye(classes), names)
    figures.class_probabilities(names, np.full(classes, 1 / classes).tolist(), "case", names[0])
    for canvas in drawn:
        assert_whole(canvas)
    # no square is too small for its number
    square = drawn[0].axes[0].bbox.width / classes
    numbers = [t.get_window_extent().width for t in drawn[0].axes[0].texts]
    assert max(numbers) < square


@pytest.mark.parametrize("title", [SHORT, LONG])
def test_legends_cover_no_curve(drawn: list[Canvas], title: str) -> None:
    names = [title.format(i) for i in range(8)]
    compare_figures.learning_curve(dict.fromkeys(names, CURVE))
    compare_figures.differences({n: {"5": ONE, "10": ONE} for n in names}, "ours")
    figures.training_curves([1, 2], [1.0, 0.5], {n: [0.1, 0.9] for n in names})
    for canvas in drawn:
        legends = [*canvas.legends, *(a.get_legend() for a in canvas.axes)]
        (legend,) = (found for found in legends if found is not None)
        assert len(legend.get_texts()) in (2, 8)
        for axes in canvas.axes:
            assert not overlap(legend.get_window_extent(), axes.bbox)
            for text, box in words(canvas):
                if text in (axes.get_xlabel(), axes.get_ylabel()):
                    assert not overlap(legend.get_window_extent(), box)


def test_curves_keep_their_height_above_a_long_legend(drawn: list[Canvas]) -> None:
    for title in ("{}", LONG):
        compare_figures.learning_curve({title.format(i): CURVE for i in range(8)})
    few, many = (canvas.axes[0].bbox.height for canvas in drawn)
    assert many == pytest.approx(few, rel=0.05)


def test_intervals_of_one_size_stand_side_by_side(drawn: list[Canvas]) -> None:
    from matplotlib.collections import LineCollection

    names = [SHORT.format(i) for i in range(8)]
    compare_figures.learning_curve({n: {10: ONE, 11: ONE, 50: ONE} for n in names})
    lines = [c for c in drawn[0].axes[0].collections if isinstance(c, LineCollection)]
    at = np.array([[segment[0, 0] for segment in line.get_segments()] for line in lines])
    assert at.shape == (8, 3)
    order = at.T.ravel()
    assert (np.diff(order) > 0).all(), "an arm's point stands among those of the next size"


def test_sizes_near_to_each_other_have_names_that_do_not_touch(drawn: list[Canvas]) -> None:
    sizes = (5, 10, 20, 21, 22)
    figure = compare_figures.learning_curve({"ours": dict.fromkeys(sizes, ONE)}, names={22: "all (about 22)"})
    ticks = [t for t in drawn[0].axes[0].get_xticklabels() if t.get_text()]
    assert [t.get_text().strip() for t in ticks] == ["5", "10", "20", "21", "all (about 22)"]
    for one, other in itertools.combinations(ticks, 2):
        same_line = one.get_text().count("\n") == other.get_text().count("\n")
        assert not same_line or one.get_window_extent().x1 < other.get_window_extent().x0
    assert not any(t.get_text().startswith("\n") for t in ticks[:3])
    assert "0.80 with all (about 22)" in figure.alt


def test_numbers_stand_out_from_their_squares(drawn: list[Canvas]) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    def luminance(colour: tuple[float, ...]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    classes = 9
    counts = np.zeros((classes, classes))
    counts[:, 0] = np.linspace(450, 850, classes)
    counts[:, 1] = 1000 - counts[:, 0]
    figures.confusion_matrix(counts, [str(k) for k in range(classes)])
    for text, share in zip(drawn[0].axes[0].texts, counts.ravel() / 1000, strict=True):
        both = sorted([luminance(colormaps["Blues"](share)), luminance(to_rgb(text.get_color()))])
        assert (both[1] + 0.05) / (both[0] + 0.05) >= 4.5, f"of {share:.2f}"


def test_one_diagram_does_not_take_the_whole_page() -> None:
    assert not compare_figures.reliability_diagrams({"ours": SURE}).wide
    assert compare_figures.reliability_diagrams({"ours": SURE, "theirs": SURE}).wide


def test_what_is_not_defined_is_said(drawn: list[Canvas]) -> None:
    made = [
        figures.score_comparison({"ours": ONE, "theirs": NAN}),
        compare_figures.differences({"theirs": {"5": NAN, "10": ONE}}, "ours"),
        compare_figures.learning_curve({"ours": {5: ONE}, "theirs": {5: NAN}}),
    ]
    for figure, canvas in zip(made, drawn, strict=True):
        assert "not defined" in figure.alt and "nan" not in figure.alt
        assert any("not defined" in text for text, _ in words(canvas))


def test_guessing_by_score(drawn: list[Canvas]) -> None:
    chance = {"accuracy": 0.25, "AUC": 0.5}
    figure = figures.score_comparison({"accuracy": ONE, "AUC": ONE}, "score", chance, "Scores")
    assert figure.caption == "Scores (line: 95 % interval; dashed: guessing)."
    dashed = [line for line in drawn[0].axes[0].lines if line.get_linestyle() == "--"]
    assert [float(np.asarray(line.get_xdata())[0]) for line in dashed] == [0.25, 0.5]


def test_evaluations_guess_auc_at_a_half_whatever_the_classes() -> None:
    from SegClassifyLib.classify.held_out_report import _guessed

    assert _guessed(4) == {"balanced accuracy": 0.25, "accuracy": 0.25, "AUC": 0.5}


def test_captions_keep_the_letters_of_a_score() -> None:
    assert figures.score_comparison({"ours": ONE}, "AUC").caption.startswith("AUC of each way")


def test_what_is_left_of_a_very_long_name_is_dots() -> None:
    lines = folded("word " * 100).split("\n")
    assert len(lines) == 4 and lines[-1].endswith("…") and max(map(len, lines)) <= 38
