"""The scene is Slicer's: nodes, subject hierarchy, files, views."""

from pathlib import Path

import numpy as np
import pytest
import standin


def ball(radius: float = 6.0) -> np.ndarray:
    """Distance from the middle below `radius`, (16, 18, 20) bool, axes K, J, I."""
    grid = np.indices((16, 18, 20)).reshape(3, -1).T - (7.5, 8.5, 9.5)
    return (np.linalg.norm(grid, axis=1) < radius).reshape(16, 18, 20)


def volume_and_segmentation():
    import slicer

    volume = slicer.util.addVolumeFromArray(ball() * np.int16(100), name="MR")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Seg")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = segmentation.GetSegmentation().AddEmptySegment("tumour", "Tumour", (1.0, 0.0, 0.0))
    slicer.util.updateSegmentBinaryLabelmapFromArray(ball(4).astype(np.uint8), segmentation, segment, volume)
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    items = [hierarchy.GetItemByDataNode(node) for node in (segmentation, volume)]
    hierarchy.SetItemParent(*items)
    return volume, segmentation


def test_node_classes_are_the_real_ones() -> None:
    import slicer
    import vtk

    node = slicer.vtkMRMLScalarVolumeNode()
    assert isinstance(node, vtk.vtkObject)
    assert isinstance(slicer.modules.segmentations.logic(), slicer.vtkSlicerSegmentationsModuleLogic)
    assert slicer.util.getModuleLogic("Volumes").GetMRMLScene() is slicer.mrmlScene
    assert slicer.app.mrmlScene() is slicer.mrmlScene


def test_scene_bundle_round_trip(tmp_path: Path) -> None:
    import slicer

    volume_and_segmentation()
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear()
    assert slicer.util.getNodesByClass("vtkMRMLVolumeNode") == []
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    volume, segmentation = slicer.util.getNode("MR"), slicer.util.getNode("Seg")
    assert (slicer.util.arrayFromVolume(volume) == ball() * 100).all()
    back = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "tumour", volume)
    assert (back == ball(4)).all()
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    parent = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(segmentation))
    assert hierarchy.GetItemDataNode(parent) is volume


def test_files_of_nodes(tmp_path: Path) -> None:
    import slicer

    volume, segmentation = volume_and_segmentation()
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "T")
    slicer.util.updateTableFromArray(table, [np.arange(3)], ["a"])
    for node, name in ((volume, "v.nrrd"), (segmentation, "s.seg.nrrd"), (table, "t.csv")):
        assert slicer.util.saveNode(node, str(tmp_path / name))
    assert slicer.util.loadVolume(str(tmp_path / "v.nrrd")).GetName() == "v"
    assert slicer.util.loadLabelVolume(str(tmp_path / "v.nrrd")).IsA("vtkMRMLLabelMapVolumeNode")
    assert (
        slicer.util.loadSegmentation(str(tmp_path / "s.seg.nrrd")).GetSegmentation().GetNumberOfSegments()
        == 1
    )
    assert slicer.util.loadTable(str(tmp_path / "t.csv")).GetNumberOfRows() == 3
    with pytest.raises(RuntimeError, match=r"nothing\.nrrd"):
        slicer.util.loadVolume(str(tmp_path / "nothing.nrrd"))


def test_subject_hierarchy_follows_nodes() -> None:
    import slicer

    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "v")
    hidden = slicer.vtkMRMLScalarVolumeNode()
    hidden.SetHideFromEditors(True)
    slicer.mrmlScene.AddNode(hidden)
    assert hierarchy.GetItemByDataNode(volume)
    assert not hierarchy.GetItemByDataNode(hidden)
    slicer.mrmlScene.RemoveNode(volume)
    assert hierarchy.GetNumberOfItems() == 0


def test_slice_views_show_what_they_are_told() -> None:
    import slicer

    volume, _ = volume_and_segmentation()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    manager = slicer.app.layoutManager()
    assert manager.sliceViewNames() == ("Red", "Green", "Yellow")
    composite = manager.sliceWidget("Red").mrmlSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == volume.GetID()
    manager.sliceWidget("Red").sliceLogic().SetSliceOffset(3.0)
    slicer.util.resetSliceViews()
    assert slicer.app.applicationLogic().GetSliceLogics().GetNumberOfItems() == 3


def test_picture_shows_slices_overlay_and_surface(tmp_path: Path) -> None:
    import slicer
    from PIL import Image

    volume, segmentation = volume_and_segmentation()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    before = np.asarray(Image.open(standin.screenshot(tmp_path / "slices.png")).convert("RGB")).astype(int)
    red, green = before[..., 0], before[..., 1]
    overlay = (red > 200) & (green > 60) & (green < 180) & (red - green > 60)  # red over white
    assert overlay.sum() > 2000
    assert ((red > 220) & (green > 220)).sum() > 2000  # the ball round it
    assert surface_pixels(before) < 2500  # outlines of the segment in three slices
    segmentation.CreateClosedSurfaceRepresentation()
    slicer.util.resetThreeDViews()
    after = np.asarray(Image.open(standin.screenshot(tmp_path / "surface.png")).convert("RGB")).astype(int)
    assert surface_pixels(after) > surface_pixels(before) + 5000


def surface_pixels(picture: np.ndarray) -> int:
    """Number of plain red pixels, (H, W, 3)."""
    return int(((picture[..., 0] > 90) & (picture[..., 1] < 40) & (picture[..., 2] < 40)).sum())


def test_render_blocker_pauses() -> None:
    import slicer

    seen: list = []
    slicer.app.connect("renderPaused(bool)", seen.append)
    with slicer.util.RenderBlocker(), slicer.util.RenderBlocker():
        assert seen == [True]
    assert seen == [True, False]


def test_views_are_rendered_when_they_change() -> None:
    import slicer

    volume, _ = volume_and_segmentation()
    standin.live_views(True)
    try:
        view = slicer.app.layoutManager().sliceWidget("Red").sliceView()
        slicer.util.setSliceViewerLayers(background=volume, fit=True)
        standin.wait_until(
            lambda: view.grab().toImage().pixelColor(view.width // 2, view.height // 2).red() > 200
        )
        with slicer.util.RenderBlocker():
            slicer.util.setSliceViewerLayers(background=None)
            standin.spin(0.1)
            assert view.grab().toImage().pixelColor(view.width // 2, view.height // 2).red() > 200
    finally:
        standin.live_views(False)
