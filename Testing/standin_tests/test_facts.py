"""The stand-in answers as a real Slicer did: every row of `facts.json`."""

import enum
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import standin

ROWS: dict[str, str] = dict(
    json.loads((Path(standin.__file__).parent / "facts.json").read_text(encoding="utf-8"))["rows"]
)
CHECKS: dict[str, Callable[[], Any]] = {}


def row(expression: str) -> Callable:
    """Decorator: the function does what the row's expression does, and gives what it gave."""

    def register(function: Callable) -> Callable:
        CHECKS[expression] = function
        return function

    return register


def shown(function: Callable[[], Any]) -> str:
    """What the table would say of the function's answer."""
    try:
        text = repr(function())
    except Exception as error:
        text = f"RAISES {type(error).__name__}: {error}"
    return re.sub("0x[0-9a-f]+", "0x…", text)


@pytest.mark.parametrize("expression", ROWS)
def test_fact(expression: str) -> None:
    expected = ROWS[expression]
    if expression in STRICTER:
        STRICTER[expression]()
        return
    assert shown(CHECKS[expression]) == expected


def test_every_row_is_checked() -> None:
    assert set(ROWS) == set(CHECKS) | set(STRICTER)
    assert len(ROWS) == 48


def button() -> Any:
    import qt

    return qt.QPushButton("a")


@row("b.text")
def _() -> Any:
    return button().text


@row("b.text()")
def _() -> Any:
    return button().text()


@row("b.setText('x'); b.text")
def _() -> Any:
    b = button()
    return b.setText("x"), b.text


def clicked(upto: int) -> Any:
    """The three ways to connect, one after the other, and what arrived after so many of them."""
    b, seen = button(), []
    ways = [
        lambda: b.clicked.connect(lambda *a: seen.append(a)),
        lambda: b.connect("clicked()", lambda *a: seen.append(("old", a))),
        lambda: b.connect("clicked(bool)", lambda *a: seen.append(("bool", a))),
    ]
    for way in ways[:upto]:
        answer = way(), b.click()
    return *answer, seen


@row("b.clicked.connect(f); b.click()")
def _() -> Any:
    return clicked(1)


@row("b.connect('clicked()', f); b.click()")
def _() -> Any:
    return clicked(2)


@row("b.connect('clicked(bool)', f)")
def _() -> Any:
    return clicked(3)


@row("b.clicked.disconnect(f)")
def _() -> Any:
    b, seen = button(), []
    b.clicked.connect(seen.append)
    answer = b.clicked.disconnect(seen.append)
    b.click()
    assert seen == []
    return answer


@row("qt.QWidget(parent=None)")
def _() -> Any:
    import qt

    return qt.QWidget(parent=None)


@row("qt.QLabel(text='x')")
def _() -> Any:
    import qt

    return qt.QLabel(text="x")


@row("b.enabled=False; b.isEnabled()")
def _() -> Any:
    b = button()
    return setattr(b, "enabled", False), b.isEnabled()


@row("b.visible")
def _() -> Any:
    return button().visible


@row("b.unknownAttr = 1")
def _() -> Any:
    return setattr(button(), "unknownAttr", 1)


@row("b.objectName / b.name")
def _() -> Any:
    b = button()
    return setattr(b, "objectName", "n"), b.objectName, b.name


def table() -> Any:
    import qt

    return qt.QTableWidget(2, 2)


@row("t.rowCount")
def _() -> Any:
    return table().rowCount


@row("t.rowCount()")
def _() -> Any:
    return table().rowCount()


@row("t.setItem; t.item(0,0).text()")
def _() -> Any:
    import qt

    t = table()
    return t.setItem(0, 0, qt.QTableWidgetItem("q")), t.item(0, 0).text()


@row("t.item(0,0).text")
def _() -> Any:
    import qt

    t = table()
    t.setItem(0, 0, qt.QTableWidgetItem("q"))
    return t.item(0, 0).text


@row("t.item(1,1) (none set)")
def _() -> Any:
    return table().item(1, 1)


