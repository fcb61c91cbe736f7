"""Shows a segmentation in 3D: another process makes the closed surfaces, which then join the segments."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from SegClassifyPanel.chunks import Chunks, Steps
from SegClassifyPanel.geometry import array_of
from SegClassifyPanel.process_tree import kill_tree, let_go
from SegClassifyPanel.python_process import python_executable
from SegClassifyPanel.volumes import voxel_array, write_voxels


@dataclass(frozen=True)
class _Wanted:
    segment: str
    file: str


class SurfaceJob:
    """Runs from Qt's event loop once made, and makes the segmentation visible in 3D at its end.

    Args:
        node: segmentation; segments that are edited meanwhile keep what they have.
        folder: for temporary files.
        on_done, on_failed: one of them is called, unless the job is cancelled.
    """

    def __init__(
        self,
        node: slicer.vtkMRMLSegmentationNode,
        folder: Path,
        on_done: Callable[[], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self.node_id = node.GetID()
        self.over = False
        self._on_done, self._on_failed = on_done, on_failed
        self._segmentation = node.GetSegmentation()
        self._folder = Path(tempfile.mkdtemp(prefix="surfaces-", dir=folder))
        self._wanted: list[_Wanted] = []
        self._process: qt.QProcess | None = None
        self._chunks: Chunks | None = Chunks(self._write_layers(), self._start, self._broke)

    def cancel(self) -> None:
        """Stop, and change nothing."""
        if not self.over:
            self._end()

    def _write_layers(self) -> Steps[list[dict[str, Any]]]:
        segmentation = self._segmentation
        layers = []
        for number in range(segmentation.GetNumberOfLayers()):
            ids = [i for i in segmentation.GetSegmentIDsForLayer(number) if not _has_surface(segmentation, i)]
            image = segmentation.GetLayerDataObject(number)
            if not ids or image is None or image.GetNumberOfPoints() == 0:
                continue
            array = self._folder / f"layer-{number}.npy"
            yield from write_voxels(voxel_array(image), array)
            wanted = [_Wanted(i, str(self._folder / f"{number}-{n}.vtp")) for n, i in enumerate(ids)]
            self._wanted += wanted
            matrix = vtk.vtkMatrix4x4()
            image.GetImageToWorldMatrix(matrix)
            values = [segmentation.GetSegment(i).GetLabelValue() for i in ids]
            layers.append(
                {
                    "array": str(array),
                    "first": list(image.GetExtent()[::2]),
                    "matrix": array_of(matrix).ravel().tolist(),
                    "surfaces": [{"value": v, "file": w.file} for v, w in zip(values, wanted, strict=True)],
                }
            )
        return layers

    def _start(self, layers: list[dict[str, Any]]) -> None:
        self._chunks = None
        if not layers:
            self._show()
            return
        order = self._folder / "order.json"
        order.write_text(json.dumps({"layers": layers}), encoding="utf-8")
        process = qt.QProcess()
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._went_wrong)
        self._process = process
        try:
            python = python_executable()
        except FileNotFoundError as error:
            self._fail(str(error))
            return
        process.start(python, [str(Path(__file__).with_name("surface_process.py")), str(order)])

    def _went_wrong(self, error: Any, *_args: Any) -> None:
        if self._process is not None and error == qt.QProcess.FailedToStart:
            self._fail(_("The process that makes surfaces cannot be started."))

    def _finished(self, *_args: Any) -> None:
        if self.over or self._process is None:
            return
        if self._process.exitStatus() != qt.QProcess.NormalExit or self._process.exitCode() != 0:
            log = self._process.readAllStandardError().data().decode("utf-8", "backslashreplace")
            last = next((line for line in reversed(log.splitlines()) if line.strip()), "")
            self._fail(_("The surfaces could not be made: {reason}").format(reason=last))
            return
        self._chunks = Chunks(self._read(), self._show, self._broke)

    def _read(self) -> Steps[None]:
        """One surface at a time: each makes the segmentation tell everybody who watches it."""
        name = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
        for number, wanted in enumerate(self._wanted):
            reader = vtk.vtkXMLPolyDataReader()
            reader.SetFileName(wanted.file)
            reader.Update()
            yield (number + 0.5) / len(self._wanted)
            segment = self._segmentation.GetSegment(wanted.segment)
            if segment is not None:
                segment.AddRepresentation(name, reader.GetOutput())
            yield (number + 1) / len(self._wanted)

    def _show(self, _nothing: None = None) -> None:
        node = slicer.mrmlScene.GetNodeByID(self.node_id)
        if node is not None and node.GetSegmentation() is self._segmentation:
            node.CreateDefaultDisplayNodes()
            name = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
            node.GetDisplayNode().SetPreferredDisplayRepresentationName3D(name)
            node.GetDisplayNode().SetVisibility3D(True)
        self._end()
        self._on_done()

    def _broke(self, error: Exception) -> None:
        self._fail(_("The surfaces could not be made: {reason}").format(reason=error))

    def _fail(self, sentence: str) -> None:
        if not self.over:
            self._end()
            self._on_failed(sentence)

    def _end(self) -> None:
        self.over = True
        if self._chunks is not None:
            self._chunks.stop()
            self._chunks = None
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._finished)
            process.errorOccurred.disconnect(self._went_wrong)
            let_go(process)
            if process.state() != qt.QProcess.NotRunning:
                said = process.readAllStandardOutput().data().strip()
                kill_tree(process, int(said) if said.isdigit() else None)
        shutil.rmtree(self._folder, ignore_errors=True)


def _has_surface(segmentation: slicer.vtkSegmentation, segment: str) -> bool:
    name = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    return segmentation.GetSegment(segment).GetRepresentation(name) is not None
