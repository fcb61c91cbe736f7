"""qMRMLWidget, the base of module panels, and what only shows a node: tables and segments."""

from typing import Any

import slicer_core
import vtk
from PySide6.QtCore import QAbstractTableModel, QItemSelection, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from standin.binding.classes import own_class
from standin.widgets.scene_watch import Observations
from standin.widgets.stored import stored


@own_class("slicer.qMRMLWidget")
class qMRMLWidget(QWidget):
    """A widget that knows the scene and tells its children."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene."""
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        """The scene, or None."""
        return self._scene


class TableModel(QAbstractTableModel):
    """Rows of a vtkMRMLTableNode."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.table: Any = None

    def rowCount(self, parent: Any = None) -> int:
        """Rows of the table."""
        return self.table.GetNumberOfRows() if self.table is not None else 0

    def columnCount(self, parent: Any = None) -> int:
        """Columns of the table."""
        return self.table.GetNumberOfColumns() if self.table is not None else 0

    def data(self, index: Any, role: int = 0) -> Any:
        """Text of a cell."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self.table.GetValue(index.row(), index.column()).ToString()

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Name of a column."""
        if role != Qt.ItemDataRole.DisplayRole or orientation == Qt.Orientation.Vertical:
            return None
        return self.table.GetColumnName(section)


@own_class("slicer.qMRMLTableView")
class qMRMLTableView(QTableView):
    """Shows a table node."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._scene: Any = None
        self._node: Any = None
        self._watch = Observations(self)
        self._model = TableModel(self)
        self.setModel(self._model)

    transposed = stored("transposed", bool, False)
    firstRowLocked = stored("firstRowLocked", bool, False)
    firstColumnLocked = stored("firstColumnLocked", bool, False)

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene."""
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        """The scene, or None."""
        return self._scene

    def setMRMLTableNode(self, node: Any) -> None:
        """Show this table."""
        self._watch.clear()
        self._node = node
        if node is not None:
            self._watch.add(node, vtk.vtkCommand.ModifiedEvent, "on_modified")
        self.on_modified()

    def on_modified(self) -> None:
        """Show the table anew."""
        self._model.beginResetModel()
        self._model.table = self._node.GetTable() if self._node is not None else None
        self._model.endResetModel()

    def mrmlTableNode(self) -> Any:
        """The table node, or None."""
        return self._node


@own_class("slicer.qMRMLSegmentsTableView")
class qMRMLSegmentsTableView(qMRMLWidget):
    """Shows the segments of a segmentation: colour, name, shown or not."""

    selectionChanged = Signal(QItemSelection, QItemSelection)
    segmentAboutToBeModified = Signal(str)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._node: Any = None
        self._watch = Observations(self)
        self._table = QTableWidget(0, 3, self)
        self._table.setObjectName("standin_table")
        self._table.setHorizontalHeaderLabels(["", "", "Name"])
        self._table.horizontalHeader().setStretchLastSection(True)
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self._table.verticalHeader().hide()
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        self._table.selectionModel().selectionChanged.connect(self.selectionChanged)
        self._table.cellDoubleClicked.connect(self._toggle)

    selectionMode = stored("selectionMode", int, 3)
    headerVisible = stored("headerVisible", bool, True, lambda self: self._show_parts())
    visibilityColumnVisible = stored("visibilityColumnVisible", bool, True, lambda self: self._show_parts())
    colorColumnVisible = stored("colorColumnVisible", bool, True, lambda self: self._show_parts())
    opacityColumnVisible = stored("opacityColumnVisible", bool, False)
    statusColumnVisible = stored("statusColumnVisible", bool, False)
    layerColumnVisible = stored("layerColumnVisible", bool, False)
    readOnly = stored("readOnly", bool, False)
    filterBarVisible = stored("filterBarVisible", bool, False)
    textFilter = stored("textFilter", str, "")
    jumpToSelectedSegmentEnabled = stored("jumpToSelectedSegmentEnabled", bool, False)

    def _show_parts(self) -> None:
        self._table.horizontalHeader().setVisible(self.headerVisible)
        self._table.setColumnHidden(0, not self.visibilityColumnVisible)
        self._table.setColumnHidden(1, not self.colorColumnVisible)

    def setSegmentationNode(self, node: Any) -> None:
        """Show the segments of this node."""
        self._watch.clear()
        self._node = node
        if node is not None:
            self._watch.add(node, vtk.vtkCommand.ModifiedEvent, "on_modified")
            segmentation = slicer_core.vtkSegmentation
            for event in (
                segmentation.SegmentAdded,
                segmentation.SegmentRemoved,
                segmentation.SegmentModified,
            ):
                self._watch.add(node, event, "on_modified")
        self.on_modified()

    def segmentationNode(self) -> Any:
        """The segmentation node, or None."""
        return self._node

    def _segment_ids(self) -> list[str]:
        return list(self._node.GetSegmentation().GetSegmentIDs()) if self._node is not None else []

    def read_segmentCount(self) -> int:
        """Value of the property `segmentCount`."""
        return len(self._segment_ids())

    def on_modified(self) -> None:
        """List the segments anew."""
        identifiers = self._segment_ids()
        self._table.setRowCount(len(identifiers))
        for row, identifier in enumerate(identifiers):
            segment = self._node.GetSegmentation().GetSegment(identifier)
            display = self._node.GetDisplayNode()
            shown = display is None or display.GetSegmentVisibility(identifier)
            color = QTableWidgetItem()
            color.setBackground(QColor.fromRgbF(*segment.GetColor()))
            self._table.setItem(row, 0, QTableWidgetItem("●" if shown else "○"))
            self._table.setItem(row, 1, color)
            self._table.setItem(row, 2, QTableWidgetItem(segment.GetName()))

    def _toggle(self, row: int, column: int) -> None:
        display = self._node.GetDisplayNode()
        identifier = self._segment_ids()[row]
        if column == 0 and display is not None:
            display.SetSegmentVisibility(identifier, not display.GetSegmentVisibility(identifier))
            self.on_modified()

    def selectedSegmentIDs(self) -> list[str]:
        """IDs of selected segments."""
        rows = sorted({index.row() for index in self._table.selectionModel().selectedRows()})
        return [self._segment_ids()[row] for row in rows]

    def setSelectedSegmentIDs(self, identifiers: list[str]) -> None:
        """Select segments."""
        self._table.clearSelection()
        for identifier in identifiers:
            self._table.selectRow(self._segment_ids().index(identifier))

    def clearSelection(self) -> None:
        """Select nothing."""
        self._table.clearSelection()

    def segmentIDForRow(self, row: int) -> str:
        """ID of the segment in a row."""
        return self._segment_ids()[row]

    def rowForSegmentID(self, identifier: str) -> int:
        """Row of a segment."""
        return self._segment_ids().index(identifier)

    def displayedSegmentIDs(self) -> list[str]:
        """IDs of the segments that are listed."""
        return self._segment_ids()

    def tableWidget(self) -> QTableWidget:
        """The table."""
        return self._table

    def setHeaderVisible(self, visible: bool) -> None:
        """Show the header."""
        self.headerVisible = visible

    def setReadOnly(self, read_only: bool) -> None:
        """Nothing can be changed by clicking."""
        self.readOnly = read_only

    def setSelectionMode(self, mode: int) -> None:
        """How many rows can be selected."""
        self.selectionMode = mode
        self._table.setSelectionMode(QAbstractItemView.SelectionMode(mode))
