"""`.ui` files: built by Qt's own loader, with the stand-in's widgets, and checked against the names Slicer has."""

import inspect
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from PySide6.QtCore import Property, QBuffer, QByteArray, QObject
from PySide6.QtUiTools import QUiLoader
from PySide6.QtWidgets import QWidget

from standin import widgets  # noqa: F401  so that they are in the table of classes
from standin.api import ClassApi, class_api
from standin.binding.classes import OWN, pyside_class
from standin.binding.convert import from_qt
from standin.binding.enums import enum_names
from standin.binding.signals import normalized
from standin.binding.specials import known_signature
from standin.guard import qt_messages

# Dynamic properties that a .ui file may set on any widget.
DYNAMIC = frozenset({"SlicerParameterName", "SlicerPackParameterName"})


def api_of(class_name: str) -> ClassApi:
    """Names of a class as it is written in a `.ui` file.

    Raises:
        ValueError: if Slicer is not known to have it.
    """
    for module in ("qt", "ctk", "slicer"):
        api = class_api(f"{module}.{class_name}")
        if api is not None:
            return api
    raise ValueError(f"Slicer is not known to have the class {class_name}.")


class Loader(QUiLoader):
    """Qt's loader, that makes ctk… and qMRML… widgets too."""

    def createWidget(self, class_name: str, parent: QWidget | None = None, name: str = "") -> QWidget:
        """Make a widget by the name of its class."""
        for module in ("ctk", "slicer"):
            if f"{module}.{class_name}" in OWN:
                widget = OWN[f"{module}.{class_name}"](parent)
                widget.setObjectName(name)
                return widget
        if class_name not in self.availableWidgets() and class_name != "Line":
            raise ValueError(f"The stand-in has no widget {class_name}.")
        return super().createWidget(class_name, parent, name)


def as_numbers(element: ET.Element) -> None:
    """In a widget of the stand-in, write enum values as the numbers that its properties are."""
    own = next(
        (OWN[name] for module in ("ctk", "slicer") if (name := f"{module}.{element.get('class')}") in OWN),
        None,
    )
    if own is None:
        return
    # Not by staticMetaObject: PySide6 takes it for deleted once a widget that was asked for its metaObject() is gone.
    for entry in element.findall("property"):
        ours = isinstance(inspect.getattr_static(own, entry.get("name", ""), None), Property)
        value = entry[0]
        if value.tag in ("enum", "set") and ours:
            number = sum(enum_number(text, own) for text in (value.text or "").split("|") if text)
            value.tag, value.text = "number", str(number)


def enum_number(text: str, own: type) -> int:
    """Number of an enum value such as `Qt::AlignLeft` or `ctkPathLineEdit::Dirs`."""
    scope, _, name = text.partition("::")
    home = own if scope == element_name(own) else pyside_class(f"qt.{scope}")
    if home is None or name not in enum_names(home):
        raise ValueError(f"There is no enum value {text}.")
    return int(enum_names(home)[name])


def element_name(own: type) -> str:
    """Name of a class of the stand-in as it stands in a `.ui` file."""
    return own.STANDIN_NAME.partition(".")[2]  # type: ignore[attr-defined]


def check_widget(element: ET.Element, path: Path) -> None:
    """Raise ValueError if a widget sets a property that its class has not, or an enum as Qt 5 does not read it."""
    kind, name = element.get("class", ""), element.get("name", "")
    where = f"{path.name}, {name} ({kind})"
    api = api_of("QFrame" if kind == "Line" else kind)
    for entry in element.findall("property"):
        label = entry.get("name", "")
        if label in DYNAMIC or entry.get("stdset") == "0":
            continue
        if label not in api.properties and not (kind == "Line" and label == "orientation"):
            raise ValueError(f"{where}: there is no property {label}.")
        for value in entry.iter():
            if value.tag in ("enum", "set") and re.search(r"\w+::\w+::\w+", value.text or ""):
                raise ValueError(
                    f"{where}: Qt 5 does not read {value.text}; write the class and the value only."
                )


def load(file_name: str, parent: QWidget | None = None) -> QWidget:
    """Build the widgets of a file.

    Args:
        file_name: the `.ui` file.
        parent: of the new widget.

    Raises:
        ValueError: for a class, property, signal or slot that Slicer is not known to have.
    """
    path = Path(file_name)
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    for element in root.iter("widget"):
        check_widget(element, path)
        as_numbers(element)
    connections = root.find("connections")
    if connections is not None:
        root.remove(connections)
    custom = root.find("customwidgets")
    if custom is not None:
        root.remove(custom)
    buffer = QBuffer()
    buffer.setData(QByteArray(ET.tostring(root, encoding="utf-8")))
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    qt_messages.clear()
    widget = Loader().load(buffer, parent)
    complaints = [message for message in qt_messages if message.startswith("Designer:")]
    if widget is None or complaints:
        raise ValueError(f"{path.name} cannot be loaded. {' '.join(complaints)}")
    for connection in connections if connections is not None else ():
        connect(widget, connection, path)
    return widget


def connect(widget: QWidget, connection: ET.Element, path: Path) -> None:
    """Make one connection of a file."""
    part = {child.tag: (child.text or "").strip() for child in connection}
    sender, receiver = _named(widget, part["sender"], path), _named(widget, part["receiver"], path)
    wrapper, target = from_qt(sender), from_qt(receiver)
    slot = normalized(part["slot"])
    slots = {normalized(entry) for entry in type(target)._standin_api.slots}
    if slot not in slots and not hasattr(QWidget, slot.partition("(")[0]):
        raise ValueError(f"{path.name}: {part['receiver']} has no slot {slot}.")
    name = slot.partition("(")[0]
    arguments = 0 if slot.endswith("()") else slot.count(",") + 1
    signal = known_signature(wrapper, part["signal"])

    def relay(*values: object) -> None:
        getattr(target, name)(*values[:arguments])

    wrapper.connect(signal, relay)


def _named(widget: QWidget, name: str, path: Path) -> QObject:
    found = widget if widget.objectName() == name else widget.findChild(QObject, name)
    if found is None:
        raise ValueError(f"{path.name}: a connection names {name}, which is not there.")
    return found
