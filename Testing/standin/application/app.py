"""`slicer.app`: Qt's application with what modules ask of Slicer's."""

import locale
from typing import Any

import slicer_core
from PySide6.QtCore import QLocale, QObject, QSettings, QStandardPaths, Signal
from PySide6.QtWidgets import QApplication

from standin.application.paths import run_folder
from standin.binding.classes import own_class
from standin.widgets.stored import stored

VERSION = (5, 13, 0)


@own_class("slicer.qSlicerCommandOptions")
class CommandOptions(QObject):
    """What Slicer was started with: `--testing`."""

    testingEnabled = stored("testingEnabled", bool, True)
    noMainWindow = stored("noMainWindow", bool, False)
    noSplash = stored("noSplash", bool, True)
    ignoreSlicerRC = stored("ignoreSlicerRC", bool, True)
    pythonScript = stored("pythonScript", str, "")


@own_class("slicer.app")
class Application(QApplication):
    """Slicer's application."""

    mrmlSceneChanged = Signal(object)
    startupCompleted = Signal()
    renderPaused = Signal(bool)
    urlReceived = Signal(str)
    usageEventLogged = Signal(str, str)

    majorVersion = stored("majorVersion", int, VERSION[0])
    minorVersion = stored("minorVersion", int, VERSION[1])
    mainApplicationMajorVersion = stored("mainApplicationMajorVersion", int, VERSION[0])
    mainApplicationMinorVersion = stored("mainApplicationMinorVersion", int, VERSION[1])
    mainApplicationPatchVersion = stored("mainApplicationPatchVersion", int, VERSION[2])
    mainApplicationName = stored("mainApplicationName", str, "Slicer")
    mainApplicationDisplayName = stored("mainApplicationDisplayName", str, "3D Slicer")
    isCustomMainApplication = stored("isCustomMainApplication", bool, False)
    isInstalled = stored("isInstalled", bool, True)
    revision = stored("revision", str, "34000")
    releaseType = stored("releaseType", str, "Preview")
    platform = stored("platform", str, "linux-amd64")
    os = stored("os", str, "linux")
    arch = stored("arch", str, "amd64")
    intDir = stored("intDir", str, "")
    documentationBaseUrl = stored("documentationBaseUrl", str, "https://slicer.readthedocs.io/en/latest/")
    documentationVersion = stored("documentationVersion", str, "latest")
    documentationLanguage = stored("documentationLanguage", str, "en")
    applicationLocaleName = stored("applicationLocaleName", str, "en_US")

    def __init__(self, arguments: list[str]) -> None:
        locale.setlocale(locale.LC_NUMERIC, "C")
        super().__init__(arguments)
        self.setOrganizationName("standin")
        self.setApplicationName("Slicer")
        self.setApplicationVersion(".".join(map(str, VERSION)))
        QStandardPaths.setTestModeEnabled(True)
        settings = run_folder() / "settings"
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(settings))
        self._settings = QSettings()
        self._revision_settings = QSettings(str(settings / "revision.ini"), QSettings.Format.IniFormat)
        self._options = CommandOptions(self)
        self._scene = slicer_core.vtkMRMLScene()
        self._logic = slicer_core.vtkSlicerApplicationLogic()
        self._paused = 0
        self.layout_manager: Any = None
        self.module_manager: Any = None
        self.io_manager: Any = None

    temporaryPath = stored("temporaryPath", str, str(run_folder() / "temporary"))
    cachePath = stored("cachePath", str, str(run_folder() / "temporary"))
    slicerHome = stored("slicerHome", str, str(run_folder() / "home"))
    slicerSharePath = stored("slicerSharePath", str, "share/Slicer-5.13")
    defaultScenePath = stored("defaultScenePath", str, str(run_folder() / "data"))
    extensionsInstallPath = stored("extensionsInstallPath", str, str(run_folder() / "home" / "extensions"))
    startupWorkingPath = stored("startupWorkingPath", str, str(run_folder()))
    slicerUserSettingsFilePath = stored(
        "slicerUserSettingsFilePath", str, str(run_folder() / "settings/Slicer.ini")
    )
    slicerRevisionUserSettingsFilePath = stored(
        "slicerRevisionUserSettingsFilePath", str, str(run_folder() / "settings/revision.ini")
    )

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._scene

    def applicationLogic(self) -> Any:
        """Slicer's logic of the application."""
        return self._logic

    def layoutManager(self) -> Any:
        """Views and their layout."""
        return self.layout_manager

    def moduleManager(self) -> Any:
        """Loaded modules."""
        return self.module_manager

    def moduleLogic(self, name: str) -> Any:
        """Logic of a module by its name."""
        return self.module_manager.module(name).logic()

    def coreIOManager(self) -> Any:
        """Reading and writing of nodes."""
        return self.io_manager

    ioManager = coreIOManager

    def commandOptions(self) -> CommandOptions:
        """What Slicer was started with."""
        return self._options

    def testingEnabled(self) -> bool:
        """Whether Slicer runs with `--testing`: here always."""
        return True

    def settings(self) -> QSettings:
        """The user's settings."""
        return self._settings

    userSettings = settings
    defaultSettings = settings

    def revisionUserSettings(self) -> QSettings:
        """The user's settings for this version."""
        return self._revision_settings

    def applicationLocale(self) -> QLocale:
        """English."""
        return QLocale(QLocale.Language.English)

    read_applicationLocale = applicationLocale

    def pauseRender(self) -> None:
        """Views stay as they are until `resumeRender`."""
        self.setRenderPaused(True)

    def resumeRender(self) -> None:
        """Undo one `pauseRender`."""
        self.setRenderPaused(False)

    def setRenderPaused(self, paused: bool) -> None:
        """Pause or resume."""
        before = self._paused
        self._paused = max(0, self._paused + (1 if paused else -1))
        if bool(before) != bool(self._paused):
            self.renderPaused.emit(bool(self._paused))

    def is_render_paused(self) -> bool:
        """Whether views stay as they are."""
        return self._paused > 0

    def toSlicerHomeAbsolutePath(self, path: str) -> str:
        """A path in Slicer's folder."""
        return str(run_folder() / "home" / path)

    def moduleDocumentationUrl(self, name: str) -> str:
        """Where a module is described."""
        return f"{self.documentationBaseUrl}user_guide/modules/{name.lower()}.html"

    def openNodeModule(self, node: Any, role: str = "", context: str = "") -> None:
        """Show the module for a node; the stand-in has none to show."""

    def startupEnvironment(self) -> dict[str, str]:
        """Environment variables before Slicer changed them."""
        import os

        return dict(os.environ)
