"""Training sets from scripts, with the module's own worker: what is in the scene is what lies in the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from scene_data import IJK_TO_RAS, add_transform, add_volume, bright_boxes

SHAPE = (16, 20, 24)
TILT = np.array([[0.8, -0.6, 0, 5], [0.6, 0.8, 0, -7], [0, 0, 1, 11], [0, 0, 0, 1.0]])


def boxes() -> np.ndarray:
    """Labels 1 and 2, at places that no mirroring hides; ``(K, J, I)`` uint8."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[3:9, 4:12, 5:15] = 1
    labels[9:13, 2:6, 14:22] = 2
    return labels


def add_segmentation(
    labels: np.ndarray, ijk_to_ras: np.ndarray = IJK_TO_RAS, names: tuple[str, ...] = ("tumour", "edema")
) -> Any:
    """A segmentation node as the module makes them: one shared image, cut to what is labelled."""
    from SegClassifyPanel.chunks import finished
    from SegClassifyPanel.segmentation_node import segmentation_of_array

    from SegClassifyLib.worker.model_messages import LabelInfo

    infos = [LabelInfo(n + 1, name, (0.9, 0.1 * n, 0.2)) for n, name in enumerate(names)]
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawing")
    node.SetAndObserveSegmentation(finished(segmentation_of_array(labels, infos, ijk_to_ras)))
    return node


@pytest.fixture
def home(logic: Any, tmp_path: Path) -> Any:
    """An empty set."""
    return logic.sets.create(tmp_path / "heads", ["T1c"], ["tumour", "edema"], ["glioma", "meningioma"])


