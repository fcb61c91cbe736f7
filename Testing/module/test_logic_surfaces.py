"""Showing a segmentation in 3D: surfaces made by another process, in the right place, without a standstill."""

from __future__ import annotations

import os

import numpy as np
import pytest
import slicer
import standin
import vtk
from scene_data import IJK_TO_RAS, add_volume, bright_boxes, bright_centre
from SegClassifyPanel.surface_process import surface
from SegClassifyPanel.surfaces import SurfaceJob
from test_logic_results import put
from test_logic_run import gone

CLOSED = "Closed surface"


def shown(node, folder):
    """Show a node in 3D; what went wrong, if anything did."""
    ends: list[str] = []
    SurfaceJob(node, folder, lambda: ends.append(""), ends.append)
    standin.wait_until(lambda: ends, 60, "the surfaces")
    return ends[0]


def measure(polydata):
    """Volume in mm³ and middle of the bounds."""
    mass = vtk.vtkMassProperties()
    mass.SetInputData(polydata)
    bounds = np.array(polydata.GetBounds()).reshape(3, 2)
    return mass.GetVolume(), bounds.mean(axis=1)


def test_surfaces_lie_round_their_segments(tmp_path):
    array = bright_boxes()
    volume = add_volume(array)
    node = put(volume, tmp_path)
    assert shown(node, tmp_path) == ""
    polydata = node.GetSegmentation().GetSegment("Label_1").GetRepresentation(CLOSED)
    size, middle = measure(polydata)
    np.testing.assert_allclose(middle, bright_centre(volume, array), atol=0.3)
    assert size == pytest.approx((array > 280).sum() * 1.5 * 1.2 * 2.0, rel=0.15)
    # A segment without a voxel has an empty surface, or Slicer would make all of them again.
    assert node.GetSegmentation().GetSegment("Label_2").GetRepresentation(CLOSED).GetNumberOfCells() == 0
    assert node.GetDisplayNode().GetVisibility3D()
    kept = node.GetSegmentation().GetSegment("Label_1").GetRepresentation(CLOSED)
    node.CreateClosedSurfaceRepresentation()
    assert node.GetSegmentation().GetSegment("Label_1").GetRepresentation(CLOSED) is kept
    assert not list(tmp_path.glob("surfaces-*"))


def test_a_border_of_the_image_closes_the_surface():
    polydata = surface(np.ones((6, 7, 8), np.uint8), 1, (2, 3, 4), IJK_TO_RAS.ravel().tolist())
    edges = vtk.vtkFeatureEdges()
    edges.SetInputData(polydata)
    edges.ManifoldEdgesOff()
    edges.FeatureEdgesOff()
    edges.Update()
    assert edges.GetOutput().GetNumberOfCells() == 0
    middle = IJK_TO_RAS @ [2 + 3.5, 3 + 3, 4 + 2.5, 1]
    np.testing.assert_allclose(measure(polydata)[1], middle[:3], atol=0.01)


def test_cancelled_in_the_process(tmp_path):
    node = put(add_volume(np.tile(bright_boxes(), (4, 4, 4))), tmp_path)
    ends: list[str] = []
    job = SurfaceJob(node, tmp_path, lambda: ends.append(""), ends.append)
    standin.wait_until(lambda: job._process is not None and job._process.processId(), 30, "the process")
    pid = job._process.processId()
    job.cancel()
    standin.spin(0.3)
    assert gone(pid) and ends == [] and not node.GetDisplayNode().GetVisibility3D()
    assert not list(tmp_path.glob("surfaces-*"))


def test_a_process_that_fails_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("SegClassifyPanel.surfaces.python_executable", lambda: os.devnull)
    assert "cannot be started" in shown(put(add_volume(bright_boxes()), tmp_path), tmp_path)


def test_logic_shows_and_hides(logic, tmp_path):
    node = put(add_volume(bright_boxes()), tmp_path)
    ends: list[str] = []
    logic.show_3d(node, True, lambda: ends.append("shown"), ends.append)
    standin.wait_until(lambda: ends, 60, "the surfaces")
    logic.show_3d(node, False, lambda: ends.append("hidden"), ends.append)
    assert ends == ["shown", "hidden"] and not node.GetDisplayNode().GetVisibility3D()
    logic.show_3d(node, True)
    slicer.mrmlScene.Clear(0)
    standin.spin(0.2)
