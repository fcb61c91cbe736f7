"""What Slicer would refuse, and what it would let pass in silence, are errors on the stand-in."""

import gc
import json
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import standin
from standin.api import class_api, document, names_of
from standin.binding.signals import HELD

# Classes that Slicer is known to have and the stand-in has not; asking for one is a NotInStandin.
MISSING = {
    "ctkSettingsPanel",
    "ctkTreeComboBox",
    "qMRMLCheckableNodeComboBox",
    "qMRMLColorTableView",
    "qMRMLSegmentSelectorWidget",
    "qMRMLSubjectHierarchyComboBox",
    "qMRMLSubjectHierarchyTreeView",
    "qMRMLVolumeThresholdWidget",
}


@pytest.mark.parametrize(
    "path",
    [
        "qt.QNoSuchWidget",
        "qt.QWebEngineView",
        "ctk.ctkNoSuchWidget",
        "slicer.qMRMLNoSuchWidget",
        "slicer.vtkMRMLNoSuchNode",
        "slicer.util.noSuchHelper",
        "slicer.util._messageDisplay",
        "slicer.app.noSuchFunction",
        "slicer.modules.nosuchmodule",
        "slicer.i18n.gettext",
        "slicer.packaging.install",
        "slicer.parameterNodeWrapper.wrap",
        "slicer.addVolumeFromArray",
    ],
)
def test_unknown_names_are_errors(path: str) -> None:
    module, *names = path.split(".")
    target = sys.modules[module]
    with pytest.raises(AttributeError):
        for name in names:
            target = getattr(target, name)


def test_every_listed_class_is_there_or_says_that_it_is_missing() -> None:
    missing = []
    for module in ("qt", "ctk", "slicer"):
        for name in names_of(module):
            if "." in name or name == "app":
                continue
            try:
                getattr(sys.modules[module], name)
            except standin.NotInStandin:
                missing.append(name)
    assert set(missing) == MISSING


def test_widgets_have_only_listed_names() -> None:
    import ctk
    import qt

    with pytest.raises(AttributeError):
        qt.QPushButton("a").setTextInteractionFlags  # of QLabel  # noqa: B018
    with pytest.raises(AttributeError):
        ctk.ctkSliderWidget().position_of  # the stand-in's own  # noqa: B018
    with pytest.raises(AttributeError):
        qt.QLabel("a").setupUi  # noqa: B018


def test_names_of_qt_6_are_not_there() -> None:
    import qt

    with pytest.raises(AttributeError):
        qt.QComboBox().textActivatedd  # noqa: B018
    with pytest.raises(AttributeError):
        qt.QMessageBox.StandardButton.Yes  # PythonQt does not scope enums twice  # noqa: B018
    with pytest.raises(AttributeError):
        qt.QCheckBox().checkStateChanged  # noqa: B018


def test_new_attributes_only_on_python_subclasses() -> None:
    import ctk
    import qt
    import slicer

    for widget in (qt.QWidget(), ctk.ctkSliderWidget(), slicer.qMRMLNodeComboBox(), slicer.app):
        with pytest.raises(AttributeError, match="creating new attributes"):
            widget.myState = 1

    class Mine(qt.QWidget):
        def __init__(self, parent: object = None) -> None:
            super().__init__(parent)
            self.my_state = 1

    assert Mine().my_state == 1


@pytest.mark.parametrize(
    ("name", "value"), [("text", 5), ("enabled", "yes"), ("minimumWidth", 3.5), ("toolTip", None)]
)
def test_properties_take_only_their_type(name: str, value: object) -> None:
    import qt

    with pytest.raises(AttributeError, match="does not accept"):
        setattr(qt.QPushButton("a"), name, value)


def test_read_only_properties_and_methods_cannot_be_set() -> None:
    import qt

    combo = qt.QComboBox()
    with pytest.raises(AttributeError, match="not writable"):
        combo.count = 3
    with pytest.raises(AttributeError):
        combo.addItem = print


def test_arguments_that_do_not_fit() -> None:
    import qt

    spin = qt.QSpinBox()
    with pytest.raises(ValueError, match="matching overload"):
        spin.setValue("three")
    with pytest.raises(ValueError, match="keyword arguments"):
        spin.setValue(val=3)
    with pytest.raises(ValueError, match="int"):
        spin.setValue(np.int64(3))


def test_unknown_signals_are_errors() -> None:
    import qt

    with pytest.raises(ValueError, match="no signal"):
        qt.QPushButton("a").connect("click()", print)
    with pytest.raises(ValueError, match="no signal"):
        qt.QPushButton("a").connect("clicked(int)", print)