@row("t.horizontalHeader().setStretchLastSection")
def _() -> Any:
    t = table()
    return t.horizontalHeader().setStretchLastSection(True)


@row("t.selectionModel().selectedRows()")
def _() -> Any:
    t = table()
    return t.selectionModel().selectedRows()


@row("it.setFlags(it.flags() & ~qt.Qt.ItemIsEditable)")
def _() -> Any:
    import qt

    item = qt.QTableWidgetItem("q")
    answer = item.setFlags(item.flags() & ~qt.Qt.ItemIsEditable)
    assert not item.flags() & qt.Qt.ItemIsEditable
    assert item.flags() & qt.Qt.ItemIsSelectable
    return answer


@row("c.addItem('a', 5); c.itemData(0); c.currentText; c.count")
def _() -> Any:
    import qt

    c = qt.QComboBox()
    return c.addItem("a", 5), c.itemData(0), c.currentText, c.count


@row("c.addItem('b', {'k':1}); c.itemData(1)")
def _() -> Any:
    import qt

    c = qt.QComboBox()
    c.addItem("a", 5)
    return c.addItem("b", {"k": 1}), c.itemData(1)


@row("c.currentData (prop?)")
def _() -> Any:
    import qt

    c = qt.QComboBox()
    c.addItem("a", 5)
    return c.currentData


@row("c.findText('a')")
def _() -> Any:
    import qt

    c = qt.QComboBox()
    c.addItem("a", 5)
    return c.findText("a")


@row("python subclass of QWidget: paintEvent called n times")
def _() -> Any:
    import qt

    class W(qt.QWidget):
        def __init__(self) -> None:
            qt.QWidget.__init__(self)
            self.painted = 0

        def paintEvent(self, event: Any) -> None:
            self.painted += 1

        def sizeHint(self) -> Any:
            return qt.QSize(30, 20)

    W.__qualname__ = "W"
    W.sizeHint.__qualname__ = "W.sizeHint"
    w = W()
    w.show()
    standin.spin(0.05)
    w.repaint()
    return w.painted, w.sizeHint


@row("QPainter on QPixmap")
def _() -> Any:
    import qt

    pixmap = qt.QPixmap(8, 8)
    painter = qt.QPainter(pixmap)
    painter.fillRect(0, 0, 8, 8, qt.QColor("#0000ff"))
    painter.end()
    return pixmap.toImage().pixelColor(4, 4).name()


def process() -> tuple[Any, list]:
    import qt

    process, seen = qt.QProcess(), []
    process.readyReadStandardOutput.connect(lambda: seen.append(process.readAllStandardOutput().data()))
    process.finished.connect(lambda *a: seen.append(("finished", a)))
    # One write, or the line may come in two pieces.
    echo = "import os; os.write(1, ('echo ' + input() + chr(10)).encode())"
    process.start(sys.executable, ["-c", echo])
    assert process.waitForStarted(10_000)
    return process, seen


@row("QProcess echo")
def _() -> Any:
    running, seen = process()
    written = running.write(b"hello\n")
    standin.wait_until(lambda: len(seen) == 2)
    return written, seen, running.exitCode(), int(running.exitStatus())


@row("QProcess.write(str)")
def _() -> Any:
    running, seen = process()
    answer = running.write("hello\n")
    running.write(b"bytes\n")
    standin.wait_until(lambda: len(seen) == 2)
    assert seen[0] == b"echo bytes\n"
    return answer


@row("p.processId()")
def _() -> Any:
    running, seen = process()
    running.write(b"\n")
    standin.wait_until(lambda: len(seen) == 2)
    return running.processId()


@row("qt.QTimer.singleShot(0,f)")
def _() -> Any:
    import qt

    seen: list = []
    answer = qt.QTimer.singleShot(0, lambda: seen.append(1))
    assert seen == []
    standin.wait_until(lambda: seen == [1])
    return answer


@row("qt.QSettings().setValue list/int round trip")
def _() -> Any:
    import qt

    settings = qt.QSettings()
    return settings.setValue("standin/test", 3), settings.value("standin/test")


