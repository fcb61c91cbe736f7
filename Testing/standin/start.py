"""Starting the stand-in: `qt`, `ctk`, `vtk` and `slicer` become importable."""

import atexit
import os
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer_core
import vtk
from PySide6.QtCore import QEvent, QEventLoop

from standin import guard
from standin.api import class_api
from standin.application.app import Application
from standin.application.files import IOManager
from standin.application.language import language_module
from standin.application.layout import LayoutManager
from standin.application.modules import (
    BUILT_IN,
    ModuleManager,
    modules_namespace,
    qSlicerScriptedLoadableModule,
)
from standin.application.packages import packaging_module
from standin.application.paths import run_folder
from standin.application.scene import SceneServices, write_colors
from standin.application.scripted import scripted_module
from standin.application.strict import StrictModule
from standin.application.testing import testing_module
from standin.application.util import util_module
from standin.application.window import MainWindow
from standin.binding.classes import wrapper_class
from standin.binding.convert import from_qt
from standin.binding.modules import ctk_module, qt_module
from standin.errors import raise_recorded, record
from standin.parameters.wrapper import parameters_module

FOUR_UP = slicer_core.vtkMRMLLayoutNode.SlicerLayoutFourUpView


class SlicerModule(StrictModule):
    """The module `slicer`: slicer-core's VTK classes, qMRML widgets, and the submodules."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("vtk") and isinstance(getattr(slicer_core, name, None), type):
            return getattr(slicer_core, name)
        if class_api(f"slicer.{name}") is not None:
            return wrapper_class(f"slicer.{name}")
        return super().__getattr__(name)


class Session:
    """The running stand-in."""

    def __init__(self) -> None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        self.app = Application(sys.argv[:1])
        slicer = SlicerModule("slicer", "3D Slicer")
        slicer.__path__ = []  # a package, so that slicer.util can be imported
        self._install("qt", qt_module())
        self._install("ctk", ctk_module())
        self._install("slicer", slicer)
        self.slicer: Any = slicer
        slicer.mrmlScene = self.app.mrmlScene()  # type: ignore[attr-defined]
        slicer.selfTests = {}  # type: ignore[attr-defined]
        self._fill_scene()
        slicer.app = from_qt(self.app)  # type: ignore[attr-defined]
        slicer.qSlicerScriptedLoadableModule = qSlicerScriptedLoadableModule  # type: ignore[attr-defined]
        self._submodule("modules", modules_namespace(self.modules))
        self._submodule("moduleNames", StrictModule("slicer.moduleNames", "Names of loaded modules"))
        self._submodule("i18n", language_module())
        self._submodule("testing", testing_module())
        self._submodule("util", util_module())
        self._submodule("ScriptedLoadableModule", scripted_module())
        self._submodule("parameterNodeWrapper", parameters_module())
        self._submodule("packaging", packaging_module())
        self.window = MainWindow(self.modules, self.app.layout_manager.viewport())
        for module in BUILT_IN:
            self.modules.load(module)
        guard.install()

    def _install(self, name: str, module: types.ModuleType) -> None:
        sys.modules[name] = module

    def _submodule(self, name: str, module: types.ModuleType) -> None:
        sys.modules[f"slicer.{name}"] = module
        setattr(self.slicer, name, module)

    def _fill_scene(self) -> None:
        """Make what stands in every scene: logics with their node classes, colours, views."""
        app = self.app
        scene, logic = app.mrmlScene(), app.applicationLogic()
        before = vtk.vtkObject.GetGlobalWarningDisplay()
        vtk.vtkObject.GlobalWarningDisplayOff()  # slicer-core comes without Slicer's colour and terminology files
        logic.SetMRMLScene(scene)
        logic.SetTemporaryPath(app.temporaryPath)
        scene.SetRootDirectory(app.temporaryPath)
        scene.SetVersion("Slicer 5.13.0")
        share = run_folder() / "home" / app.slicerSharePath
        write_colors(share)
        logic.SetHomeDirectory(str(run_folder() / "home"))
        logic.SetShareDirectory(app.slicerSharePath)
        self._services = SceneServices(scene, logic, Path(app.temporaryPath))
        self.modules = app.module_manager = ModuleManager(scene, logic)
        logic.SetColorLogic(self.modules.module("Colors").logic())
        app.layout_manager = LayoutManager(app)
        app.io_manager = IOManager(app)
        vtk.vtkObject.SetGlobalWarningDisplay(before)


_session: Session | None = None


def start() -> Session:
    """Start the stand-in, once a process; later calls give the running one."""
    global _session
    if _session is None:
        _session = Session()
        atexit.register(_leave)
    return _session


def _leave() -> None:
    """At the end of the process modules are unloaded, as when Slicer exits."""
    for name in loaded_modules():
        unload_module(name)


def loaded_modules() -> list[str]:
    """Names of scripted modules that are loaded."""
    modules = start().modules
    return [
        name
        for name in modules.modulesNames()
        if isinstance(modules.module(name), qSlicerScriptedLoadableModule)
    ]


def load_module(path: str | Path, show: bool = True) -> Any:
    """Load a scripted module and show its panel.

    Args:
        path: the `.py` file or the folder of the module.
        show: make the panel at once; without it, as in Slicer, it is made when the module is first selected.

    Returns:
        The module's widget (`…Widget`), or the module if the panel is not shown.
    """
    session = start()
    module = session.modules.load(Path(path))
    guard.watch_folder(Path(module.path).parent)
    if not show:
        return module
    session.window.show()
    session.slicer.util.selectModule(module.name)
    spin(0)
    raise_recorded()
    return session.slicer.util.getModuleWidget(module.name)


def unload_module(name: str) -> None:
    """Unload a module: `cleanup` is called and the panel goes."""
    session = start()
    session.window.moduleSelector().forget(name)
    session.modules.unload(name)
    spin(0)
    raise_recorded()


def reset() -> None:
    """Between tests: an empty scene, three slices and the 3D view, and nothing recorded."""
    session = start()
    session.app.mrmlScene().Clear(False)
    session.app.layout_manager.setLayout(FOUR_UP)
    spin(0)
    record.clear()


def spin(seconds: float = 0.0) -> None:
    """Let the event loop run for so long, deferred deletions too."""
    app = start().app
    end = time.monotonic() + seconds
    while True:
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        if time.monotonic() >= end:
            return
        time.sleep(0.002)


def wait_until(condition: Callable[[], Any], seconds: float = 30.0, what: str = "") -> Any:
    """Let the event loop run until the condition holds; its value.

    Raises:
        AssertionError: if it does not within `seconds`, or if a slot raised meanwhile.
    """
    end = time.monotonic() + seconds
    while True:
        spin(0.01)
        raise_recorded()
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"Waited {seconds} s in vain{f' for {what}' if what else ''}.")


def live_views(live: bool) -> None:
    """Render views whenever they change, as Slicer does; otherwise only `screenshot` renders them.

    Args:
        live: render from now on, or no longer.
    """
    start().app.layout_manager.set_live(live)


def screenshot(path: str | Path, views: bool = True) -> Path:
    """Save a picture of the window: the module's panel beside the views.

    Args:
        path: a `.png` file.
        views: render the views first; without it only the panel is saved.
    """
    session = start()
    spin(0.05)
    if views:
        session.window.grab()  # a window that was never shown gives its views their places only now
        session.app.layout_manager.render_all()
    widget = session.window if views else session.window.panel
    if not widget.grab().save(str(path)):
        raise OSError(f"{path} cannot be written.")
    return Path(path)


def run_tests(module_name: str) -> int:
    """Run the test class of a loaded module as Slicer does.

    Args:
        module_name: name of the module, without Test.

    Returns:
        How many test methods ran.

    Raises:
        AssertionError: if a test fails, or a slot or an observer raised meanwhile.
    """
    session = start()
    test = getattr(sys.modules[module_name], f"{module_name}Test")()
    session.slicer.selfTests[module_name]()
    spin(0)
    raise_recorded()
    return len(test.moduleTestNames)