def test_slots_get_as_many_arguments_as_they_name() -> None:
    import qt

    seen: list = []
    button = qt.QPushButton("a")
    button.clicked.connect(lambda: seen.append("none"))
    button.clicked.connect(lambda checked=True: seen.append(checked))
    button.click()
    assert seen == ["none", False]


def test_exceptions_in_slots_do_not_pass() -> None:
    import qt

    button = qt.QPushButton("a")
    button.clicked.connect(lambda: 1 / 0)
    button.click()
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        standin.raise_recorded()
    qt.QTimer.singleShot(0, lambda: [][0])
    with pytest.raises(AssertionError, match="IndexError"):
        standin.wait_until(lambda: False, 5)


def test_exceptions_in_observers_do_not_pass() -> None:
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode")
    node.AddObserver("ModifiedEvent", lambda caller, event: {}["missing"])
    node.SetText("x")
    with pytest.raises(AssertionError, match="KeyError"):
        standin.raise_recorded()


def test_destroyed_objects_are_told_from_living_ones() -> None:
    import qt

    label = qt.QLabel("a")
    label.deleteLater()
    standin.spin()
    with pytest.raises(ValueError, match="destroyed QLabel"):
        label.show()


def test_modal_dialogs_do_not_wait() -> None:
    import qt

    with pytest.raises(standin.WouldBlock):
        qt.QDialog().exec_()
    with pytest.raises(standin.WouldBlock):
        qt.QFileDialog.getExistingDirectory(None, "Folder")
    standin.answer("/some/folder", lambda dialog: dialog.accept() or qt.QDialog.Accepted)
    assert qt.QFileDialog.getExistingDirectory(None, "Folder") == "/some/folder"
    assert qt.QDialog().exec_() == qt.QDialog.Accepted


def test_enums_are_integers() -> None:
    import qt

    assert qt.Qt.Checked == 2
    both = qt.QMessageBox.Yes | qt.QMessageBox.No
    assert int(both) == 0x4000 | 0x10000
    box = qt.QMessageBox()
    box.setStandardButtons(both)
    assert box.standardButtons == both
    label = qt.QLabel("a")
    label.alignment = qt.Qt.AlignRight | qt.Qt.AlignTop
    assert label.alignment == 0x22
    with pytest.raises(AttributeError):
        label.alignment = 0x22  # a bare number says nothing


def test_subclasses_get_events_and_signals() -> None:
    import qt

    class Bar(qt.QWidget):
        moved = qt.Signal(int)

        def __init__(self) -> None:
            qt.QWidget.__init__(self)
            self.widths: list[int] = []

        def resizeEvent(self, event: object) -> None:
            self.widths.append(event.size().width())
            self.moved.emit(event.size().width())

    bar, seen = Bar(), []
    bar.moved.connect(seen.append)
    bar.resize(321, 50)
    bar.show()
    standin.spin(0.02)
    assert bar.widths[-1] == 321
    assert seen == bar.widths


def test_files_of_names_agree() -> None:
    """The condensed copy is readable throughout, and small classes have what bigger ones build on."""
    listed = document()["classes"]
    assert len(listed) == 68
    for name in listed:
        api = class_api(name)
        assert api is not None
        assert api.properties or api.methods
    facts = json.loads((Path(standin.__file__).parent / "facts.json").read_text(encoding="utf-8"))
    assert facts["rows"]
    push = class_api("qt.QPushButton")
    assert push.signatures("clicked") == ["clicked(bool)", "clicked()"]
    assert push.properties["default"] == "bool"
    assert class_api("qt.QComboBox").properties["count"] == "int!"


def test_getters_that_qt_5_has_as_properties_are_not_called() -> None:
    import qt

    table = qt.QTableWidget(2, 2)
    assert table.selectionModel().hasSelection is False
    with pytest.raises(TypeError):
        table.selectionModel().hasSelection()
    with pytest.raises(AttributeError):
        qt.QScrollBar().tickInterval  # of QSlider  # noqa: B018
    assert qt.QGridLayout().horizontalSpacing() != 0


def test_what_is_connected_keeps_its_object_until_it_is_disconnected() -> None:
    """PythonQt holds a connected callable where Python's garbage collector does not look."""
    import qt

    class Clock:
        def __init__(self) -> None:
            self.timer = qt.QTimer()
            self.timer.timeout.connect(self.tick)

        def tick(self) -> None:
            pass

    clock = Clock()
    seen = weakref.ref(clock)
    del clock
    gc.collect()
    kept = seen()
    assert kept is not None
    kept.timer.timeout.disconnect(kept.tick)
    del kept
    gc.collect()
    assert seen() is None
    label = qt.QLabel("a")
    label.connect("linkActivated(QString)", seen)
    before = len(HELD)
    label.deleteLater()
    standin.spin()
    assert len(HELD) == before - 1
