"""CTK's variations of Qt's own widgets: combo boxes, buttons, search box, text browser, message box."""

from typing import Any

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QLineEdit, QMessageBox, QPushButton, QTextBrowser, QToolButton

from standin.binding.classes import own_class
from standin.widgets.stored import stored


@own_class("ctk.ctkComboBox")
class ctkComboBox(QComboBox):
    """A combo box with a text for "nothing chosen"."""

    defaultText = stored("defaultText", str, "", lambda self: self.setPlaceholderText(self._defaultText))
    forceDefault = stored("forceDefault", bool, False)
    elideMode = stored("elideMode", int, 3)
    scrollWheelEffect = stored("scrollWheelEffect", int, 2)

    def setCurrentUserDataAsString(self, data: str) -> None:
        """Choose the entry whose data is this string."""
        self.setCurrentIndex(self.findData(data))

    currentUserDataAsString = Property(
        str, lambda self: str(self.currentData() or ""), setCurrentUserDataAsString
    )


@own_class("ctk.ctkCheckableComboBox")
class ctkCheckableComboBox(QComboBox):
    """A combo box whose entries are ticked."""

    checkedIndexesChanged = Signal()

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.setModel(QStandardItemModel(0, 1, self))
        self._model().itemChanged.connect(lambda item: self.checkedIndexesChanged.emit())
        self._model().rowsInserted.connect(self._make_checkable)

    def _model(self) -> QStandardItemModel:
        model = self.model()
        if not isinstance(model, QStandardItemModel):
            raise TypeError("ctkCheckableComboBox keeps its entries in a QStandardItemModel.")
        return model

    def _make_checkable(self, parent: Any, first: int, last: int) -> None:
        self._model().blockSignals(True)
        for row in range(first, last + 1):
            item: QStandardItem = self._model().item(row)
            item.setCheckable(True)
            item.setCheckState(Qt.CheckState.Unchecked)
        self._model().blockSignals(False)

    def _states(self) -> list[Qt.CheckState]:
        return [self._model().item(row).checkState() for row in range(self.count())]

    def checkedIndexes(self) -> list:
        """Model indexes of ticked entries."""
        ticked = Qt.CheckState.Checked
        return [self._model().index(row, 0) for row, state in enumerate(self._states()) if state == ticked]

    def allChecked(self) -> bool:
        """Whether every entry is ticked."""
        return all(state == Qt.CheckState.Checked for state in self._states())

    def noneChecked(self) -> bool:
        """Whether no entry is ticked."""
        return all(state == Qt.CheckState.Unchecked for state in self._states())

    def checkState(self, index: Any) -> Qt.CheckState:
        """Tick of one entry."""
        return self._model().itemFromIndex(index).checkState()

    def setCheckState(self, index: Any, state: Qt.CheckState) -> None:
        """Tick one entry."""
        self._model().itemFromIndex(index).setCheckState(state)

    def checkableModel(self) -> QStandardItemModel:
        """The entries."""
        return self._model()


@own_class("ctk.ctkMenuButton")
class ctkMenuButton(QPushButton):
    """A button with a menu at its side."""


@own_class("ctk.ctkPushButton")
class ctkPushButton(QPushButton):
    """A button that aligns its text."""

    buttonTextAlignment = stored("buttonTextAlignment", int, 0x84)
    iconAlignment = stored("iconAlignment", int, 0x81)


@own_class("ctk.ctkColorPickerButton")
class ctkColorPickerButton(QPushButton):
    """A button that shows a colour."""

    colorChanged = Signal(QColor)
    colorNameChanged = Signal(str)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._color = QColor(0, 0, 0)
        self._show()

    displayColorName = stored("displayColorName", bool, True, lambda self: self._show())
    dialogOptions = stored("dialogOptions", int, 0)
    colorName = stored("colorName", str, "")

    def _show(self) -> None:
        pixmap = QPixmap(16, 16)
        pixmap.fill(self._color)
        self.setIcon(QIcon(pixmap))
        self.setText((self.colorName or self._color.name()) if self.displayColorName else "")

    def setColor(self, color: QColor) -> None:
        """Set the colour."""
        if color != self._color:
            self._color = QColor(color)
            self._show()
            self.colorChanged.emit(self._color)

    color = Property(QColor, lambda self: self._color, setColor)


@own_class("ctk.ctkExpandButton")
class ctkExpandButton(QToolButton):
    """A button with a double arrow; checked means open."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.setCheckable(True)
        self.setArrowType(Qt.ArrowType.DownArrow)

    mirrorOnExpand = stored("mirrorOnExpand", bool, False)
    orientation = stored("orientation", int, 2)


@own_class("ctk.ctkSearchBox")
class ctkSearchBox(QLineEdit):
    """A line to search by."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.setPlaceholderText("Search...")

    showSearchIcon = stored("showSearchIcon", bool, False)


@own_class("ctk.ctkFittedTextBrowser")
class ctkFittedTextBrowser(QTextBrowser):
    """A text browser as high as its text."""

    collapsed = stored("collapsed", bool, True)
    disableMouseScroll = stored("disableMouseScroll", bool, False)
    showDetailsText = stored("showDetailsText", str, "Show details...")
    hideDetailsText = stored("hideDetailsText", str, "Hide details.")

    def sizeHint(self) -> Any:
        """As high as the text is at this width."""
        hint = super().sizeHint()
        document = self.document().clone()
        document.setTextWidth(max(self.viewport().width(), 100))
        hint.setHeight(int(document.size().height()) + 2 * self.frameWidth())
        return hint

    minimumSizeHint = sizeHint

    def resizeEvent(self, event: Any) -> None:
        """Another width is another height."""
        super().resizeEvent(event)
        self.updateGeometry()


@own_class("ctk.ctkMessageBox")
class ctkMessageBox(QMessageBox):
    """A message box that can be told not to come again."""

    dontShowAgain = stored("dontShowAgain", bool, False)
    dontShowAgainVisible = stored("dontShowAgainVisible", bool, False)
    dontShowAgainSettingsKey = stored("dontShowAgainSettingsKey", str, "")
    dontShowAgainButtonRoles = stored("dontShowAgainButtonRoles", "QVariantList", None)

    def setDontShowAgain(self, again: bool) -> None:
        """Tick "don't show again"."""
        self.dontShowAgain = again

    def addDontShowAgainButtonRole(self, role: QMessageBox.ButtonRole) -> None:
        """A button role for which the tick counts."""
        self.dontShowAgainButtonRoles = [*self.dontShowAgainButtonRoles, role.value]
