"""ctkCollapsibleButton and ctkCollapsibleGroupBox: headers that hide what is below them."""

from typing import Any

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractButton,
    QGroupBox,
    QSizePolicy,
    QStyle,
    QStyleOption,
    QStyleOptionButton,
    QWidget,
)
from shiboken6 import isValid

from standin.binding.classes import own_class
from standin.widgets.stored import stored


class Contents(QObject):
    """The direct children of a widget, hidden as one; a child that the module hides itself stays hidden."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self._to_show: list[QWidget] = []
        self._closed = False
        self._busy = False
        owner.installEventFilter(self)

    def close(self) -> None:
        """Hide the children."""
        self._closed = True
        for child in self._children():
            self._take(child)

    def open(self) -> None:
        """Show what was there before."""
        self._closed = False
        self._busy = True
        for child in self._to_show:
            if isValid(child):
                child.setVisible(True)
        self._to_show.clear()
        self._busy = False

    def _children(self) -> list[QWidget]:
        return [
            child for child in self._owner.children() if isinstance(child, QWidget) and not child.isWindow()
        ]

    def _take(self, child: QWidget) -> None:
        child.installEventFilter(self)
        if not child.isHidden():
            self._to_show.append(child)
            self._busy = True
            child.setVisible(False)
            self._busy = False

    def eventFilter(self, target: QObject, event: QEvent) -> bool:
        """Hide children that are added or shown while closed; forget those that the module hides."""
        if not self._closed or self._busy:
            return False
        if target is self._owner:
            if event.type() in (QEvent.Type.ChildPolished, QEvent.Type.Show):
                for child in self._children():
                    self._take(child)
        elif isinstance(target, QWidget) and event.type() == QEvent.Type.ShowToParent:
            self._take(target)
        return False


@own_class("ctk.ctkCollapsibleButton")
class ctkCollapsibleButton(QAbstractButton):
    """A header with an arrow; checked means open."""

    contentsCollapsed = Signal(bool)

    def __init__(self, *args: Any) -> None:
        text = args[0] if args and isinstance(args[0], str) else ""
        super().__init__(next((value for value in args if isinstance(value, QWidget)), None))
        self._contents = Contents(self)
        self._height_limit = self.maximumHeight()
        self.setCheckable(True)
        self.setChecked(True)
        self.setText(text)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.setContentsMargins(0, self.header_height(), 0, 0)
        self.toggled.connect(self._on_toggled)

    def read_collapsed(self) -> bool:
        """Value of the property `collapsed`."""
        return not self.isChecked()

    def setCollapsed(self, collapsed: bool) -> None:
        """Close or open."""
        self.setChecked(not collapsed)

    collapsed = stored("closed", bool, False, lambda self: self.setCollapsed(self._closed))
    collapsedHeight = stored("collapsedHeight", int, 14)
    flat = stored("flat", bool, False)
    contentsFrameShape = stored("contentsFrameShape", int, 0)
    contentsFrameShadow = stored("contentsFrameShadow", int, 16)
    contentsLineWidth = stored("contentsLineWidth", int, 1)
    contentsMidLineWidth = stored("contentsMidLineWidth", int, 0)
    buttonTextAlignment = stored("buttonTextAlignment", int, 0x81)
    indicatorAlignment = stored("indicatorAlignment", int, 0x81)

    def _on_toggled(self, checked: bool) -> None:
        self._closed = not checked
        if checked:
            self.setMaximumHeight(self._height_limit)
            self._contents.open()
        else:
            self._height_limit = self.maximumHeight()
            self._contents.close()
            self.setMaximumHeight(self.sizeHint().height())
        self.updateGeometry()
        self.contentsCollapsed.emit(not checked)

    def header_height(self) -> int:
        """Height of the header in pixels."""
        return self.fontMetrics().height() + 8

    def sizeHint(self) -> QSize:
        """Header, and below it the contents unless closed."""
        header = QSize(self.fontMetrics().horizontalAdvance(self.text()) + 40, self.header_height())
        if not self.isChecked():
            return QSize(header.width(), header.height() + self.collapsedHeight)
        return header.expandedTo(super().sizeHint())

    minimumSizeHint = sizeHint

    def hitButton(self, position: Any) -> bool:
        """Only the header is clicked."""
        return QRect(0, 0, self.width(), self.header_height()).contains(position)

    def paintEvent(self, event: Any) -> None:
        """Header as a button with an arrow."""
        painter = QPainter(self)
        option = QStyleOptionButton()
        option.initFrom(self)
        option.rect = QRect(0, 0, self.width(), self.header_height())
        option.state |= QStyle.StateFlag.State_Sunken if self.isDown() else QStyle.StateFlag.State_Raised
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_PanelButtonCommand, option, painter, self)
        arrow = QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QRect(6, self.header_height() // 2 - 6, 12, 12)
        kind = QStyle.PrimitiveElement
        shape = kind.PE_IndicatorArrowDown if self.isChecked() else kind.PE_IndicatorArrowRight
        self.style().drawPrimitive(shape, arrow, painter, self)
        text = self.text().replace("&&", "&")
        painter.drawText(option.rect.adjusted(24, 0, -4, 0), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


@own_class("ctk.ctkCollapsibleGroupBox")
class ctkCollapsibleGroupBox(QGroupBox):
    """A group box that its check mark closes."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._contents = Contents(self)
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(self._on_toggled)

    def read_collapsed(self) -> bool:
        """Value of the property `collapsed`."""
        return not self.isChecked()

    def setCollapsed(self, collapsed: bool) -> None:
        """Close or open."""
        self.setChecked(not collapsed)

    collapsed = stored("closed", bool, False, lambda self: self.setCollapsed(self._closed))
    collapsedHeight = stored("collapsedHeight", int, 14)

    def _on_toggled(self, checked: bool) -> None:
        self._closed = not checked
        (self._contents.open if checked else self._contents.close)()
        self.setMaximumHeight(16777215 if checked else self.fontMetrics().height() + self.collapsedHeight)
