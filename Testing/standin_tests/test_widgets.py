"""CTK and node widgets behave as their sources say."""

from pathlib import Path

import pytest
import standin


def test_slider_says_when_its_value_changes() -> None:
    import ctk

    slider, seen = ctk.ctkSliderWidget(), []
    slider.valueChanged.connect(seen.append)
    slider.minimum, slider.maximum, slider.singleStep = -1.0, 1.0, 0.1
    slider.value = 0.25
    slider.value = 0.25
    slider.value = 7
    assert slider.value == 1.0
    assert seen == [0.25, 1.0]


def test_collapsible_hides_and_shows_its_children() -> None:
    import ctk
    import qt

    window = qt.QWidget()
    layout = qt.QVBoxLayout(window)
    button = ctk.ctkCollapsibleButton()
    layout.addWidget(button)
    form = qt.QFormLayout(button)
    one, two = qt.QLabel("one"), qt.QLabel("two")
    form.addRow("1", one)
    form.addRow("2", two)
    two.hide()
    window.show()
    standin.spin()
    assert (one.visible, two.visible) == (True, False)
    seen: list = []
    button.contentsCollapsed.connect(seen.append)
    button.collapsed = True
    standin.spin()
    assert (button.visible, one.visible, two.visible, seen) == (True, False, False, [True])
    late = qt.QLabel("late")
    form.addRow("3", late)
    standin.spin(0.02)
    assert not late.visible
    button.click()
    standin.spin()
    assert (one.visible, two.visible, late.visible, button.collapsed) == (True, False, True, False)


def test_path_line_tells_of_paths_that_exist(tmp_path: Path) -> None:
    import ctk

    line, seen = ctk.ctkPathLineEdit(), []
    line.currentPathChanged.connect(seen.append)
    line.currentPath = str(tmp_path / "nothing")
    line.currentPath = str(tmp_path)
    assert seen == [str(tmp_path)]
    line.filters = ctk.ctkPathLineEdit.Files | ctk.ctkPathLineEdit.Readable
    (tmp_path / "file.txt").write_text("x", encoding="utf-8")
    standin.answer(tmp_path / "file.txt")
    line.browse()
    assert line.currentPath == seen[-1] == str(tmp_path / "file.txt")


def test_checkable_combo() -> None:
    import ctk
    import qt

    combo, seen = ctk.ctkCheckableComboBox(), []
    combo.addItems(["a", "b", "c"])
    combo.checkedIndexesChanged.connect(lambda: seen.append(len(combo.checkedIndexes())))
    combo.setCheckState(combo.model().index(1, 0), qt.Qt.Checked)
    assert seen == [1]
    assert [index.row() for index in combo.checkedIndexes()] == [1]


@pytest.fixture
def selector():
    import slicer

    widget = slicer.qMRMLNodeComboBox()
    widget.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    widget.addEnabled = widget.removeEnabled = False
    widget.setMRMLScene(slicer.mrmlScene)
    return widget


def add(name: str, kind: str = "vtkMRMLScalarVolumeNode"):
    import slicer

    return slicer.mrmlScene.AddNewNodeByClass(kind, name)


def test_selector_takes_the_first_node_only_without_none(selector) -> None:
    first = add("first")
    add("second")
    assert selector.currentNode() is first
    selector.noneEnabled = True
    selector.setCurrentNode(None)
    add("third")
    assert selector.currentNode() is None
    assert selector.nodeCount() == 3


def test_selector_lists_what_fits(selector) -> None:
    label_map = add("labels", "vtkMRMLLabelMapVolumeNode")  # a child class
    hidden = add("hidden")
    hidden.SetHideFromEditors(True)
    add("text", "vtkMRMLTextNode")
    assert [selector.nodeFromIndex(i) for i in range(selector.nodeCount())] == [label_map]
    selector.showChildNodeTypes = False
    assert selector.nodeCount() == 0
    plain = add("plain")
    selector.addAttribute("vtkMRMLScalarVolumeNode", "Channel", "T1")
    assert selector.nodeCount() == 0
    plain.SetAttribute("Channel", "T1")
    assert selector.nodeCount() == 1


def test_selector_follows_removal_renaming_and_closing(selector) -> None:
    import slicer

    seen: list = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", seen.append)
    selector.connect("currentNodeChanged(bool)", lambda on: seen.append(bool(on)))
    first, second = add("first"), add("second")
    selector.setCurrentNode(second)
    slicer.mrmlScene.RemoveNode(second)
    assert selector.currentNode() is first
    assert seen == [first, True, second, True, first, True]
    slicer.mrmlScene.Clear()
    assert seen[-2:] == [None, False]
    assert selector.nodeCount() == 0


def test_selector_waits_for_its_scene() -> None:
    import slicer

    node = add("n")
    widget = slicer.qMRMLNodeComboBox()
    widget.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    assert not widget.enabled
    widget.setCurrentNode(node)
    assert widget.currentNode() is None
    widget.setMRMLScene(slicer.mrmlScene)
    assert widget.enabled
    assert widget.currentNode() is node


