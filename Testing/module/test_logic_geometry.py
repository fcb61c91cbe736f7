"""Volumes to the worker and label maps back: every voxel stays where it was in the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from scene_data import (
    IJK_TO_RAS,
    add_transform,
    add_volume,
    add_warp,
    bright_boxes,
    bright_centre,
    world_centre,
)
from SegClassifyPanel.result_nodes import put_segmentation
from SegClassifyPanel.segmentation_node import build_segmentation
from SegClassifyPanel.undo import Snapshot
from SegClassifyPanel.volumes import ExportedVolume, VolumeError, export_volume

from SegClassifyLib.worker.protocol import LabelInfo, VolumeSource
from SegClassifyLib.worker.sources import map_volume

LABELS = (LabelInfo(1, "organ", (1.0, 0.5, 0.0)), LabelInfo(2, "tumour", (0.0, 0.0, 1.0)))
TURN = np.array([[0.8, -0.6, 0, 5], [0.6, 0.8, 0, -7], [0, 0, 1, 11], [0, 0, 0, 1.0]])
SHEAR = np.array([[1, 0.4, 0, 0], [0, 1, 0.2, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])


def run(steps: Any) -> Any:
    """The result of steps, with a check of what they say of their progress."""
    before = 0.0
    while True:
        try:
            fraction = next(steps)
        except StopIteration as stop:
            return stop.value
        assert before <= fraction <= 1.0
        before = fraction


def classified(volume: Any, folder: Path) -> tuple[ExportedVolume, Any]:
    """A volume to the worker and back: what was written, and a node whose tumour is all above 280."""
    exported = run(export_volume(volume, folder / "volume.npy"))
    voxels = np.load(exported.source.array)
    np.save(folder / "labels.npy", (voxels > 120).astype(np.uint8) + (voxels > 280))
    segmentation = run(build_segmentation(folder / "labels.npy", LABELS, exported.ijk_to_parent))
    return exported, put_segmentation(segmentation, [volume], exported.transform_id, None, Snapshot())


def lps_centre(source: VolumeSource) -> np.ndarray:
    """Where the library sees the middle of the brightest part, mm RAS."""
    image = map_volume(source)
    ijk = np.argwhere(image.array[0] > 280).mean(axis=0)[::-1]
    g = image.geometry
    lps = np.array(g.origin) + np.array(g.direction).reshape(3, 3) @ (ijk * g.spacing)
    return lps * [-1, -1, 1]


def test_all_voxels_and_their_place_arrive(tmp_path):
    array = np.random.default_rng(0).integers(-1000, 1000, (7, 8, 9)).astype(np.int16)
    exported = run(export_volume(add_volume(array), tmp_path / "v.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), array)
    assert exported.source.spacing == pytest.approx((1.5, 1.2, 2.0))
    assert exported.source.origin == pytest.approx((-20.0, -30.0, -10.0))
    assert exported.source.direction == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert exported.notes == ()


@pytest.mark.parametrize("place", ["plain", "oblique", "left-handed", "turned", "enlarged"])
def test_segment_lies_on_the_image(tmp_path, place):
    array = bright_boxes()
    matrix = {"oblique": TURN @ IJK_TO_RAS, "left-handed": IJK_TO_RAS @ np.diag([-1, 1, 1, 1])}.get(
        place, IJK_TO_RAS
    )
    volume = add_volume(array, ijk_to_ras=matrix)
    if place in ("turned", "enlarged"):
        turn = TURN @ np.diag([1.3, 1.3, 1.3, 1]) if place == "enlarged" else TURN
        volume.SetAndObserveTransformNodeID(add_transform(turn).GetID())
    exported, node = classified(volume, tmp_path)
    expected = bright_centre(volume, array)
    np.testing.assert_allclose(lps_centre(exported.source), expected, atol=1e-6)
    np.testing.assert_allclose(world_centre(node, "Label_2"), expected, atol=1e-6)
    assert node.GetTransformNodeID() == volume.GetTransformNodeID()
    np.testing.assert_array_equal(
        slicer.util.arrayFromSegmentBinaryLabelmap(node, "Label_2", volume), array > 280
    )


@pytest.mark.parametrize("bend", ["sheared", "warped"])
def test_a_bent_volume_is_resampled_where_it_is_seen(tmp_path, bend):
    array = bright_boxes()
    volume = add_volume(array)
    transform = add_transform(SHEAR) if bend == "sheared" else add_warp()
    volume.SetAndObserveTransformNodeID(transform.GetID())
    exported, node = classified(volume, tmp_path)
    assert node.GetTransformNodeID() is None
    assert "resampled" in exported.notes[0]
    expected = bright_centre(volume, array)
    np.testing.assert_allclose(lps_centre(exported.source), expected, atol=0.8)
    np.testing.assert_allclose(world_centre(node, "Label_2"), expected, atol=0.8)
    # Nothing is cut off: shear keeps volumes, and the warp nearly does.
    size = (np.load(exported.source.array) > 140).sum() * np.prod(exported.source.spacing)
    assert size == pytest.approx((array > 140).sum() * 1.5 * 1.2 * 2.0, rel=0.15)


def test_nothing_of_a_sheared_volume_is_cut_off(tmp_path):
    array = np.full((12, 20, 24), 200, np.int16)
    array[0, 0, 0] = 0  # what lies outside of the volume becomes
    volume = add_volume(array)
    volume.SetAndObserveTransformNodeID(add_transform(SHEAR).GetID())
    exported = run(export_volume(volume, tmp_path / "v.npy"))
    size = (np.load(tmp_path / "v.npy") > 100).sum() * np.prod(exported.source.spacing)
    assert size == pytest.approx(array.size * 1.5 * 1.2 * 2.0, rel=0.05)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_single_slice_in_any_plane(tmp_path, axis):
    shape = [20, 24, 28]
    shape[axis] = 1
    array = bright_boxes((20, 24, 28)).take([7], axis=axis)
    volume = add_volume(array)
    exported, node = classified(volume, tmp_path)
    assert np.load(exported.source.array).shape[0] == 1
    np.testing.assert_allclose(lps_centre(exported.source), bright_centre(volume, array), atol=1e-6)
    np.testing.assert_array_equal(
        slicer.util.arrayFromSegmentBinaryLabelmap(node, "Label_2", volume), array > 280
    )


def test_colours_become_grey(tmp_path):
    array = np.zeros((1, 4, 5, 3), np.uint8)
    array[0, 1, 2] = (255, 0, 0)
    array[0, 3, 3] = (10, 20, 30)
    exported = run(export_volume(add_volume(array, "photo"), tmp_path / "v.npy"))
    written = np.load(tmp_path / "v.npy")
    assert written.shape == (1, 4, 5) and written.dtype == np.float32
    assert written[0, 1, 2] == pytest.approx(0.299 * 255)
    assert written[0, 3, 3] == pytest.approx(0.299 * 10 + 0.587 * 20 + 0.114 * 30)
    assert exported.notes == ("photo is in colour: its brightness was used.",)


def test_volumes_that_cannot_be_used_are_named(tmp_path):
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing")
    with pytest.raises(VolumeError, match=r"nothing has no voxels: load the image again"):
        run(export_volume(empty, tmp_path / "v.npy"))
    flow = add_volume(np.zeros((2, 3, 4, 2), np.float32), "flow")
    with pytest.raises(VolumeError, match=r"flow has 2 values per voxel"):
        run(export_volume(flow, tmp_path / "v.npy"))


def test_segments_share_one_image_cut_to_the_labels(tmp_path):
    array = bright_boxes()
    _, node = classified(add_volume(array), tmp_path)
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfLayers() == 1
    assert segmentation.GetNthSegment(0).GetName() == "organ"
    assert segmentation.GetNthSegment(1).GetColor() == (0.0, 0.0, 1.0)
    assert segmentation.GetLayerDataObject(0).GetDimensions() == (24, 20, 16)
    entry = vtk.reference("")
    segmentation.GetNthSegment(1).GetTag("TerminologyEntry", entry)
    assert "SCT^4147007^Mass" in str(entry)


def test_no_label_at_all_still_makes_segments(tmp_path):
    _, node = classified(add_volume(np.zeros((4, 5, 6), np.int16)), tmp_path)
    assert node.GetSegmentation().GetNumberOfSegments() == 2
    assert world_size(node, "Label_1") == 0


def world_size(node: Any, segment: str) -> int:
    """Voxels of a segment."""
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segment, image)
    scalars = image.GetPointData().GetScalars()
    return (
        0
        if scalars is None
        else int(sum(scalars.GetTuple1(n) > 0 for n in range(scalars.GetNumberOfTuples())))
    )
