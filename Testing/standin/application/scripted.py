"""`slicer.ScriptedLoadableModule`: the four base classes of a scripted module."""

import importlib
import logging
import unittest
from pathlib import Path
from typing import Any

from standin.application.strict import StrictModule


class ScriptedLoadableModule:
    """What a module says of itself."""

    def __init__(self, parent: Any) -> None:
        import qt
        import slicer

        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title = ""
        parent.categories = []
        parent.dependencies = []
        parent.contributors = []
        parent.helpText = parent.acknowledgementText = ""
        for extension in (".svg", ".png"):
            icon = Path(parent.path).parent / "Resources" / "Icons" / f"{self.moduleName}{extension}"
            if icon.is_file():
                parent.icon = qt.QIcon(str(icon))
                break
        slicer.selfTests[self.moduleName] = self.runTest

    def resourcePath(self, filename: str) -> str:
        """Path of a file in the module's `Resources` folder."""
        return str(Path(self.parent.path).parent / "Resources" / filename)

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        """A sentence that links to the module's documentation."""
        import slicer

        app = slicer.app
        url = app.documentationBaseUrl + docPage if docPage else app.moduleDocumentationUrl(self.moduleName)
        return f'<p>For more information, see the <a href="{url}">online documentation</a>.</p>'

    def runTest(self, msec: int = 100, **kwargs: Any) -> None:
        """Run the test class of the module, which is named after it."""
        module = importlib.import_module(type(self).__module__)
        kind = getattr(module, f"{self.moduleName}Test", None)
        if kind is None:
            raise AssertionError(f"Test case class not found: {type(self).__module__}.{self.moduleName}Test ")
        test = kind()
        test.messageDelay = msec
        test.runTest(**kwargs)


class ScriptedLoadableModuleWidget:
    """The panel of a module."""

    def __init__(self, parent: Any = None) -> None:
        import qt
        import slicer

        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = slicer.util.settingsValue("Developer/DeveloperMode", False, slicer.util.toBool)
        if parent is None:
            self.parent = slicer.qMRMLWidget()
            self.parent.setLayout(qt.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        else:
            self.parent = parent
        self.layout = self.parent.layout()
        if parent is None:
            self.setup()
            self.parent.show()
        manager = slicer.app.moduleManager()
        manager.connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def resourcePath(self, filename: str) -> str:
        """Path of a file in the module's `Resources` folder."""
        import slicer

        return str(Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / filename)

    def cleanup(self) -> None:
        """Called before the module is unloaded or reloaded."""

    def _onModuleAboutToBeUnloaded(self, moduleName: str) -> None:
        import slicer

        if moduleName == self.moduleName:
            self.cleanup()
            manager = slicer.app.moduleManager()
            manager.disconnect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def setupDeveloperSection(self) -> None:
        """In developer mode, buttons to reload and to test."""
        if not self.developerMode:
            return
        import ctk
        import qt

        self.reloadCollapsibleButton = ctk.ctkCollapsibleButton()
        self.reloadCollapsibleButton.text = "Reload && Test"
        self.layout.addWidget(self.reloadCollapsibleButton)
        form = qt.QFormLayout(self.reloadCollapsibleButton)
        self.reloadButton = qt.QPushButton("Reload")
        self.reloadButton.connect("clicked()", self.onReload)
        self.testButton = qt.QPushButton("Reload and Test")
        self.testButton.connect("clicked()", self.onReloadAndTest)
        form.addRow(self.reloadButton, self.testButton)

    def setup(self) -> None:
        """Build the panel; subclasses call this first."""
        self.setupDeveloperSection()

    def onReload(self) -> None:
        """Load the module's file again and build the panel anew."""
        import slicer

        slicer.util.reloadScriptedModule(self.moduleName)

    def onTest(self, **kwargs: Any) -> None:
        """Run the module's test."""
        import slicer

        with slicer.util.tryWithErrorDisplay("Test failed."):
            slicer.selfTests[self.moduleName](msec=1, **kwargs)

    def onReloadAndTest(self, **kwargs: Any) -> None:
        """Reload, then test."""
        import slicer

        with slicer.util.tryWithErrorDisplay("Reload and Test failed."):
            self.onReload()
            slicer.selfTests[self.moduleName](msec=1, **kwargs)


class ScriptedLoadableModuleLogic:
    """What a module can do without its panel."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        """The module's parameter node, added to the scene if it is not there."""
        import slicer

        if self.isSingletonParameterNode:
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            if node is not None:
                if node.GetAttribute("ModuleName") != self.moduleName:
                    node.SetAttribute("ModuleName", self.moduleName)
                return node
        else:
            nodes = self.getAllParameterNodes()
            if nodes:
                return nodes[0]
        return slicer.mrmlScene.AddNode(self.createParameterNode())

    def getAllParameterNodes(self) -> list[Any]:
        """All parameter nodes of the module."""
        import slicer

        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self) -> Any:
        """A new parameter node, not yet in the scene."""
        import slicer

        if slicer.mrmlScene is None:
            return None
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """The test of a module: runs in Slicer and on the stand-in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.moduleTestNames: list[str] = []
        super().__init__(*args, **kwargs)
        self.enableScreenshots = False
        self.screenshotScaleFactor = 1.0
        if not self.moduleTestNames:
            self.moduleTestNames = [
                name for name in dir(self) if "test" in name and callable(getattr(self, name))
            ]

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        """Say something and let the event loop catch up."""
        import slicer

        slicer.util.delayDisplay(message, getattr(self, "messageDelay", msec or requestedDelay or 100))

    def takeScreenshot(self, name: str, description: str, type: int = -1) -> None:
        """Only says the description: the stand-in keeps no snapshots in the scene."""
        self.delayDisplay(description)

    def setUp(self) -> None:
        """Before each test."""

    def tearDown(self) -> None:
        """After each test."""

    def runTest(self) -> None:
        """Run every method that has test in its name."""
        if not self.moduleTestNames:
            logging.warning("No test is defined in %s", type(self).__name__)
            return
        self.setUpClass()
        for name in self.moduleTestNames:
            self.setUp()
            logging.info("Running %s", name)
            getattr(self, name)()
            self.tearDown()
        self.tearDownClass()


def scripted_module() -> StrictModule:
    """The module `slicer.ScriptedLoadableModule`; `from … import *` gives the four classes, as in Slicer."""
    module = StrictModule("slicer.ScriptedLoadableModule", "Base classes of scripted modules")
    kinds = (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    )
    for kind in kinds:
        setattr(module, kind.__name__, kind)
    module.__all__ = [kind.__name__ for kind in kinds]  # type: ignore[attr-defined]
    return module