def test_selector_makes_nodes() -> None:
    import slicer

    widget = slicer.qMRMLNodeComboBox()
    widget.nodeTypes = ["vtkMRMLSegmentationNode"]
    widget.setMRMLScene(slicer.mrmlScene)
    node = widget.addNode()
    assert node.GetClassName() == "vtkMRMLSegmentationNode"
    assert widget.currentNode() is node
    widget.removeCurrentNode()
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_table_view_shows_the_node() -> None:
    import numpy as np
    import slicer

    node = add("table", "vtkMRMLTableNode")
    slicer.util.updateTableFromArray(node, [np.arange(3), np.arange(3) / 4], ["a", "b"])
    view = slicer.qMRMLTableView()
    view.setMRMLScene(slicer.mrmlScene)
    view.setMRMLTableNode(node)
    assert (view.model().rowCount(), view.model().columnCount()) == (3, 2)
    assert view.model().data(view.model().index(2, 1)) == "0.5"


def test_segments_table() -> None:
    import slicer

    node = add("seg", "vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    table = slicer.qMRMLSegmentsTableView()
    table.setMRMLScene(slicer.mrmlScene)
    table.setSegmentationNode(node)
    node.GetSegmentation().AddEmptySegment("tumour", "Tumour")
    assert table.segmentCount == 1
    table.setSelectedSegmentIDs(["tumour"])
    assert table.selectedSegmentIDs() == ("tumour",)


def test_variables_of_a_ui_file_reach_into_tabs_and_scroll_areas(tmp_path: Path) -> None:
    import slicer

    path = tmp_path / "Tabs.ui"
    path.write_text(
        """<ui version="4.0"><widget class="QWidget" name="Form"><layout class="QVBoxLayout" name="outer">
        <item><widget class="QTabWidget" name="tabs"><widget class="QWidget" name="page">
        <attribute name="title"><string>Page</string></attribute><layout class="QVBoxLayout" name="inner">
        <item><widget class="QScrollArea" name="area"><widget class="QWidget" name="contents">
        <layout class="QVBoxLayout" name="innermost"><item><widget class="QLabel" name="deep"/></item></layout>
        </widget></widget></item></layout></widget></widget></item></layout></widget></ui>""",
        encoding="utf-8",
    )
    widget = slicer.util.loadUI(str(path))
    variables = slicer.util.childWidgetVariables(widget)
    assert variables.deep.className() == "QLabel"
    assert variables.contents.findChild("QLabel", "deep") == variables.deep


def test_selector_shows_new_names(selector) -> None:
    node = add("before")
    assert selector.grab().isNull() is False
    node.SetName("after")
    import qt

    texts = selector._standin_qt._combo  # the stand-in's own list
    assert [texts.itemText(i) for i in range(texts.count())] == ["after"]
    assert isinstance(selector, qt.QWidget)


def test_path_line_remembers(tmp_path: Path) -> None:
    """A line with a key takes its last path as soon as it gets the key, and tells it, as CTK's does."""
    import ctk

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        line = ctk.ctkPathLineEdit()
        line.settingKey = "test_path_line_remembers"
        line.currentPath = str(tmp_path / name)
        line.addCurrentPathToHistory()
    later, seen = ctk.ctkPathLineEdit(), []
    later.currentPathChanged.connect(seen.append)
    later.settingKey = "test_path_line_remembers"
    assert later.currentPath == str(tmp_path / "b")
    assert seen[-1] == str(tmp_path / "b")
    assert [later.comboBox().itemText(row) for row in range(2)] == [str(tmp_path / "b"), str(tmp_path / "a")]
    standin.answer(None)
    later.browse()  # given up
    assert later.currentPath == str(tmp_path / "b")


def test_directory_button_tells_what_was_chosen(tmp_path: Path) -> None:
    import ctk

    button, selected, changed = ctk.ctkDirectoryButton(), [], []
    button.directorySelected.connect(selected.append)
    button.directoryChanged.connect(changed.append)
    button.directory = str(tmp_path)
    button.directory = str(tmp_path)
    assert (selected, changed) == ([str(tmp_path)] * 2, [str(tmp_path)])
    standin.answer(None, tmp_path.parent)
    assert button.browse() == ""
    assert button.browse() == button.directory == str(tmp_path.parent)
    with pytest.raises(AttributeError):
        button.setDirectory(str(tmp_path))  # a property only


def test_questions_are_answered_as_in_testing() -> None:
    import slicer

    assert slicer.util.confirmYesNoDisplay("Remove?", windowTitle="SegClassify") is False
    standin.answer(True)
    assert slicer.util.confirmYesNoDisplay("Remove?") is True
    assert standin.record.messages == [("confirmYesNoDisplay", "Remove?")] * 2


def test_settings_keep_what_qt_keeps() -> None:
    import qt

    settings = qt.QSettings()
    settings.setValue("standin/recent", ["/a", "/b"])
    assert settings.value("standin/recent") == ("/a", "/b")
    assert settings.contains("standin/recent")
    assert settings.value("standin/none") is None
    assert settings.value("standin/none", "x") == "x"
    settings.remove("standin/recent")
    assert not settings.contains("standin/recent")
    with pytest.raises(ValueError, match="matching overload"):
        settings.setValue("standin/only")