@row("qt.QStandardPaths.writableLocation(qt.QStandardPaths.AppDataLocation)")
def _() -> Any:
    import qt

    return bool(qt.QStandardPaths.writableLocation(qt.QStandardPaths.AppDataLocation))


@row("slicer.app.temporaryPath / slicerHome type")
def _() -> Any:
    import slicer

    return type(slicer.app.temporaryPath), type(slicer.app.slicerHome)


@row("qt.Signal exists")
def _() -> Any:
    import qt

    return hasattr(qt, "Signal")


@row("qt.QMessageBox.question in testing")
def _() -> Any:
    import qt
    import slicer

    assert slicer.util.confirmYesNoDisplay("Sure?") is False
    return qt.QMessageBox.question(None, "title", "Sure?")


def selector() -> tuple[Any, Any]:
    """A node selector and the one node of the scene, chosen."""
    import slicer

    q = slicer.qMRMLNodeComboBox()
    q.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    q.setMRMLScene(slicer.mrmlScene)
    q.setCurrentNode(node)
    return q, node


@row("q.nodeTypes")
def _() -> Any:
    return selector()[0].nodeTypes


@row("q.currentNode()")
def _() -> Any:
    return selector()[0].currentNode()


@row("q.currentNodeID")
def _() -> Any:
    return selector()[0].currentNodeID


@row("q.currentNodeId")
def _() -> Any:
    return selector()[0].currentNodeId


@row("q.nodeCount()")
def _() -> Any:
    return selector()[0].nodeCount()


@row("q.setCurrentNode(n) -> signal args")
def _() -> Any:
    q, node = selector()
    seen: list = []
    q.currentNodeChanged.connect(lambda *a: seen.append(a))
    return q.setCurrentNode(None), q.setCurrentNode(node), seen


@row("ctkCollapsibleButton.text/collapsed")
def _() -> Any:
    import ctk

    b = ctk.ctkCollapsibleButton()
    return b.text, b.collapsed


@row("ctkPathLineEdit.currentPath, filters")
def _() -> Any:
    import ctk

    p = ctk.ctkPathLineEdit()
    return p.currentPath, p.filters


@row("parameterNodeWrapper stored form")
def _() -> Any:
    import slicer

    class E(enum.Enum):
        A = "a"
        B = "b"

    class Parameters:
        k: int
        e: E = E.A
        names: list[str]
        vol: slicer.vtkMRMLScalarVolumeNode

    Parameters.__annotations__ = {"k": int, "e": E, "names": list[str], "vol": slicer.vtkMRMLScalarVolumeNode}
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    parameters = slicer.parameterNodeWrapper.parameterNodeWrapper(Parameters)(node)
    parameters.k, parameters.e, parameters.names = 5, E.B, ["p", "q"]
    stored = {name: node.GetParameter(name) for name in node.GetParameterNames()}
    return parameters.k, parameters.e, list(parameters.names), stored


@row("Optional/Union annotation slicer.vtkMRMLScalarVolumeNode|None")
def _() -> Any:
    import slicer

    class Parameters:
        pass

    Parameters.__annotations__ = {"vol": slicer.vtkMRMLScalarVolumeNode | None}
    return len(slicer.parameterNodeWrapper.parameterNodeWrapper(Parameters).allParameters)


def refuses_threads() -> None:
    """Slicer lets a thread of the module stand still; the stand-in says so at once."""
    source = Path(__file__).parent / "modules" / "Threads"
    standin.start()
    standin.guard.watch_folder(source)
    namespace: dict[str, Any] = {"threading": threading}
    code = "threading.Thread(target=print).start()"
    with pytest.raises(RuntimeError, match="starts a Python thread"):
        exec(compile(code, str(source / "Threads.py"), "exec"), namespace)


def runs_python() -> None:
    """`sys.executable` runs Python, as PythonSlicer does, so that a worker can be started by it."""
    output = subprocess.run(
        [sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "42"


# Rows that the stand-in cannot answer in the same words: what it is held to instead.
STRICTER: dict[str, Callable[[], None]] = {
    "python thread while event loop idles": refuses_threads,
    "sys.executable": runs_python,
}
