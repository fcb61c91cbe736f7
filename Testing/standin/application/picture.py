"""Widgets that show the last picture of a VTK window which has no screen."""

from typing import Any

import vtk
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget


def grabbed(window: Any, width: int, height: int) -> QImage:
    """Render a window and take its picture.

    Args:
        window: a vtkRenderWindow.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
    """
    window.SetSize(width, height)
    window.Render()
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    grab.Update()
    picture = grab.GetOutput()
    across, up, _ = picture.GetDimensions()
    pixels = bytes(memoryview(picture.GetPointData().GetScalars()))
    flipped = QImage(pixels, across, up, 3 * across, QImage.Format.Format_RGB888).copy()
    return flipped.flipped(Qt.Orientation.Vertical)


class Picture(QWidget):
    """Shows the last picture of a window, and one colour before the first."""

    empty = QColor(0, 0, 0)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self.setMinimumSize(50, 50)

    def take_picture(self, width: int, height: int) -> QImage:
        """Render what is shown, in pixels."""
        raise TypeError("A view says how it is rendered.")

    def forceRender(self) -> None:
        """Render now."""
        if self.width() > 1 and self.height() > 1:
            self._image = self.take_picture(self.width(), self.height())
            self.update()

    def paintEvent(self, event: Any) -> None:
        """The last picture."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.empty)
        if self._image is not None:
            painter.drawImage(self.rect(), self._image)
        painter.end()
