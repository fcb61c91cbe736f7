"""What a Slicer user may expect of any panel: it fits, it can be read aloud, it can be translated, it opens quickly."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
import standin
from panel_fakes import FakeLogic, add_volume, classify_result, model_info
from panel_stage import MODULE, Stage, stage

UI_FILES = sorted((MODULE / "Resources" / "UI").glob("*.ui"))
TOUCHED = {
    "QPushButton",
    "QToolButton",
    "QComboBox",
    "QCheckBox",
    "QRadioButton",
    "ctkSliderWidget",
    "ctkPathLineEdit",
    "qMRMLNodeComboBox",
    "QTableWidget",
    "QPlainTextEdit",
}
PANEL_FILES = [MODULE / "SegClassify.py", *sorted((MODULE / "SegClassifyPanel").glob("*.py"))]
SHOWN = {
    "text",
    "toolTip",
    "placeholderText",
    "accessibleName",
    "noneDisplay",
    "title",
    "windowTitle",
    "suffix",
}
SHOWING = {"setText", "setToolTip", "addItem", "addAction", "addTab", "setWindowTitle", "addRow"}


def widgets(path: Path) -> Iterator[tuple[str, str, dict[str, ET.Element]]]:
    """Class, name and properties of every widget in a file of Designer's."""
    for element in ET.parse(path).getroot().iter("widget"):
        properties = {p.get("name", ""): p for p in element.findall("property")}
        yield element.get("class", ""), element.get("name", ""), properties


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.stem)
def test_everything_that_is_clicked_has_a_name_for_readers(path: Path) -> None:
    for kind, name, properties in widgets(path):
        if kind in TOUCHED:
            assert "accessibleName" in properties, name
            assert "toolTip" in properties or name in ("classifyButton", "batchButton"), (
                name
            )  # set while running


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.stem)
def test_nothing_has_a_fixed_size_or_a_style_of_its_own(path: Path) -> None:
    for kind, name, properties in widgets(path):
        own = {"minimumSize", "maximumSize", "styleSheet", "font", "palette", "iconSize"} & properties.keys()
        assert not own, f"{path.name}, {name} ({kind})"


@pytest.mark.parametrize("path", PANEL_FILES, ids=lambda path: path.stem)
def test_every_shown_string_can_be_translated(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = []
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = [t.attr for t in node.targets if isinstance(t, ast.Attribute)]
            values = [node.value] if SHOWN & set(targets) else []
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SHOWING
        ):
            values = list(node.args)
        bare += [
            v.value
            for v in values
            if isinstance(v, ast.Constant) and isinstance(v.value, str) and is_words(v.value)
        ]
    assert not [text for text in bare if text not in ("SegClassify", "auto")]


def is_words(text: str) -> bool:
    """Whether a person would read it."""
    return bool(re.search(r"[A-Za-z]{2}", text))


@pytest.fixture
def narrow() -> Iterator[None]:
    """A panel of 320 pixels."""
    panel = standin.start().window.panel
    width = panel.width()
    panel.setFixedWidth(320)
    yield
    panel.setFixedWidth(width)


def opened(shown: Stage) -> None:
    """Everything open and filled with long words."""
    ui = shown.ui
    for name in ("modelSection", "inputsSection", "resultSection", "batchSection", "logSection"):
        getattr(ui, name).collapsed = False
    ui.moreButton.checked = True
    ui.classifyButton.click()
    classes = tuple(f"a class with a long name {n}" for n in range(12))
    result = classify_result(
        classes, [1 / 12] * 12, warnings=("The grey values are far from those of training.",) * 3
    )
    shown.logic.job.done(result)
    shown.batch_ui.batchButton.click()
    shown.settle()
    shown.logic.job.failed("It has only zeros: look at the image.")
    shown.settle()


def test_it_fits_into_320_pixels(narrow: None) -> None:
    from standin.binding.convert import to_qt

    name = "a volume with a name that is longer than any panel is wide, T1c, of 2026-01-02"
    with stage(FakeLogic((model_info("A model with a long name too, for brain tumours"),))) as shown:
        add_volume(name)
        add_volume(name.replace("T1c", "FLAIR"))
        shown.settle()
        opened(shown)
        window = standin.start().window
        assert to_qt(shown.widget.panel.widget).minimumSizeHint().width() <= 320 - 34  # scroll bar and frames
        assert window.panel.horizontalScrollBar().maximum() == 0


def test_research_use_is_said_whatever_is_open() -> None:
    with stage(FakeLogic()) as shown:
        shown.settle()
        assert shown.ui.researchLabel.visible is True
        assert shown.ui.researchLabel.text.startswith("For research use only")


def test_the_pages_are_in_the_order_of_work() -> None:
    with stage(FakeLogic()) as shown:
        tabs = shown.widget.panel.ui.tabs
        assert [tabs.tabText(n) for n in range(tabs.count)] == ["Classify", "Train"]
        assert tabs.currentIndex == 0


def test_the_icon_is_found() -> None:
    module = standin.load_module(MODULE, show=False)
    assert (MODULE / "Resources" / "Icons" / "SegClassify.svg").is_file()
    assert module.name == "SegClassify"
    standin.unload_module("SegClassify")
