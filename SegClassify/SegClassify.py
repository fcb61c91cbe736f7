"""The SegClassify module of 3D Slicer: the door. What is behind it is imported when it is first opened."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

if TYPE_CHECKING:
    from SegClassifyPanel.classify_job import Outcome
    from SegClassifyPanel.panel import Panel


class SegClassify(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        parent.title = "SegClassify"
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["SegClassify developers"]
        parent.helpText = _(
            "Runs a segmentation network on a volume, shows its labels, and says from its features how probable each "
            "class is. For research use only: not for diagnosis."
        )
        parent.acknowledgementText = _(
            "The method follows K. C. L. Wong, T. Syeda-Mahmood and M. Moradi, Building medical image classifiers with "
            "very limited data using segmentation networks, Medical Image Analysis 2018."
        )


class SegClassifyWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: made of the parts in ``SegClassifyPanel``."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: SegClassifyLogic | None = None
        self.panel: Panel | None = None
        self._entered = False

    def setup(self) -> None:
        """Called by Slicer when the module is opened for the first time."""
        super().setup()
        from SegClassifyPanel.panel import Panel

        self.logic = SegClassifyLogic()
        self.panel = Panel(self.logic, Path(self.resourcePath("UI")).parent)
        self.layout.addWidget(self.panel.widget)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.initializeParameterNode()

    def enter(self) -> None:
        """Called by Slicer each time the user comes to the module."""
        self._entered = True
        self.initializeParameterNode()
        if self.panel is not None:
            self.panel.enter()

    def exit(self) -> None:
        """Called by Slicer when the user goes to another module."""
        self._entered = False

    def initializeParameterNode(self) -> None:
        """Show the choices that the scene holds."""
        if self.logic is not None and self.panel is not None:
            self.panel.set_parameters(self.logic.getParameterNode())

    def onSceneStartClose(self, *_: Any) -> None:
        """The parameter node is about to be emptied."""
        if self.panel is not None:
            self.panel.set_parameters(None)

    def onSceneEndClose(self, *_: Any) -> None:
        """The scene is empty; if the panel is seen, it begins anew."""
        if self._entered:
            self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called by Slicer before the module goes, and before it is reloaded."""
        self.removeObservers()
        if self.panel is not None:
            self.panel.cleanup()
            self.panel = None
        if self.logic is not None:
            self.logic.cleanup()
            self.logic = None

    def onReload(self) -> None:
        """Reload the parts of the panel too, not the door alone."""
        for name in [n for n in sys.modules if n.split(".")[0] == "SegClassifyPanel"]:
            del sys.modules[name]
        super().onReload()


class SegClassifyLogic(ScriptedLoadableModuleLogic):
    """What the module can do; usable without its panel, see docs/slicer-scripting.md.

    Example:
        >>> logic = SegClassifyLogic()
        >>> outcome = logic.classify([slicer.util.getNode("MRHead")], "/path/to/model")
        >>> outcome.result.predicted, outcome.result.probabilities
        >>> logic.cleanup()
    """

    def __init__(self) -> None:
        super().__init__()
        from SegClassifyPanel.logic import ModuleLogic

        self._module = ModuleLogic(self.getParameterNode)

    def getParameterNode(self) -> Any:
        """The choices that are saved with the scene, as ``SegClassifyParameters``."""
        from SegClassifyPanel.parameters import SegClassifyParameters

        return SegClassifyParameters(super().getParameterNode())

    def classify(
        self,
        volumes: Sequence[slicer.vtkMRMLVolumeNode],
        model: str | Path,
        device: str = "auto",
        keep_earlier: bool = False,
    ) -> Outcome:
        """Segment and classify, and return when the result is in the scene; see ``ModuleLogic.classify``."""
        return self._module.classify(volumes, model, device, keep_earlier)

    def __getattr__(self, name: str) -> Any:
        """All else of ``SegClassifyPanel.logic.ModuleLogic``: ``start_classify``, ``batch``, ``worker``, ``undo`` …"""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._module, name)


class SegClassifyTest(ScriptedLoadableModuleTest):
    """The module's own test; runs in Slicer (Reload and Test) and in the stand-in."""

    def setUp(self) -> None:
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        """Everything, in the order in which a user would meet it."""
        from SegClassifyPanel.self_test import SelfTest

        SelfTest(self).run()
