"""Whether a Qt object is true in an `if`: PythonQt asks some classes, and takes a destroyed object for false."""

from typing import Any

import shiboken6
from PySide6 import QtCore, QtGui, QtWidgets

# What PythonQt's wrappers ask in `__nonzero__`: an empty layout, an empty menu and an invalid index are false.
NOT_EMPTY = (
    QtWidgets.QLayout,
    QtWidgets.QLayoutItem,
    QtWidgets.QMenu,
    QtGui.QTextDocument,
    QtGui.QKeySequence,
    QtGui.QPainterPath,
    QtGui.QPolygonF,
    QtCore.QByteArray,
    QtCore.QItemSelection,
    QtCore.QProcessEnvironment,
    QtCore.QRect,
    QtCore.QRectF,
    QtCore.QSize,
    QtCore.QSizeF,
    QtCore.QUrl,
    QtCore.QDir,
)
NOT_NULL = (
    QtGui.QIcon,
    QtGui.QImage,
    QtGui.QPixmap,
    QtGui.QTextCursor,
    QtCore.QMargins,
    QtCore.QPoint,
    QtCore.QPointF,
)
VALID = (
    QtGui.QColor,
    QtCore.QDate,
    QtCore.QDateTime,
    QtCore.QElapsedTimer,
    QtCore.QModelIndex,
    QtCore.QPersistentModelIndex,
    QtCore.QRegularExpression,
    QtCore.QTime,
)


def is_true(target: Any) -> bool:
    """What `bool()` of the wrapper of this object is in Slicer.

    Args:
        target: the PySide6 object, or None.
    """
    if target is None or not shiboken6.isValid(target):
        return False
    if isinstance(target, NOT_EMPTY):
        return not target.isEmpty()
    if isinstance(target, NOT_NULL):
        return not target.isNull()
    if isinstance(target, VALID):
        return target.isValid()
    return True