def stored(row: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, labels, both ``(K, J, I)``, and the image's 4 x 4 RAS matrix, as they lie in the folder."""
    import SimpleITK as sitk

    image, labels = sitk.ReadImage(row.images[0]), sitk.ReadImage(row.segmentation_file)
    assert labels.GetSize() == image.GetSize()
    for get in ("GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(labels, get)() == pytest.approx(getattr(image, get)(), abs=1e-5)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    matrix = np.diag([-1.0, -1, 1, 1]) @ matrix
    return sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(labels), matrix


def test_a_case_lies_in_the_folder_as_it_was_in_the_scene(logic: Any, home: Any) -> None:
    array = bright_boxes(SHAPE)
    changed = logic.sets.add(
        home.folder, "alpha", [add_volume(array)], add_segmentation(boxes()), class_name="glioma", group="p1"
    )
    (row,) = changed.set.cases
    assert (row.name, row.class_name, row.group, row.segmentation) == ("alpha", "glioma", "p1", "drawn")
    image, labels, matrix = stored(row)
    assert np.array_equal(image, array) and np.array_equal(labels, boxes())
    assert matrix == pytest.approx(IJK_TO_RAS, abs=1e-5)


def test_labels_are_found_by_name_and_a_strange_one_is_refused(logic: Any, home: Any) -> None:
    from SegClassifyPanel.set_logic import TrainingSetError

    volume = add_volume(bright_boxes(SHAPE))
    swapped = add_segmentation(boxes(), names=("Edema", "TUMOUR"))
    row = logic.sets.add(home.folder, "alpha", [volume], swapped).set.cases[0]
    assert np.array_equal(stored(row)[1], np.array([0, 2, 1], np.uint8)[boxes()])
    strange = add_segmentation(boxes(), names=("tumour", "Segment_2"))
    with pytest.raises(TrainingSetError, match=r"Segment_2.*no label"):
        logic.sets.add(home.folder, "beta", [add_volume(bright_boxes(SHAPE) + 1)], strange)
    assert [c.name for c in logic.sets.read(home.folder).cases] == ["alpha"]


@pytest.mark.parametrize("under", ("both", "volume", "segmentation"))
def test_transforms_are_followed(logic: Any, home: Any, under: str) -> None:
    array = bright_boxes(SHAPE)
    turn = add_transform(TILT)
    world = TILT @ IJK_TO_RAS
    volume = add_volume(array, ijk_to_ras=world if under == "segmentation" else IJK_TO_RAS)
    node = add_segmentation(boxes(), world if under == "volume" else IJK_TO_RAS)
    if under != "segmentation":
        volume.SetAndObserveTransformNodeID(turn.GetID())
    if under != "volume":
        node.SetAndObserveTransformNodeID(turn.GetID())
    row = logic.sets.add(home.folder, "alpha", [volume], node).set.cases[0]
    _image, labels, matrix = stored(row)
    assert matrix == pytest.approx(world, abs=1e-4)
    same = labels == boxes()
    assert same.all() if under == "both" else same.mean() > 0.99


def test_another_grid_is_resampled(logic: Any, home: Any) -> None:
    fine = np.kron(boxes(), np.ones((2, 2, 2), np.uint8))
    half = IJK_TO_RAS @ np.array([[0.5, 0, 0, -0.25], [0, 0.5, 0, -0.25], [0, 0, 0.5, -0.25], [0, 0, 0, 1]])
    volume = add_volume(bright_boxes(SHAPE))
    row = logic.sets.add(home.folder, "alpha", [volume], add_segmentation(fine, half)).set.cases[0]
    assert (stored(row)[1] == boxes()).mean() > 0.97


def test_what_lies_outside_of_the_image_is_left_out(logic: Any, home: Any) -> None:
    larger = np.pad(boxes(), ((0, 0), (0, 0), (3, 4)))
    larger[5, 5, :] = 2
    moved = IJK_TO_RAS @ np.array([[1, 0, 0, -3], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    wanted = boxes()
    wanted[5, 5, :] = 2
    volume = add_volume(bright_boxes(SHAPE))
    row = logic.sets.add(home.folder, "alpha", [volume], add_segmentation(larger, moved)).set.cases[0]
    assert np.array_equal(stored(row)[1], wanted)


def test_surfaces_alone_become_voxels(logic: Any, home: Any) -> None:
    volume = add_volume(bright_boxes(SHAPE))
    node = add_segmentation(boxes())
    node.CreateClosedSurfaceRepresentation()
    converter = slicer.vtkSegmentationConverter
    segmentation = node.GetSegmentation()
    segmentation.SetSourceRepresentationName(converter.GetSegmentationClosedSurfaceRepresentationName())
    segmentation.RemoveRepresentation(converter.GetSegmentationBinaryLabelmapRepresentationName())
    row = logic.sets.add(home.folder, "alpha", [volume], node).set.cases[0]
    labels = stored(row)[1]
    for value in (1, 2):  # surfaces are smoothed
        found, wanted = labels == value, boxes() == value
        assert 2 * (found & wanted).sum() / (found.sum() + wanted.sum()) > 0.75


def test_a_correction_is_saved_on_the_grid_of_the_file_whatever_was_moved(logic: Any, home: Any) -> None:
    from SegClassifyPanel.case_nodes import load_case
    from SegClassifyPanel.chunks import finished

    array = bright_boxes(SHAPE)
    logic.sets.add(home.folder, "alpha", [add_volume(array)], add_segmentation(boxes()), predicted=True)
    info = logic.sets.read(home.folder)
    assert info.cases[0].segmentation == "predicted"
    slicer.mrmlScene.Clear(False)
    (volume_id,), segmentation_id = finished(load_case(info, info.cases[0]))
    volume, node = (slicer.mrmlScene.GetNodeByID(i) for i in (volume_id, segmentation_id))
    turn = add_transform(TILT)
    for moved in (volume, node):
        moved.SetAndObserveTransformNodeID(turn.GetID())
    corrected = boxes()
    corrected[0:3, 0:3, 0:3] = 2
    fresh = add_segmentation(corrected)
    fresh.SetAndObserveTransformNodeID(turn.GetID())
    row = logic.sets.save_segmentation(home.folder, "alpha", volume, fresh).set.cases[0]
    assert row.segmentation == "drawn"
    assert np.array_equal(stored(row)[1], corrected)


def test_a_loaded_case_looks_as_it_was_drawn_and_is_loaded_once(logic: Any, home: Any) -> None:
    from SegClassifyPanel.case_nodes import load_case
    from SegClassifyPanel.chunks import finished

    array = bright_boxes(SHAPE)
    info = logic.sets.add(home.folder, "alpha", [add_volume(array)], add_segmentation(boxes())).set
    slicer.mrmlScene.Clear(False)
    first = finished(load_case(info, info.cases[0]))
    assert finished(load_case(info, info.cases[0])) == first
    volume, node = slicer.mrmlScene.GetNodeByID(first[0][0]), slicer.mrmlScene.GetNodeByID(first[1])
    assert np.array_equal(slicer.util.arrayFromVolume(volume), array)
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    assert slicer.util.arrayFromVTKMatrix(matrix) == pytest.approx(IJK_TO_RAS, abs=1e-4)
    segmentation = node.GetSegmentation()
    names = [segmentation.GetNthSegment(n).GetName() for n in range(segmentation.GetNumberOfSegments())]
    assert names == ["tumour", "edema"]
    for value, name in ((1, "tumour"), (2, "edema")):
        segment = segmentation.GetSegmentIdBySegmentName(name)
        drawn = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume)
        assert np.array_equal(drawn > 0, boxes() == value)


def test_everything_a_script_may_ask_for(logic: Any, home: Any, tmp_path: Path) -> None:
    sets, folder = logic.sets, home.folder
    for n, name in enumerate(("alpha", "beta", "gamma")):
        sets.add(folder, name, [add_volume(bright_boxes(SHAPE) + n)], group=name)
    assert sets.open(folder).cases == sets.read(folder).cases
    assert sets.read(folder, sets.read(folder).revision) is None
    changed = sets.change(folder, ["alpha", "beta"], class_name="lymphoma", new_class=True, split="test")
    assert changed.set.classes[-1] == "lymphoma"
    told = {c.name: (c.class_name, c.split) for c in changed.set.cases}
    assert told == dict.fromkeys(("alpha", "beta"), ("lymphoma", "test")) | {"gamma": ("", "train")}
    assert "other" in sets.rename_class(folder, "lymphoma", "other").set.classes
    assert {c.name for c in sets.remove(folder, ["beta"]).set.cases} == {"alpha", "gamma"}
    assert {c.name for c in sets.undo(folder).set.cases} == {"alpha", "beta", "gamma"}
    guide = sets.check(folder)
    assert (guide.cases, guide.unlabelled) == (3, 1) and guide.classifier_lacks
    assert sets.check(folder, pixels=True).findings
    table = tmp_path / "more.csv"
    slicer.util.saveNode(add_volume(bright_boxes(SHAPE) + 9), str(tmp_path / "delta.nrrd"))
    table.write_text("name,image,class\ndelta,delta.nrrd,glioma\n", encoding="utf-8")
    assert sets.import_cases(folder, table).cases == ("delta",)
    sets.close_set(folder)


def test_a_worker_that_dies_adds_nothing_and_says_so(logic: Any, home: Any) -> None:
    import os
    import signal

    from SegClassifyPanel.set_job import SetListener
    from SegClassifyPanel.set_logic import NewCase

    said: list[str] = []
    volume = add_volume(bright_boxes(SHAPE))
    job = logic.sets.start_add(
        home.folder, NewCase("alpha", (volume.GetID(),)), SetListener(on_failed=said.append)
    )
    os.kill(logic.worker.pid, signal.SIGKILL)
    job.finish()
    assert len(said) == 1 and "starts again with the next click" in said[0]
    assert logic.sets.read(home.folder).cases == ()
    assert logic.sets.add(home.folder, "alpha", [volume]).cases == ("alpha",)


def test_a_volume_that_is_gone_is_said(logic: Any, home: Any) -> None:
    from SegClassifyPanel.set_logic import TrainingSetError

    volume, node = add_volume(bright_boxes(SHAPE)), add_segmentation(boxes())
    slicer.mrmlScene.RemoveNode(node)
    with pytest.raises(TrainingSetError, match="removed from the scene"):
        logic.sets.add(home.folder, "alpha", [volume], node)
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "empty")
    with pytest.raises(TrainingSetError, match="“empty” has no segments"):
        logic.sets.add(home.folder, "alpha", [volume], empty)
