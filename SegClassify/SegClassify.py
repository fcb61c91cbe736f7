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
        if self.panel is not None:
            self.panel.exit()

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

    @property
    def models_folder(self) -> str:
        """Where models are listed, added and saved; empty: the user's folder, and those shipped with the software."""
        return self._module.models_folder

    @models_folder.setter
    def models_folder(self, folder: str) -> None:
        self._module.models_folder = folder

    def __getattr__(self, name: str) -> Any:
        """All else of ``SegClassifyPanel.logic.ModuleLogic``: ``start_classify``, ``batch``, ``worker``, ``undo`` …"""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._module, name)


class SegClassifyTest(ScriptedLoadableModuleTest):
    """The module's own test, the same in Slicer and in the stand-in; what it does: ``SegClassifyPanel.self_test``."""

    checks: Any = None

    @classmethod
    def setUpClass(cls) -> None:
        """Make small models and a logic, once for all tests."""
        from SegClassifyPanel.self_test import SelfTest

        cls.checks = SelfTest(SegClassifyLogic)

    @classmethod
    def tearDownClass(cls) -> None:
        """End the worker."""
        cls.checks.close()

    def setUp(self) -> None:
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        """All tests, when they are started from the module's panel."""
        self.setUpClass()
        try:
            for name in self.moduleTestNames:
                self.setUp()
                getattr(self, name)()
        finally:
            self.tearDownClass()

    def test_classify(self) -> None:
        """One volume: class, table, and every voxel of the segmentation."""
        self.checks.run(self, "classify")

    def test_again_and_undo(self) -> None:
        """A second run updates the first one's nodes; undo brings the first back."""
        self.checks.run(self, "again_and_undo")

    def test_transforms(self) -> None:
        """Under a transform the result lies on the image."""
        self.checks.run(self, "transforms")

    def test_channels(self) -> None:
        """Two channels on different grids, and a volume chosen twice."""
        self.checks.run(self, "channels")

    def test_picture(self) -> None:
        """A 2D image in colour."""
        self.checks.run(self, "picture")

    def test_bad_input(self) -> None:
        """What cannot be classified is refused in a sentence, and the scene stays as it was."""
        self.checks.run(self, "bad_input")

    def test_cancel(self) -> None:
        """Cancel answers, leaves nothing, and the next run works."""
        self.checks.run(self, "cancel")

    def test_crash(self) -> None:
        """A worker that dies is told of, and the next run starts another."""
        self.checks.run(self, "crash")

    def test_scene_close(self) -> None:
        """Closing the scene cancels."""
        self.checks.run(self, "scene_close")

    def test_save_and_load(self) -> None:
        """A result survives in a saved scene."""
        self.checks.run(self, "save_and_load")

    def test_batch(self) -> None:
        """The scene and a folder, each with a bad one among the cases."""
        self.checks.run(self, "batch")

    def test_surfaces(self) -> None:
        """Shown in 3D, with surfaces made by another process."""
        self.checks.run(self, "surfaces")

    def test_training(self) -> None:
        """From an empty folder to a classifier that is saved, used, corrected and trained again."""
        self.checks.run(self, "training")
