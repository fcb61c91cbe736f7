"""`slicer.modules` and the module manager: C++ modules with slicer-core's logic, and scripted ones that were loaded."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer_core
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QVBoxLayout

from standin.api import document
from standin.application.strict import StrictModule, StrictObject
from standin.binding.classes import own_class
from standin.binding.convert import from_qt
from standin.errors import NotInStandin
from standin.widgets.scene_widgets import qMRMLWidget

# Modules of Slicer that are scripted ones, and that the stand-in brings.
BUILT_IN = (Path(__file__).parent.parent / "builtin" / "SegmentEditor",)
LOGICS = {
    "Annotations": "vtkSlicerAnnotationModuleLogic",
    "Cameras": "vtkSlicerCamerasModuleLogic",
    "Colors": "vtkSlicerColorLogic",
    "Data": "vtkSlicerDataModuleLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Models": "vtkSlicerModelsLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Reformat": "vtkSlicerReformatLogic",
    "SceneViews": "vtkSlicerSceneViewsModuleLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Units": "vtkSlicerUnitsLogic",
    "ViewControllers": "vtkSlicerViewControllersLogic",
    "VolumeRendering": "vtkSlicerVolumeRenderingLogic",
    "Volumes": "vtkSlicerVolumesLogic",
}


class qSlicerLoadableModule(StrictObject):
    """A C++ module: its name and its logic."""

    def __init__(self, name: str, logic: Any) -> None:
        self._name, self._logic = name, logic

    @property
    def name(self) -> str:
        """Name of the module."""
        return self._name

    @property
    def title(self) -> str:
        """Name as it is shown."""
        return self._name

    def logic(self) -> Any:
        """The logic object.

        Raises:
            NotInStandin: if slicer-core has no logic for the module.
        """
        if self._logic is None:
            raise NotInStandin(f"The stand-in has no logic for the module {self._name}.")
        return self._logic

    def widgetRepresentation(self) -> Any:
        """The stand-in shows no C++ module."""
        raise NotInStandin(f"The stand-in has no panel for the module {self._name}.")


class qSlicerScriptedLoadableModule(StrictObject):
    """What a scripted module gets as `parent`."""

    _allowed = frozenset(
        {
            "title",
            "categories",
            "dependencies",
            "contributors",
            "helpText",
            "acknowledgementText",
            "icon",
            "hidden",
        }
        | {"index", "associatedNodeTypes", "widgetRepresentationCreationEnabled"}
    )

    def __init__(self, path: Path) -> None:
        self._path = path
        self._widget: Any = None
        self.title = ""
        self.categories: list[str] = []
        self.dependencies: list[str] = []
        self.contributors: list[str] = []
        self.helpText = self.acknowledgementText = ""
        self.icon: Any = from_qt(QIcon())
        self.hidden = False
        self.index = -1
        self.associatedNodeTypes: list[str] = []
        self.widgetRepresentationCreationEnabled = True

    @property
    def name(self) -> str:
        """Name of the module."""
        return self._path.stem

    @property
    def path(self) -> str:
        """File of the module."""
        return str(self._path)

    def widgetRepresentation(self) -> Any:
        """The panel, made on first use."""
        if self._widget is None:
            self._widget = qSlicerScriptedLoadableModuleWidget(self)
            self._widget.build()
        return from_qt(self._widget)

    def logic(self) -> Any:
        """A scripted module has a C++ logic that does nothing."""
        return slicer_core.vtkSlicerScriptedLoadableModuleLogic()


@own_class("slicer.qSlicerScriptedLoadableModuleWidget")
class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The widget that a scripted module builds its panel in: `self.parent`."""

    def __init__(self, module: qSlicerScriptedLoadableModule) -> None:
        super().__init__()
        self._module = module
        self._python: Any = None
        self._entered = False
        self.setObjectName(f"{module.name}ModuleWidget")
        QVBoxLayout(self)

    def read_moduleName(self) -> str:
        """Value of the property `moduleName`."""
        return self._module.name

    def read_isEntered(self) -> bool:
        """Value of the property `isEntered`."""
        return self._entered

    def build(self) -> None:
        """Make the Python widget and let it set itself up, then give it the scene."""
        import slicer

        name = self._module.name
        kind = getattr(sys.modules[name], f"{name}Widget")
        self._python = kind(from_qt(self))
        setattr(slicer.modules, f"{name}Widget", self._python)
        self._python.setup()
        self.setMRMLScene(slicer.mrmlScene)

    reload = build

    def self(self) -> Any:
        """The Python widget."""
        return self._python

    def module(self) -> qSlicerScriptedLoadableModule:
        """The module."""
        return self._module

    def enter(self) -> None:
        """The panel is shown."""
        self._entered = True
        if hasattr(self._python, "enter"):
            self._python.enter()

    def exit(self) -> None:
        """The panel is no longer shown."""
        self._entered = False
        if hasattr(self._python, "exit"):
            self._python.exit()


