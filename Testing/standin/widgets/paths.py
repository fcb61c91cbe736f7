"""ctkPathLineEdit and ctkDirectoryButton: a file or a folder."""

import enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import Property, QDir, QSettings, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from standin.binding.classes import own_class
from standin.binding.dialogs import answers
from standin.errors import WouldBlock
from standin.widgets.stored import stored


def asked_path(widget: str) -> str:
    """The answer to a file dialog; an empty text where the person gave up.

    Raises:
        WouldBlock: if the test gave none.
    """
    if not answers:
        raise WouldBlock(
            f"{widget}.browse() would wait for a person. Say the answer with standin.answer(path)."
        )
    reply = answers.popleft()
    return "" if reply is None else str(reply)


# How many paths a line remembers.
MOST_PATHS = 5


@own_class("ctk.ctkPathLineEdit")
class ctkPathLineEdit(QWidget):
    """A line for a path with a button to choose it."""

    validInputChanged = Signal(bool)
    currentPathChanged = Signal(str)

    Filter = enum.IntFlag("Filter", {name: member.value for name, member in QDir.Filter.__members__.items()})  # type: ignore[misc]

    def __init__(self, *args: Any) -> None:
        super().__init__(next((value for value in args if isinstance(value, QWidget)), None))
        self._combo = QComboBox(self)
        self._combo.setObjectName("standin_combo")
        self._combo.setEditable(True)
        self._browse = QToolButton(self)
        self._browse.setObjectName("standin_browse")
        self._browse.setText("…")
        self._browse.clicked.connect(self.browse)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._combo)
        layout.addWidget(self._browse)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._valid = False
        self._combo.editTextChanged.connect(self._on_text)

    label = stored("label", str, "")
    filters = stored("filters", int, 24663, lambda self: self._on_text())
    options = stored("options", int, 0)
    nameFilters = stored("nameFilters", "QStringList", None)
    settingKey = stored("settingKey", str, "", lambda self: self.retrieveHistory())
    sizeAdjustPolicy = stored("sizeAdjustPolicy", int, 2)
    minimumContentsLength = stored("minimumContentsLength", int, 0)
    showBrowseButton = stored(
        "showBrowseButton", bool, True, lambda self: self._browse.setVisible(self._showBrowseButton)
    )
    showHistoryButton = stored("showHistoryButton", bool, True)

    def _read_path(self) -> str:
        return self._combo.currentText()

    def setCurrentPath(self, path: str) -> None:
        """Set the path."""
        self._combo.setEditText(path)

    currentPath = Property(str, _read_path, setCurrentPath)

    def is_valid(self) -> bool:
        """Whether the path is what the filters want: an existing folder, a file, or a file to be written."""
        text, filters = self._combo.currentText(), QDir.Filter(self.filters)
        path = Path(text)
        if not text:
            return False
        if filters & QDir.Filter.Files and filters & QDir.Filter.Writable:
            return path.is_file() or (not path.exists() and path.parent.is_dir())
        return (bool(filters & QDir.Filter.Files) and path.is_file()) or (
            bool(filters & QDir.Filter.Dirs) and path.is_dir()
        )

    def _on_text(self, text: str = "") -> None:
        valid = self.is_valid()
        if valid:
            self.currentPathChanged.emit(self._read_path())
        if valid != self._valid:
            self._valid = valid
            self.validInputChanged.emit(valid)

    def browse(self) -> None:
        """Ask for a path."""
        path = asked_path("ctkPathLineEdit")
        if path:
            self.setCurrentPath(path)

    def _history_key(self) -> str:
        """Where the settings keep the history."""
        return f"ctkPathLineEdit/{self.settingKey or self.objectName()}"

    def _history(self) -> list[str]:
        kept = QSettings().value(self._history_key()) or []
        return [kept] if isinstance(kept, str) else list(kept)

    def addCurrentPathToHistory(self) -> None:
        """Put the path in front of the list, also for the next start."""
        path = self._read_path()
        if not path:
            return
        QSettings().setValue(
            self._history_key(), [path, *(entry for entry in self._history() if entry != path)]
        )
        known = self._combo.findText(path)
        if known >= 0:
            self._combo.removeItem(known)
        while self._combo.count() >= MOST_PATHS:
            self._combo.removeItem(self._combo.count() - 1)
        self._combo.insertItem(0, path)
        self._combo.setCurrentIndex(0)

    def retrieveHistory(self) -> None:
        """List the paths of earlier; an empty line takes the last one, and tells it."""
        path = self._read_path()
        self._combo.blockSignals(True)
        self._combo.clear()
        self._combo.addItems(self._history()[:MOST_PATHS])
        self._combo.setEditText(path)
        self._combo.blockSignals(False)
        if not path and self._combo.count():
            self._combo.setCurrentIndex(0)

    def comboBox(self) -> QComboBox:
        """The line."""
        return self._combo


@own_class("ctk.ctkDirectoryButton")
class ctkDirectoryButton(QWidget):
    """A button that shows a folder and asks for another."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, *args: Any) -> None:
        super().__init__(next((value for value in args if isinstance(value, QWidget)), None))
        self._button = QPushButton(self)
        self._button.setObjectName("standin_button")
        self._button.clicked.connect(self.browse)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._button)
        self._path = QDir.currentPath()
        self._button.setText(self._path)

    caption = stored("caption", str, "")
    acceptMode = stored("acceptMode", int, 0)
    options = stored("options", int, 1)
    elideMode = stored("elideMode", int, 3)
    text = stored("text", str, "", lambda self: self._button.setText(self._text or self._path))

    def _read_directory(self) -> str:
        return self._path

    def setDirectory(self, path: str) -> None:
        """Set the folder; that it was selected is told also when it is the same."""
        same = QDir(path) == QDir(self._path)
        if not same:
            self._path = QDir(path).absolutePath()
            self._button.setText(self.text or self._path)
        self.directorySelected.emit(QDir(path).absolutePath())
        if not same:
            self.directoryChanged.emit(self._path)

    directory = Property(str, _read_directory, setDirectory)

    def browse(self) -> str:
        """Ask for a folder; it, or an empty text."""
        path = asked_path("ctkDirectoryButton")
        if path:
            self.setDirectory(path)
        return path
