"""Closing Slicer: a filter on the main window is asked first, and holds the window by ignoring the event."""

import gc
from typing import Any

import pytest
import standin


def ask_first(answer: bool) -> Any:
    """A filter that is asked about every close event of the main window, and what it was asked."""
    import qt
    import slicer

    class Question(qt.QObject):
        asked = 0

        def eventFilter(self, watched: Any, event: Any) -> object:
            if event.type() != qt.QEvent.Close:
                return None  # PythonQt takes it for False
            self.asked += 1
            if answer:
                return False
            event.ignore()
            return True

    question = Question()
    slicer.util.mainWindow().installEventFilter(question)
    return question


@pytest.fixture
def window(hello):
    """The main window, shown with a module."""
    import slicer

    standin.start().window.show()
    yield slicer.util.mainWindow()
    standin.start().window.show()
    standin.spin()


def test_a_filter_holds_the_window(hello, window) -> None:
    question = ask_first(False)
    assert window.close() is False
    assert (question.asked, window.visible) == (1, True)
    assert standin.record.messages == []  # Slicer did not come to its own question
    assert hello.events[-1] == "enter"
    window.removeEventFilter(question)


def test_a_filter_lets_pass_and_slicer_asks(hello, window) -> None:
    question = ask_first(True)
    standin.answer(False, True)
    assert window.close() is False
    assert window.visible
    assert window.close() is True
    assert (question.asked, window.visible) == (2, False)
    assert [kind for kind, _ in standin.record.messages] == ["close", "close"]
    assert hello.events[-1] == "exit"  # the module that is shown is left
    window.removeEventFilter(question)


def test_nobody_asks_twice(window) -> None:
    """On macOS a second close event comes: Slicer passes over it, the filter sees it."""
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtGui import QCloseEvent

    question = ask_first(True)
    standin.answer(True)
    window.close()
    QCoreApplication.sendEvent(standin.start().window, QCloseEvent())
    assert question.asked == 2
    assert len(standin.record.messages) == 1
    window.removeEventFilter(question)


def test_true_alone_closes_the_window_without_a_word(window) -> None:
    """A close event is accepted until somebody ignores it: a filter that only says True closes the window."""
    import qt

    class Wrong(qt.QObject):
        def eventFilter(self, watched: Any, event: Any) -> bool:
            return bool(event.type() == qt.QEvent.Close)

    wrong = Wrong()
    window.installEventFilter(wrong)
    assert window.close() is True
    assert standin.record.messages == []
    window.removeEventFilter(wrong)


def test_a_filter_that_python_lets_go_of_is_not_asked(window) -> None:
    question = ask_first(False)
    del question
    gc.collect()
    standin.answer(True)
    assert window.close() is True


def test_slicer_asks_about_a_modified_scene(window) -> None:
    import slicer

    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", "text")  # Slicer does not ask about text alone
    standin.answer(False)
    assert window.close() is False
    assert "modified" not in standin.record.messages[-1][1]
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan")
    standin.answer(False)
    assert window.close() is False
    assert "modified" in standin.record.messages[-1][1]
    assert window.visible


def test_closing_waits_for_an_answer(window) -> None:
    with pytest.raises(standin.WouldBlock):
        window.close()
    assert window.visible
