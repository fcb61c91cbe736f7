"""The main window: the module's panel at the left, the views at the right."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QScrollArea, QToolBar, QWidget

from standin.application.scene import is_modified_since_read
from standin.binding.classes import own_class
from standin.binding.convert import to_qt
from standin.binding.dialogs import answers
from standin.errors import WouldBlock, record

MODIFIED = "The scene has been modified. Do you want to save it before exit?"
CONFIRM = "Are you sure you want to exit?"


@own_class("slicer.qSlicerModuleSelectorToolBar")
class ModuleSelector(QToolBar):
    """Chooses the module that is shown."""

    moduleSelected = Signal(str)

    def __init__(self, window: "MainWindow", modules: Any) -> None:
        super().__init__(window)
        self._window, self._modules, self._name = window, modules, ""
        self.hide()

    def read_selectedModule(self) -> str:
        """Value of the property `selectedModule`."""
        return self._name

    def selectModule(self, name: str) -> None:
        """Show a module, or none for an empty name: the one before is left, this one entered.

        Raises:
            ValueError: if there is no such module. Slicer says nothing and shows the old one.
        """
        if name == self._name:
            return
        module = self._modules.module(name)
        if module is None and name:
            raise ValueError(f"There is no module {name}.")
        before = self._modules.module(self._name)
        self._name = name
        if before is not None and before._widget is not None:
            before._widget.exit()
        widget = to_qt(module.widgetRepresentation()) if module is not None else None
        self._window.show_panel(widget)
        if widget is not None:
            widget.enter()
        self.moduleSelected.emit(name)

    def forget(self, name: str) -> None:
        """The module is gone."""
        if name == self._name:
            self._name = ""


@own_class("slicer.qSlicerMainWindow")
class MainWindow(QMainWindow):
    """Slicer's main window."""

    def __init__(
        self, modules: Any, views: QWidget, width: int = 1280, height: int = 860, panel: int = 430
    ) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.setWindowTitle("3D Slicer (stand-in)")
        body = QWidget(self)
        layout = QHBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        self.panel = QScrollArea(body)
        self.panel.setWidgetResizable(True)
        self.panel.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.panel.setFixedWidth(panel)
        layout.addWidget(self.panel)
        layout.addWidget(views, 1)
        self.setCentralWidget(body)
        self.statusBar()
        self._closing = False
        self._selector = ModuleSelector(self, modules)
        self.resize(width, height)

    def show_panel(self, widget: QWidget | None) -> None:
        """Put a module's panel at the left, or nothing."""
        before = self.panel.takeWidget()
        if before is not None:
            before.hide()
        if widget is not None:
            self.panel.setWidget(widget)
            widget.show()

    def moduleSelector(self) -> ModuleSelector:
        """What chooses the module."""
        return self._selector

    def _confirms(self) -> bool:
        """What Slicer asks before it closes: to save what was modified, or else whether it is meant."""
        import slicer

        question = MODIFIED if is_modified_since_read(slicer.mrmlScene) else CONFIRM
        record.messages.append(("close", question))
        if not answers:
            raise WouldBlock(
                "Slicer asks before it closes. Say the answer with standin.answer(True or False)."
            )
        return bool(answers.popleft())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask; then the module that is shown is left. An event filter of the window is asked before this."""
        if self._closing:
            return
        event.ignore()
        if self._confirms():
            self._closing = True
            self._selector.selectModule("")
            event.accept()

    def showEvent(self, event: QShowEvent) -> None:
        """The next test has the window again."""
        self._closing = False
        super().showEvent(event)
