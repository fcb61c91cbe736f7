"""`slicer.app.ioManager()`: reading and writing nodes and scenes by Slicer's own logics and storage nodes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer_core
import vtk

from standin.application.strict import StrictObject

VOLUMES = (
    ".nrrd",
    ".nhdr",
    ".nii",
    ".nii.gz",
    ".mha",
    ".mhd",
    ".png",
    ".jpg",
    ".tif",
    ".dcm",
    ".hdr",
    ".bmp",
)
ENDINGS: dict[str, tuple[str, ...]] = {
    "SceneFile": (".mrml", ".mrb"),
    "SegmentationFile": (".seg.nrrd", ".seg.vtm"),
    "VolumeFile": VOLUMES,
    "TableFile": (".csv", ".tsv"),
    "ModelFile": (".vtk", ".vtp", ".stl", ".ply", ".obj"),
    "TransformFile": (".h5", ".tfm"),
    "ColorTableFile": (".ctbl",),
    "TextFile": (".txt", ".json", ".xml"),
}
# Bits of vtkSlicerVolumesLogic::LoadingOptions by the property that sets them.
VOLUME_OPTIONS = {"labelmap": 1, "center": 2, "singleFile": 4, "autoWindowLevel": 8, "discardOrientation": 16}
# What the readers look at; Slicer passes over other names, which is then a mistake that nobody sees.
PROPERTIES = {
    "VolumeFile": {*VOLUME_OPTIONS, "name", "show", "colorNodeID", "fileNames"},
    "SegmentationFile": {"name", "autoOpacities", "colorNodeID"},
}


class IOManager(StrictObject):
    """Reads and writes."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._readers: dict[str, Callable[[str, dict], list[Any]]] = {
            "VolumeFile": self._read_volume,
            "SegmentationFile": self._read_segmentation,
            "TableFile": self._read_by("Tables", "AddTable"),
            "ModelFile": self._read_by("Models", "AddModel"),
            "TransformFile": self._read_by("Transforms", "AddTransform"),
            "ColorTableFile": self._read_by("Colors", "LoadColorFile"),
            "TextFile": self._read_text,
        }

    @property
    def _scene(self) -> Any:
        return self._app.mrmlScene()

    def fileType(self, fileName: str) -> str:
        """Kind of a file by its ending."""
        name = str(fileName).lower()
        return next((kind for kind, endings in ENDINGS.items() if name.endswith(endings)), "NoFile")

    def fileWriterFileType(self, node: Any, format: str = "") -> str:
        """Kind of file that a node is written to; a storage node knows the rest."""
        return "NodeFile" if node.IsA("vtkMRMLStorableNode") else "NoFile"

    def loadNodes(
        self, fileType: str, properties: dict, loadedNodes: Any = None, userMessages: Any = None
    ) -> bool:
        """Read a file.

        Args:
            fileType: `VolumeFile`, `SegmentationFile`, `SceneFile` …
            properties: `fileName` and what the reader takes.
            loadedNodes: a vtkCollection that gets the new nodes.
            userMessages: a vtkMRMLMessageCollection that gets what went wrong.
        """
        name = properties["fileName"]
        if not isinstance(name, str):
            raise ValueError("fileName must be a string: Qt does not take a Path.")
        unknown = set(properties) - {"fileName"} - PROPERTIES.get(fileType, set(properties))
        if unknown:
            raise ValueError(f"The reader of {fileType} does not look at {', '.join(sorted(unknown))}.")
        if not Path(name).exists():
            return _failed(userMessages, f"No such file: {name}")
        if fileType == "SceneFile":
            return self._read_scene(name, bool(properties.get("clear", False)), userMessages)
        reader = self._readers.get(fileType)
        if reader is None:
            return _failed(userMessages, f"No reader for {fileType}: {name}")
        nodes = [node for node in reader(name, properties) if node is not None]
        for node in nodes:
            if loadedNodes is not None:
                loadedNodes.AddItem(node)
        return bool(nodes) or _failed(userMessages, f"Failed to read {name}")

    def _logic(self, module: str) -> Any:
        return self._app.moduleManager().module(module).logic()

    def _read_volume(self, name: str, properties: dict) -> list[Any]:
        options = sum(bit for option, bit in VOLUME_OPTIONS.items() if properties.get(option))
        label = properties.get("name", Path(name).name.split(".")[0])
        files = None
        if "fileNames" in properties:
            files = vtk.vtkStringArray()
            for entry in properties["fileNames"]:
                files.InsertNextValue(entry)
        node = self._logic("Volumes").AddArchetypeVolume(name, label, options, files)
        if node is not None and properties.get("colorNodeID") and node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetAndObserveColorNodeID(properties["colorNodeID"])
        if node is not None and properties.get("show", True):
            logic = self._app.applicationLogic()
            selection = logic.GetSelectionNode()
            if node.IsA("vtkMRMLLabelMapVolumeNode"):
                selection.SetActiveLabelVolumeID(node.GetID())
            else:
                selection.SetActiveVolumeID(node.GetID())
            logic.PropagateVolumeSelection()
        return [node]

    def _read_segmentation(self, name: str, properties: dict) -> list[Any]:
        label = properties.get("name", "")
        opacities = bool(properties.get("autoOpacities", True))
        colors = self._scene.GetNodeByID(properties.get("colorNodeID", "") or "")
        return [self._logic("Segmentations").LoadSegmentationFromFile(name, opacities, label, colors)]

    def _read_by(self, module: str, function: str) -> Callable[[str, dict], list[Any]]:
        return lambda name, properties: [getattr(self._logic(module), function)(name)]

    def _read_text(self, name: str, properties: dict) -> list[Any]:
        node = self._scene.AddNewNodeByClass("vtkMRMLTextNode", Path(name).stem)
        node.SetText(Path(name).read_text(encoding="utf-8"))
        return [node]

    def _read_scene(self, name: str, clear: bool, userMessages: Any) -> bool:
        if name.lower().endswith(".mrb"):
            return bool(self._scene.ReadFromMRB(name, clear, userMessages))
        self._scene.SetURL(name)
        self._scene.SetRootDirectory(str(Path(name).parent))
        return bool(self._scene.Connect(userMessages) if clear else self._scene.Import(userMessages))

    def loadScene(self, fileName: str, clear: bool = True, userMessages: Any = None) -> bool:
        """Read a scene."""
        return self.loadNodes("SceneFile", {"fileName": fileName, "clear": clear}, None, userMessages)

    def saveScene(self, fileName: str, screenShot: Any = None, userMessages: Any = None) -> bool:
        """Write the scene."""
        return self.saveNodes("SceneFile", {"fileName": fileName}, userMessages)

    def saveNodes(self, fileType: str, properties: dict, userMessages: Any = None) -> bool:
        """Write a node, or with `SceneFile` the scene.

        Args:
            fileType: what `fileWriterFileType` says, or `SceneFile`.
            properties: `fileName`, and for a node its `nodeID`.
            userMessages: a vtkMRMLMessageCollection that gets what went wrong.
        """
        name = properties["fileName"]
        if not isinstance(name, str):
            raise ValueError("fileName must be a string: Qt does not take a Path.")
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        if fileType == "SceneFile":
            return self._write_scene(name, userMessages)
        node = self._scene.GetNodeByID(properties["nodeID"])
        storage = self._storage(node)
        if storage is None:
            return _failed(userMessages, f"{properties['nodeID']} cannot be written to a file.")
        storage.SetFileName(name)
        storage.SetURI(None)
        if "useCompression" in properties:
            storage.SetUseCompression(int(properties["useCompression"]))
        return bool(storage.WriteData(node)) or _failed(userMessages, f"Failed to write {name}")

    def _storage(self, node: Any) -> Any:
        if node is None or not node.IsA("vtkMRMLStorableNode"):
            return None
        if node.GetStorageNode() is None:
            node.AddDefaultStorageNode()
        return node.GetStorageNode()

    def addDefaultStorageNodes(self) -> None:
        """Give every node that can be written what writes it."""
        nodes = self._scene.GetNodesByClass("vtkMRMLStorableNode")
        for index in range(nodes.GetNumberOfItems()):
            node = nodes.GetItemAsObject(index)
            if not node.GetHideFromEditors() and node.GetSaveWithScene():
                self._storage(node)

    def _write_scene(self, name: str, userMessages: Any) -> bool:
        scene = self._scene
        if name.endswith((".mrml", ".mrb")):
            scene.SetURL(name)
            scene.SetRootDirectory(str(Path(name).parent))
        if name.endswith(".mrml"):
            return bool(scene.Commit())
        if name.endswith(".mrb"):
            done = bool(scene.WriteToMRB(name, None, userMessages))
            scene.SetStorableNodesModifiedSinceRead()
            return done
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            return _failed(userMessages, f"{name} is not empty.")
        return bool(self._app.applicationLogic().SaveSceneToSlicerDataBundleDirectory(name, None))


def _failed(messages: Any, text: str) -> bool:
    """Note what went wrong; False."""
    if isinstance(messages, slicer_core.vtkMRMLMessageCollection):
        messages.AddMessage(vtk.vtkCommand.ErrorEvent, text)
    return False
