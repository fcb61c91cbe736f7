"""`parameterNodeWrapper`: a class whose typed attributes are parameters of a node in the scene."""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import vtk

from standin.api import document
from standin.application.strict import StrictModule
from standin.binding.wrapper import Wrapper
from standin.parameters import annotations as parts
from standin.parameters.annotations import Default, splitAnnotations
from standin.parameters.gui import GuiConnector, createGuiConnector
from standin.parameters.storing import Text, make_store

PROPERTY = "SlicerParameterName"


@dataclass
class ParameterInfo:
    """One parameter of a wrapper class."""

    basename: str
    store: Text
    default: Default
    unalteredType: Any


class Modifying:
    """Joins many changes of a node into one event."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def __enter__(self) -> None:
        self._before = self._node.StartModify()

    def __exit__(self, *error: object) -> None:
        self._node.EndModify(self._before)


def _read_infos(kind: type) -> dict[str, ParameterInfo]:
    infos = {}
    for name, annotated in typing.get_type_hints(kind, include_extras=True).items():
        try:
            store, left = make_store(annotated)
        except TypeError as error:
            raise Exception(f"Unable to create serializer for {kind} member {name}") from error
        given = next((entry for entry in left if isinstance(entry, Default)), None)
        default = Default(getattr(kind, name)) if hasattr(kind, name) else given or Default(store.default())
        infos[name] = ParameterInfo(name, store, default, annotated)
    return infos


def _make_property(info: ParameterInfo) -> property:
    def read(self: Any) -> Any:
        node, name = self.parameterNode, self._prefix + info.basename
        if not info.store.is_in(node, name):
            info.store.write(node, name, info.default.value)
        return info.store.read(node, name)

    def write(self: Any, value: Any) -> None:
        with Modifying(self.parameterNode):
            info.store.write(self.parameterNode, self._prefix + info.basename, value)

    return property(read, write)


class Members:
    """What every wrapper class gets."""

    allParameters: dict[str, ParameterInfo]
    _is_parameter_node_wrapper = True

    def __init__(self, parameterNode: Any, prefix: str | None = None) -> None:
        self.parameterNode = parameterNode
        self._prefix = prefix or ""
        self._guis: dict[int, dict[str, GuiConnector]] = {}
        self._tags: dict[int, int] = {}
        self._next_tag = 0
        self._updating = False
        for info in self.allParameters.values():
            if not info.store.is_in(parameterNode, self._prefix + info.basename):
                info.store.write(parameterNode, self._prefix + info.basename, info.default.value)

    def _check(self, name: str) -> ParameterInfo:
        if name not in self.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}")
        return self.allParameters[name]

    def default(self, paramName: str) -> Default:
        """Default of a parameter."""
        return self._check(paramName).default

    def isCached(self, paramName: str) -> bool:
        """Whether reading a parameter costs nothing."""
        self._check(paramName)
        return True

    def getValue(self, name: str) -> Any:
        """Value of a parameter by name."""
        self._check(name)
        return getattr(self, name)

    def setValue(self, name: str, value: Any) -> None:
        """Set a parameter by name."""
        self._check(name)
        setattr(self, name, value)

    def connectGui(self, gui: Any) -> int:
        """Join every widget that names a parameter in its property SlicerParameterName.

        Args:
            gui: a widget, or the object of `slicer.util.childWidgetVariables`.
        """
        import qt

        widgets = gui.findChildren(qt.QWidget) if isinstance(gui, Wrapper) else list(gui.__dict__.values())
        named = {widget.property(PROPERTY): widget for widget in widgets if widget.property(PROPERTY)}
        return self.connectParametersToGui(named)

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        """Join parameters and widgets."""
        kinds = {name: self._check(name).unalteredType for name in mapping}
        connectors = {
            name: entry if isinstance(entry, GuiConnector) else createGuiConnector(entry, kinds[name])
            for name, entry in mapping.items()
        }
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        self._guis[tag] = connectors
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(self._from_gui(name, connector))
        self._tags[tag] = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: self._to_gui())
        return tag

    def _from_gui(self, name: str, connector: GuiConnector) -> Callable[[], None]:
        def take() -> None:
            if not self._updating:
                self.setValue(name, connector.read())

        return take

    def _to_gui(self) -> None:
        if self._updating:
            return
        self._updating = True
        try:
            with Modifying(self.parameterNode):
                for connectors in self._guis.values():
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._updating = False

    def disconnectGui(self, guiTag: int) -> None:
        """Undo a `connectGui`."""
        for connector in self._guis.pop(guiTag, {}).values():
            connector.onChanged(None)
        if guiTag in self._tags:
            self.RemoveObserver(self._tags.pop(guiTag))

    def StartModify(self) -> int:
        """Hold back Modified events."""
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified: int) -> int:
        """Let Modified events go."""
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event: Any, callback: Callable, priority: float = 0.0) -> int:
        """Observe the node."""
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        """End an observation."""
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        """Say that the node has changed."""
        self.parameterNode.Modified()


def _wrap(kind: type) -> type:
    infos = _read_infos(kind)
    members = {name: value for name, value in vars(Members).items() if not name.startswith("__")}
    for name in members:
        if hasattr(kind, name) or name in infos:
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
    for name, value in members.items():
        setattr(kind, name, value)
    kind.__init__ = Members.__init__  # type: ignore[misc]
    kind.allParameters = infos  # type: ignore[attr-defined]
    kind.dataType = staticmethod(lambda membername: infos[membername].unalteredType)  # type: ignore[attr-defined]
    for name, info in infos.items():
        setattr(kind, name, _make_property(info))
    return kind


def parameterNodeWrapper(classtype: type | None = None) -> Any:
    """Class decorator, with or without parentheses."""
    return _wrap if classtype is None else _wrap(classtype)


def isParameterNodeWrapper(classOrObj: Any) -> bool:
    """Whether the class or object was made by `parameterNodeWrapper`."""
    return getattr(classOrObj, "_is_parameter_node_wrapper", False)


def findChildWidgetForParameter(widget: Any, parameter: str) -> Any:
    """The widget below that names the parameter, or None."""
    import qt

    found = [child for child in widget.findChildren(qt.QWidget) if child.property(PROPERTY) == parameter]
    return found[0] if found else None


def parameters_module() -> StrictModule:
    """The module `slicer.parameterNodeWrapper`."""
    listed = document()["slicer.parameterNodeWrapper"]
    module = StrictModule("slicer.parameterNodeWrapper", "Typed parameters in the scene", listed)
    own = (
        parameterNodeWrapper,
        isParameterNodeWrapper,
        findChildWidgetForParameter,
        GuiConnector,
        createGuiConnector,
    )
    shared = [entry for name, entry in vars(parts).items() if name in listed]
    for entry in (*own, *shared):
        setattr(module, entry.__name__, entry)
    module.splitAnnotations = splitAnnotations  # type: ignore[attr-defined]
    module.__all__ = [name for name in listed if name in vars(module)]  # type: ignore[attr-defined]
    return module
