"""What the module's own test does; runs the same in Slicer and in the stand-in, and brings its own small models."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import qt
import slicer

from SegClassifyPanel.batch import BatchListener, RowState
from SegClassifyPanel.batch_items import folder_items, scene_items
from SegClassifyPanel.classify_job import Outcome
from SegClassifyPanel.logic import ClassifyError
from SegClassifyPanel.process_tree import kill_tree
from SegClassifyPanel.python_process import python_executable, python_process
from SegClassifyPanel.result_nodes import find_results, result_of
from SegClassifyPanel.self_test_training import check_training

IJK_TO_RAS = np.array([[-1.5, 0, 0, 20], [0, -1.2, 0, 30], [0, 0, 2.0, -10], [0, 0, 0, 1]])
TURNED = np.array([[0.8, -0.6, 0, 5], [0.6, 0.8, 0, -7], [0, 0, 1, 11], [0, 0, 0, 1.0]])
PATIENCE = 180.0
"""Seconds; the first import of torch can take a minute on a slow disk."""


class SelfTest:
    """The checks, with a logic and models of their own.

    Args:
        logic: makes a new logic, as a script would.
    """

    def __init__(self, logic: Callable[[], Any]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="SegClassifyTest-", dir=slicer.app.temporaryPath))
        self.case: Any = None
        self.make_models()
        self.logic = logic()

    def run(self, case: Any, name: str) -> None:
        """One check, in an empty scene.

        Args:
            case: the test case that asserts.
            name: of a method here, without ``check_``.
        """
        self.case = case
        check = getattr(self, f"check_{name}")
        case.delayDisplay(check.__doc__)
        check()

    def close(self) -> None:
        """End the worker; remove files."""
        self.logic.cleanup()
        slicer.mrmlScene.Clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def check_classify(self) -> None:
        """One volume: class, table, and every voxel of the segmentation."""
        array = boxes((48, 60, 72))
        volume = add(array, "CT")
        outcome = self.logic.classify([volume], self.model("volume"))
        self.case.assertEqual(outcome.result.predicted, "large")
        self.same_voxels(outcome, volume, array)
        table = slicer.mrmlScene.GetNodeByID(outcome.table)
        self.case.assertEqual(table.GetCellText(0, 0), "large")
        parameters = self.logic.getParameterNode()
        self.case.assertEqual(parameters.outputSegmentation.GetID(), outcome.segmentation)

    def check_again_and_undo(self) -> None:
        """A second run updates the first one's nodes; undo brings the first back."""
        volume = add(boxes(), "CT")
        first = self.logic.classify([volume], self.model("volume"))
        before = slicer.mrmlScene.GetNodeByID(first.segmentation).GetSegmentation()
        count = slicer.mrmlScene.GetNumberOfNodes()
        second = self.classify_in_background([volume], "volume")
        self.case.assertEqual(second.segmentation, first.segmentation)
        self.case.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), count)
        self.logic.undo()
        self.case.assertIs(slicer.mrmlScene.GetNodeByID(first.segmentation).GetSegmentation(), before)

    def check_transforms(self) -> None:
        """Under a transform the result lies on the image."""
        array = boxes()
        volume = add(array, "CT")
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode")
        transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(TURNED))
        volume.SetAndObserveTransformNodeID(transform.GetID())
        outcome = self.logic.classify([volume], self.model("volume"))
        self.same_voxels(outcome, volume, array)
        node = slicer.mrmlScene.GetNodeByID(outcome.segmentation)
        self.case.assertEqual(node.GetTransformNodeID(), transform.GetID())
        bounds, other = [0.0] * 6, [0.0] * 6
        node.GetRASBounds(bounds)
        volume.GetRASBounds(other)
        for n in (0, 2, 4):
            self.case.assertGreaterEqual(bounds[n], other[n] - 1e-3)
            self.case.assertLessEqual(bounds[n + 1], other[n + 1] + 1e-3)

    def check_channels(self) -> None:
        """Two channels on different grids, and a volume chosen twice."""
        t1, flair = add(boxes(), "T1"), add(boxes((12, 15, 18)), "FLAIR")
        self.case.assertTrue(self.logic.classify([t1, flair], self.model("pair")).result.predicted)
        with self.case.assertRaises(ClassifyError):
            self.logic.classify([t1, t1], self.model("pair"))

    def check_picture(self) -> None:
        """A 2D image in colour."""
        array = np.zeros((1, 40, 50, 3), np.uint8)
        array[0, 5:30, 5:40] = 255
        volume = slicer.util.addVolumeFromArray(array, None, "US", "vtkMRMLVectorVolumeNode")
        outcome = self.logic.classify([volume], self.model("picture"))
        organ = self.segment(outcome, volume, "Label_1")
        self.case.assertTrue(np.array_equal(organ > 0, array[..., 0] > 0))

    def check_bad_input(self) -> None:
        """What cannot be classified is refused in a sentence, and the scene stays as it was."""
        volume = add(boxes(), "CT")
        self.logic.getParameterNode()
        empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
        count = slicer.mrmlScene.GetNumberOfNodes()
        for volumes, model in (([volume], "nowhere"), ([volume], "picture"), ([empty], "volume")):
            with self.case.assertRaises(ClassifyError) as caught:
                self.logic.classify(volumes, self.model(model))
            self.case.assertGreater(len(str(caught.exception)), 20)
        self.case.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), count)

    def check_cancel(self) -> None:
        """Cancel answers, leaves nothing, and the next run works."""
        volume = add(np.tile(boxes(), (6, 5, 5)), "CT")
        self.logic.getParameterNode()
        count = slicer.mrmlScene.GetNumberOfNodes()
        ends, phases, job = self.start([volume], "volume")
        self.wait(lambda: len(phases) > 5, "work")
        job.cancel()
        self.wait(lambda: ends, "the end")
        self.case.assertEqual(ends, [("cancelled", None)])
        self.case.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), count)
        small = add(boxes(), "small")
        self.case.assertTrue(self.logic.classify([small], self.model("volume")).result.predicted)

    def check_crash(self) -> None:
        """A worker that dies is told of, and the next run starts another."""
        ends, _, _ = self.start([add(np.tile(boxes(), (6, 5, 5)), "CT")], "volume")
        self.wait(lambda: self.logic.worker.pid, "the worker")
        pid = self.logic.worker.pid
        kill_tree(qt.QProcess(), pid)
        self.wait(lambda: ends, "the end")
        self.case.assertEqual(ends[0][0], "failed")
        small = add(boxes(), "small")
        self.case.assertTrue(self.logic.classify([small], self.model("volume")).result.predicted)
        self.case.assertNotEqual(self.logic.worker.pid, pid)

    def check_scene_close(self) -> None:
        """Closing the scene cancels."""
        ends, phases, _ = self.start([add(boxes(), "CT")], "volume")
        self.wait(lambda: phases, "work")
        slicer.mrmlScene.Clear()
        self.wait(lambda: ends, "the end")
        self.case.assertEqual(ends, [("cancelled", None)])
        self.case.assertEqual(find_results(), [])

    def check_save_and_load(self) -> None:
        """A result survives in a saved scene."""
        array = boxes()
        outcome = self.logic.classify([add(array, "CT")], self.model("volume"))
        file = self.folder / "scene.mrb"
        self.case.assertTrue(slicer.util.saveScene(str(file)))
        slicer.mrmlScene.Clear()
        slicer.util.loadScene(str(file))
        self.case.assertEqual(len(find_results()), 1)
        node = slicer.mrmlScene.GetNodeByID(find_results()[0])
        result = result_of(node)
        self.case.assertIsNotNone(result)
        self.case.assertEqual(result.probabilities if result else None, outcome.result.probabilities)
        volume = node.GetNodeReference("SegClassify.Channel")
        segment = node.GetSegmentation().GetNthSegmentID(1)
        found = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume)
        self.case.assertTrue(np.array_equal(found > 0, array > 280))

    def check_batch(self) -> None:
        """The scene and a folder, each with a bad one among the cases."""
        add(boxes((48, 60, 72)), "first")
        add(np.full((4, 5, 6), np.nan, np.float32), "broken")
        saved = add(boxes(), "third")
        runner = self.batch(scene_items(["CT"]))
        states = [row.state for row in runner.rows]
        self.case.assertEqual(states, [RowState.DONE, RowState.FAILED, RowState.DONE])
        runner.to_csv(self.folder / "batch.csv")
        self.case.assertEqual(
            len((self.folder / "batch.csv").read_text(encoding="utf-8-sig").splitlines()), 4
        )
        cases = self.folder / "cases"
        cases.mkdir()
        slicer.util.saveNode(saved, str(cases / "good.nrrd"))
        (cases / "bad.nrrd").write_bytes(b"NRRD0004\n")
        runner = self.batch(folder_items(cases, ["CT"]))
        self.case.assertEqual([row.state for row in runner.rows], [RowState.FAILED, RowState.DONE])
        node = slicer.mrmlScene.GetNodeByID(runner.show(1))
        self.case.assertEqual(node.GetSegmentation().GetNumberOfSegments(), 2)

    def check_surfaces(self) -> None:
        """Shown in 3D, with surfaces made by another process."""
        outcome = self.logic.classify([add(boxes(), "CT")], self.model("volume"))
        node = slicer.mrmlScene.GetNodeByID(outcome.segmentation)
        ends: list[str] = []
        self.logic.show_3d(node, True, lambda: ends.append(""), ends.append)
        self.wait(lambda: ends, "the surfaces")
        self.case.assertEqual(ends, [""])
        self.case.assertTrue(node.GetDisplayNode().GetVisibility3D())
        self.case.assertGreater(node.GetClosedSurfaceInternalRepresentation("Label_1").GetNumberOfCells(), 0)

    def check_training(self) -> None:
        """From an empty folder to a classifier that is saved, used, corrected and trained again."""
        check_training(self)

    def make_models(self) -> None:
        """Small model packages, made by the library in a process of its own."""
        process = python_process()
        maker = "SegClassifyLib.demo.brightness_models"
        process.start(python_executable(), ["-m", maker, str(self.folder / "models")])
        process.waitForFinished(int(PATIENCE * 1000))
        if process.state() != qt.QProcess.NotRunning or process.exitCode() != 0:
            log = process.readAllStandardError().data().decode("utf-8", "backslashreplace")
            raise RuntimeError(f"The test models could not be made:\n{log}")

    def model(self, name: str) -> Path:
        """Path of a small model."""
        return self.folder / "models" / name

    def start(self, volumes: list[Any], model: str) -> tuple[list[tuple[str, Any]], list[str], Any]:
        """Begin to classify: its ends (one, in time), its phases, the job."""
        ends: list[tuple[str, Any]] = []
        phases: list[str] = []
        job = self.logic.start_classify(
            volumes,
            self.model(model),
            on_phase=lambda text, _fraction: phases.append(text),
            on_done=lambda outcome: ends.append(("done", outcome)),
            on_failed=lambda sentence: ends.append(("failed", sentence)),
            on_cancelled=lambda: ends.append(("cancelled", None)),
        )
        return ends, phases, job

    def classify_in_background(self, volumes: list[Any], model: str) -> Outcome:
        """Classify while the event loop runs."""
        ends, _, _ = self.start(volumes, model)
        self.wait(lambda: ends, "the result")
        self.case.assertEqual(ends[0][0], "done", ends[0][1])
        return ends[0][1]

    def batch(self, items: list[Any]) -> Any:
        """A whole batch."""
        ends: list[int] = []
        listener = BatchListener(on_end=lambda: ends.append(1))
        runner = self.logic.batch(items, self.model("volume"), listener=listener)
        self.wait(lambda: ends, "the batch")
        return runner

    def wait(self, condition: Callable[[], Any], what: str) -> None:
        """Let the event loop run until something is so."""
        end = time.monotonic() + PATIENCE
        while not condition():
            self.case.assertLess(time.monotonic(), end, f"waited in vain for {what}")
            slicer.app.processEvents()
            time.sleep(0.002)

    def segment(self, outcome: Outcome, volume: Any, segment: str) -> np.ndarray:
        """``(K, J, I)`` of a segment on the grid of a volume."""
        node = slicer.mrmlScene.GetNodeByID(outcome.segmentation)
        return slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume)

    def same_voxels(self, outcome: Outcome, volume: Any, array: np.ndarray) -> None:
        """The tumour is exactly what is brighter than 280."""
        found = self.segment(outcome, volume, "Label_2")
        self.case.assertTrue(np.array_equal(found > 0, array > 280))


def boxes(shape: tuple[int, int, int] = (24, 30, 36)) -> np.ndarray:
    """``(K, J, I)`` int16: an organ of 200 with a tumour of 350 in it, nearer to one side on every axis."""
    array = np.zeros(shape, np.int16)
    array[tuple(slice(n // 6, n // 6 * 5) for n in shape)] = 200
    array[tuple(slice(n // 4, n // 2) for n in shape)] = 350
    return array


def add(array: np.ndarray, name: str) -> Any:
    """A volume in the scene."""
    return slicer.util.addVolumeFromArray(array, IJK_TO_RAS, name)
