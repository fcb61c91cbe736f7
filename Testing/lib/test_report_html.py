"""The report: one page that needs nothing else, shows text as text, and is read by people and screen readers."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.evaluation import compare_figures, figures
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.report_html import (
    RESEARCH_ONLY,
    Commands,
    Figure,
    Notice,
    Report,
    Section,
    Table,
    Text,
    render_report,
    write_report,
)

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NASTY = '<script>alert("x")</script> & <b>bold</b>'


class Page(HTMLParser):
    """What stands in a page: tags with attributes, text by innermost tag, and whether all tags close in order."""

    VOID = frozenset({"meta", "img", "br", "hr", "link"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append((self.open[-1], data.strip()))

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag]

    def texts(self, tag: str) -> list[str]:
        return [t for where, t in self.text if where == tag]


@pytest.fixture
def report() -> Report:
    return Report(
        title="Tumour types",
        summary=("Eight of ten were right.",),
        sections=(
            Section("Cases", (Text("One.\n\nTwo."), Figure(PNG, "First"), Figure(PNG, "Second", alt="a dot"))),
            Section("Scores", (Table("Of each arm", ("arm", "AUC"), [("ours", "0.81 (0.7–0.9)"), ("theirs", "–")]),)),
            Section("Go on", (Commands(["segclassify --help", "segclassify models"]), Notice("Mind the gap."))),
        ),
        provenance=(("Seed", "7"),),
    )  # fmt: skip


class TestPage:
    def test_is_whole_and_has_everything_in_order(self, report: Report) -> None:
        page = Page(render_report(report))
        assert page.open == []
        assert page.texts("h1") == page.texts("title") == ["Tumour types"]
        assert page.texts("h2") == ["Cases", "Scores", "Go on", "Made from"]
        assert page.texts("p") == [
            RESEARCH_ONLY, "Eight of ten were right.", "One.", "Two.", "Mind the gap.",
        ]  # fmt: skip
        assert page.texts("code") == ["segclassify --help\nsegclassify models"]
        assert page.texts("figcaption") == ["First", "Second"]
        assert (page.texts("dt"), page.texts("dd")) == (["Seed"], ["7"])

    def test_loads_nothing_from_elsewhere_and_runs_nothing(self, report: Report) -> None:
        html = render_report(report)
        assert not re.search(r"https?://|<script|<link|<iframe|@import|\burl\(", html)
        page = Page(html)
        for attributes in [a for _, a in page.tags]:
            assert not any(name.startswith("on") for name in attributes)
        assert all((a["src"] or "").startswith("data:image/png;base64,") for a in page.attributes("img"))
        policy = [a["content"] for a in page.attributes("meta") if a.get("http-equiv")]
        assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]

    def test_pictures_are_the_very_bytes_and_have_words(self, report: Report, tmp_path: Path) -> None:
        (tmp_path / "dot.png").write_bytes(PNG)
        from_file = Section("File", (Figure(tmp_path / "dot.png", "From a file"),))
        page = Page(render_report(Report("t", sections=(*report.sections, from_file))))
        images = page.attributes("img")
        assert [a["alt"] for a in images] == ["First", "a dot", "From a file"]
        for image in images:
            assert base64.b64decode((image["src"] or "").split(",")[1]) == PNG

    def test_text_is_shown_as_text_wherever_it_stands(self) -> None:
        nasty = Report(
            NASTY,
            (NASTY,),
            (
                Section(
                    NASTY,
                    (
                        Text(NASTY), Notice(NASTY), Commands([NASTY]), Figure(PNG, NASTY, NASTY),
                        Table(NASTY, (NASTY, NASTY), [(NASTY, NASTY)]),
                    ),
                ),
            ),
            ((NASTY, NASTY),),
            NASTY,
        )  # fmt: skip
        html = render_report(nasty)
        assert "<script" not in html and "<b>" not in html
        page = Page(html)
        assert (
            page.texts("h1")
            == page.texts("caption")
            == page.texts("figcaption")
            == page.texts("td")
            == [NASTY]
        )
        assert page.attributes("img")[0]["alt"] == NASTY
        assert html.count("&lt;script&gt;") == 17

    def test_table_has_headers_for_rows_and_columns_and_numbers_to_the_right(self, report: Report) -> None:
        page = Page(render_report(report))
        headers = page.attributes("th")
        assert [h["scope"] for h in headers] == ["col", "col", "row", "row"]
        assert [h.get("class") for h in headers[:2]] == [None, "number"]
        assert page.texts("caption") == ["Of each arm"]

    def test_words_are_not_taken_for_numbers(self) -> None:
        table = Table("c", ("case", "said", "size"), [("1", "solid", "22 ml"), ("2", "9", "3.5 ml")])
        page = Page(render_report(Report("t", (), (Section("s", (table,)),))))
        assert [t.get("class") for t in page.attributes("td")] == [None, "number", None, "number"]
        assert [t.get("class") for t in page.attributes("th")][:3] == [None, None, "number"]

    def test_emphasised_row(self) -> None:
        table = Table("c", ("a",), [("x",), ("y",)], emphasised=frozenset({1}))
        rows = Page(render_report(Report("t", (), (Section("s", (table,)),)))).attributes("tr")
        assert [r.get("class") for r in rows] == [None, None, "emphasised"]

    def test_sections_of_one_name_have_anchors_of_their_own(self) -> None:
        page = Page(render_report(Report("t", (), tuple(Section("Fälle") for _ in range(3)))))
        ids = [a["id"] for a in page.attributes("h2")]
        assert len(set(ids)) == 3
        assert [a["href"] for a in page.attributes("a")] == [f"#{i}" for i in ids]

    def test_neighbouring_figures_stand_side_by_side(self) -> None:
        blocks = (Figure(PNG, "a"), Figure(PNG, "b"), Text("t"), Figure(PNG, "c"))
        page = Page(render_report(Report("t", (), (Section("s", blocks),))))
        assert len([a for a in page.attributes("div") if a.get("class") == "figures"]) == 2

    def test_reads_in_the_dark_and_prints(self) -> None:
        html = render_report(Report("t"))
        assert "prefers-color-scheme: dark" in html and "@media print" in html
        assert Page(html).attributes("html") == [{"lang": "en"}]

    def test_row_of_another_length_is_refused(self) -> None:
        with pytest.raises(ValueError, match="has 1 cells, its header 2"):
            Table("t", ("a", "b"), [("x",)])


class TestWriting:
    def test_makes_the_folder_and_leaves_nothing_else(self, report: Report, tmp_path: Path) -> None:
        path = write_report(report, tmp_path / "new" / "report.html")
        assert path.read_text(encoding="utf-8") == render_report(report)
        assert list(path.parent.iterdir()) == [path]

    def test_missing_picture_is_named_and_the_old_page_stays(self, report: Report, tmp_path: Path) -> None:
        path = write_report(report, tmp_path / "report.html")
        before = path.read_bytes()
        broken = Report("t", sections=(Section("s", (Figure(tmp_path / "gone.png", "c"),)),))
        with pytest.raises(SegClassifyError, match=r"gone\.png .* cannot be read"):
            write_report(broken, path)
        assert path.read_bytes() == before

    def test_picture_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "photo.png").write_bytes(b"\xff\xd8\xff jpeg")
        with pytest.raises(SegClassifyError, match=r"photo\.png .* is not a PNG"):
            render_report(Report("t", sections=(Section("s", (Figure(tmp_path / "photo.png", "c"),)),)))

    def test_place_that_cannot_be_written_is_a_sentence(self, report: Report, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("not a folder", encoding="utf-8")
        with pytest.raises(SegClassifyError, match=r"report\.html cannot be written .* choose another place"):
            write_report(report, tmp_path / "file" / "report.html")


CLASSES = ("ring", "solid", "infiltrating")
SCORES = {"ours": Interval(0.8, 0.7, 0.9), "theirs": Interval(0.5, 0.4, 0.6)}


def pixels(figure: Figure) -> np.ndarray:
    """The picture, (H, W, 3) or (H, W, 4), 0 to 1."""
    from matplotlib.image import imread

    assert isinstance(figure.png, bytes)
    return np.asarray(imread(io.BytesIO(figure.png)))


class TestFigures:
    def test_probabilities_say_the_answer_and_the_truth(self) -> None:
        figure = figures.class_probabilities(CLASSES, [0.1, 0.7, 0.2], "alpha", truth="ring")
        assert "alpha" in figure.caption and "true class is ring" in figure.caption
        assert figure.alt.endswith("solid 70 %, infiltrating 20 %, ring 10 %.")
        blue = figures.class_probabilities(CLASSES, [0.0, 1.0, 0.0])
        assert is_blue(pixels(blue)).sum() > 1.3 * is_blue(pixels(figure)).sum()

    def test_confusion_matrix_is_rows_of_truth(self) -> None:
        figure = figures.confusion_matrix(np.array([[4, 1, 0], [0, 5, 0], [2, 0, 3]]), CLASSES)
        assert figure.alt.endswith("Right: ring 4 of 5, solid 5 of 5, infiltrating 3 of 5.")
        assert pixels(figure).std() > 0.05

    def test_score_comparison_gives_intervals(self) -> None:
        figure = figures.score_comparison(SCORES, chance=1 / 3)
        assert "ours 0.80 (0.70–0.90); theirs 0.50 (0.40–0.60)" in figure.alt
        wider = {**SCORES, "ours": Interval(0.8, 0.55, 0.95)}
        assert not np.array_equal(pixels(figure), pixels(figures.score_comparison(wider, chance=1 / 3)))

    def test_training_curves_skip_epochs_without_dice(self) -> None:
        figure = figures.training_curves([1, 2, 3], [1.0, 0.5, 0.4], {"tumour": [None, 0.6, float("nan")]})
        assert figure.alt.endswith("Dice at the end: tumour 0.60.")
        assert figures.training_curves([1], [1.0], {}).alt.endswith("unknown.")

    def test_learning_curve(self) -> None:
        arms = {name: {5: Interval(0.5, 0.4, 0.6), 20: score} for name, score in SCORES.items()}
        figure = compare_figures.learning_curve(arms, chance=0.5)
        assert "ours: 0.50 with 5, 0.80 with 20" in figure.alt
        assert "dashed: guessing" in figure.caption

    @pytest.mark.parametrize("undefined", [Interval(float("nan"), float("nan"), float("nan"))])
    def test_undefined_scores_do_no_harm(self, undefined: Interval) -> None:
        figures.score_comparison({"ours": undefined})
        compare_figures.learning_curve({"ours": {5: undefined}})

    def test_same_picture_same_bytes(self) -> None:
        once, again = (figures.score_comparison(SCORES).png for _ in range(2))
        assert once == again

    def test_importing_does_not_import_matplotlib(self) -> None:
        code = "import sys, SegClassifyLib.evaluation.figures; sys.exit('matplotlib' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def is_blue(picture: np.ndarray) -> np.ndarray:
    """Where the colour of the answer's bar is."""
    return np.asarray(np.abs(picture[..., :3] - np.array([0x00, 0x72, 0xB2]) / 255).max(axis=-1) < 0.02)
