"""Joining parameters and widgets: which widget can show which type, and how it is read and written."""

import enum
import pathlib
from collections.abc import Callable
from typing import Any

from standin.parameters.annotations import (
    Choice,
    Decimals,
    Maximum,
    Minimum,
    SingleStep,
    WithinRange,
    findFirstAnnotation,
    getNodeTypes,
    isNodeOrUnionOfNodes,
    splitAnnotations,
)

FLOAT_WIDGETS = ("QDoubleSpinBox", "ctkSliderWidget", "ctkDoubleSlider")
NUMBER_WIDGETS = {int: ("QSlider", "QSpinBox", *FLOAT_WIDGETS), float: FLOAT_WIDGETS}


class GuiConnector:
    """One widget that shows one value."""

    def __init__(
        self, widget: Any, signal: str, read: Callable[[], Any], write: Callable[[Any], None]
    ) -> None:
        self._widget, self._signal, self._read, self._write = widget, signal, read, write
        self._callback: Callable[[], None] | None = None

    def onChanged(self, callback: Callable[[], None] | None) -> None:
        """Call something when the user changes the value; None ends it."""
        if self._signal:
            signal = getattr(self._widget, self._signal)
            if callback is None:
                signal.disconnect(self.changed)
            elif self._callback is None:
                signal.connect(self.changed)
        self._callback = callback

    def changed(self) -> None:
        """The widget's value has changed."""
        if self._callback is not None:
            self._callback()

    def widget(self) -> Any:
        """The widget."""
        return self._widget

    def read(self) -> Any:
        """The widget's value."""
        return self._read()

    def write(self, value: Any) -> None:
        """Show a value."""
        self._write(value)


def _attribute(
    widget: Any, signal: str, name: str, kind: Callable[[Any], Any] = lambda value: value
) -> GuiConnector:
    """A connector for a property, given to the widget as text if `kind` is a path."""
    is_path = isinstance(kind, type) and issubclass(kind, pathlib.PurePath)

    def write(value: Any) -> None:
        shown = str(value) if is_path else kind(value)
        if getattr(widget, name) != shown:
            setattr(widget, name, shown)

    return GuiConnector(widget, signal, lambda: kind(getattr(widget, name)), write)


def _number(widget: Any, kind: type, annotations: tuple) -> GuiConnector:
    class_name = widget.className()
    whole = class_name in ("QSlider", "QSpinBox")
    within = findFirstAnnotation(annotations, WithinRange)
    low = within or findFirstAnnotation(annotations, Minimum)
    high = within or findFirstAnnotation(annotations, Maximum)
    if class_name in ("QSlider", "ctkSliderWidget") and (low is None or high is None):
        raise RuntimeError(f"Cannot have a connection to {class_name} where the number is unbounded.")
    decimals = findFirstAnnotation(annotations, Decimals)
    step = findFirstAnnotation(annotations, SingleStep)
    if not whole and class_name != "ctkDoubleSlider" and (kind is int or decimals is not None):
        widget.decimals = 0 if kind is int else decimals.value
    if step is not None:
        widget.singleStep = step.value
    bounds = (-(2**31), 2**31 - 1) if whole else (float("-inf"), float("inf"))
    widget.minimum = low.minimum if low is not None else bounds[0]
    widget.maximum = high.maximum if high is not None else bounds[1]
    return _attribute(widget, "valueChanged", "value", int if whole or kind is int else float)


def _choice(widget: Any, labels: list[str], values: list[Any]) -> GuiConnector:
    widget.clear()
    widget.addItems(labels)

    def write(value: Any) -> None:
        if value not in values:
            raise ValueError(f"Unable to find value {value} in choices {values}")
        widget.currentIndex = values.index(value)

    return GuiConnector(widget, "currentIndexChanged", lambda: values[widget.currentIndex], write)


def _combo(widget: Any, kind: Any, annotations: tuple) -> GuiConnector | None:
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        members = list(kind)
        label = getattr(kind, "label", lambda member: member.name)
        return _choice(widget, [label(member) for member in members], members)
    if kind in (int, float, str, bool):
        choice = findFirstAnnotation(annotations, Choice)
        if choice is None:
            raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")
        return _choice(widget, [str(value) for value in choice.choices], list(choice.choices))
    return None


def _nodes(widget: Any, datatype: Any) -> GuiConnector:
    widget.nodeTypes = getNodeTypes(datatype)
    return GuiConnector(widget, "currentNodeChanged", widget.currentNode, widget.setCurrentNode)


def _text_edit(widget: Any) -> GuiConnector:
    return GuiConnector(widget, "textChanged", widget.toPlainText, widget.setPlainText)


def createGuiConnector(widget: Any, datatype: Any) -> GuiConnector:
    """What joins a widget and a type.

    Raises:
        RuntimeError: if Slicer has nothing that joins the two.
    """
    kind, annotations = splitAnnotations(datatype)
    name = widget.className()
    found: GuiConnector | None = None
    if kind is bool and name == "QCheckBox":
        found = _attribute(widget, "stateChanged", "checked", bool)
    elif kind is bool and name == "QPushButton":
        widget.checkable = True
        found = _attribute(widget, "toggled", "checked", bool)
    elif kind in NUMBER_WIDGETS and name in NUMBER_WIDGETS[kind]:
        found = _number(widget, kind, annotations)
    elif name in ("QComboBox", "ctkComboBox"):
        found = _combo(widget, kind, annotations)
    elif kind is str and name == "QLineEdit":
        found = _attribute(widget, "textChanged", "text")
    elif kind is str and name == "QLabel":
        found = _attribute(widget, "", "text")
    elif kind is str and name == "QTextEdit":
        found = _text_edit(widget)
    elif name == "ctkPathLineEdit" and isinstance(kind, type) and issubclass(kind, pathlib.PurePath):
        found = _attribute(widget, "currentPathChanged", "currentPath", kind)
    elif name == "ctkDirectoryButton" and isinstance(kind, type) and issubclass(kind, pathlib.PurePath):
        found = _attribute(widget, "directoryChanged", "directory", kind)
    elif name == "qMRMLNodeComboBox" and isNodeOrUnionOfNodes(datatype):
        found = _nodes(widget, datatype)
    if found is None:
        raise RuntimeError(
            f"Unable to create GUI connector from datatype '{datatype}' to widget type '{name}'."
        )
    return found