class FactoryManager(StrictObject):
    """Names of loaded modules."""

    def __init__(self, modules: dict[str, Any]) -> None:
        self._modules = modules

    def loadedModuleNames(self) -> tuple[str, ...]:
        """Names of loaded modules."""
        return tuple(self._modules)

    def isLoaded(self, name: str) -> bool:
        """Whether the module is loaded."""
        return name in self._modules

    def isRegistered(self, name: str) -> bool:
        """Whether the module was found."""
        return name in self._modules


@own_class("slicer.app.moduleManager()")
class ModuleManager(QObject):
    """All modules."""

    moduleLoaded = Signal(str)
    moduleAboutToBeUnloaded = Signal(str)

    def __init__(self, scene: Any, application_logic: Any) -> None:
        super().__init__()
        self._modules: dict[str, Any] = {}
        for name in document()["modules"].split():
            logic = getattr(slicer_core, LOGICS[name])() if name in LOGICS else None
            if logic is not None:
                logic.SetMRMLApplicationLogic(application_logic)
                logic.SetMRMLScene(scene)
                application_logic.SetModuleLogic(name, logic)
            self._modules[name] = qSlicerLoadableModule(name, logic)

    def module(self, name: str) -> Any:
        """A module by name, or None."""
        return self._modules.get(name)

    def modulesNames(self) -> tuple[str, ...]:
        """Names of all modules."""
        return tuple(self._modules)

    def factoryManager(self) -> FactoryManager:
        """What knows which modules are loaded."""
        return FactoryManager(self._modules)

    def load(self, path: Path) -> qSlicerScriptedLoadableModule:
        """Load a scripted module.

        Args:
            path: its `.py` file, or its folder.

        Raises:
            ValueError: if Slicer would not load it.
        """
        path = path.resolve()
        path = path / f"{path.name}.py" if path.is_dir() else path
        if path.stem.endswith("Test"):
            raise ValueError(f"{path.stem}: Slicer does not load modules whose name ends in Test.")
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise ValueError(f"{path} cannot be loaded as a Python file.")
        source = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = source
        spec.loader.exec_module(source)
        module = qSlicerScriptedLoadableModule(path)
        namespace = sys.modules["slicer.modules"]
        setattr(namespace, path.stem.lower(), module)
        setattr(namespace, f"{path.stem}Instance", getattr(source, path.stem)(module))
        setattr(sys.modules["slicer.moduleNames"], path.stem, path.stem)
        self._modules[path.stem] = module
        self.moduleLoaded.emit(path.stem)
        return module

    def unload(self, name: str) -> None:
        """Unload a scripted module: its widget is told to clean up, and goes."""
        self.moduleAboutToBeUnloaded.emit(name)
        module = self._modules.pop(name)
        if module._widget is not None:
            module._widget.deleteLater()
            module._widget = None
        for attribute in (name.lower(), f"{name}Instance", f"{name}Widget"):
            sys.modules["slicer.modules"].__dict__.pop(attribute, None)


def modules_namespace(manager: ModuleManager) -> StrictModule:
    """The module `slicer.modules`."""
    namespace = StrictModule("slicer.modules", "Loaded modules by their names in lower case")
    for name in manager.modulesNames():
        setattr(namespace, name.lower(), manager.module(name))
    return namespace
