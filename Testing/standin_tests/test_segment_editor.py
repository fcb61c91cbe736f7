"""Going to the Segment Editor and back: what its module and its widget do with the nodes they are given."""

from typing import Any

import numpy as np
import pytest
import standin


@pytest.fixture
def editor():
    """The editor's widget; the module is not shown yet."""
    import slicer

    yield slicer.util.getModuleWidget("SegmentEditor").editor
    slicer.util.moduleSelector().selectModule("")


def volume(name: str) -> Any:
    import slicer

    return slicer.util.addVolumeFromArray(np.zeros((4, 5, 6), np.int16), name=name)


def segmentation(name: str, reference: Any = None, segments: tuple[str, ...] = ("tumour",)) -> Any:
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    if reference is not None:
        node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    for segment in segments:
        node.GetSegmentation().AddEmptySegment(segment, segment)
    return node


def test_there_and_back(hello, editor) -> None:
    import slicer

    seen: list = []
    selector = slicer.util.moduleSelector()
    selector.connect("moduleSelected(QString)", seen.append)
    slicer.util.selectModule("SegmentEditor")
    assert hello.events[-2:] == ["enter", "exit"]
    assert slicer.util.selectedModule() == "SegmentEditor"
    assert editor.visible
    assert not hello.parent.isEntered
    slicer.util.selectModule("Hello")
    assert hello.events[-1] == "enter"
    assert hello.parent.isEntered
    assert not editor.visible
    assert seen == ["SegmentEditor", "Hello"]
    slicer.util.selectModule("Hello")
    assert seen == ["SegmentEditor", "Hello"]
    selector.disconnect("moduleSelected(QString)", seen.append)


def test_the_new_module_counts_when_the_old_one_is_left(hello, editor) -> None:
    import slicer

    names: list = []
    hello.exit = lambda: names.append(slicer.util.selectedModule())
    slicer.util.selectModule("SegmentEditor")
    assert names == ["SegmentEditor"]
    with pytest.raises(ValueError, match="no module"):
        slicer.util.selectModule("NoSuchModule")


def test_segmentation_brings_the_volume_it_refers_to(editor) -> None:
    import slicer

    first, second = volume("first"), volume("second")
    node = segmentation("S", second)
    seen: list = []
    editor.segmentationNodeChanged.connect(seen.append)
    slicer.util.setSliceViewerLayers(background=first)
    editor.setSegmentationNode(node)
    assert editor.segmentationNode() is seen[-1] is node
    assert editor.sourceVolumeNode() is second
    assert editor.currentSegmentID() == "tumour"
    assert node.GetDisplayNode() is not None
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert red.GetBackgroundVolumeID() == second.GetID()
    editor.setSourceVolumeNode(first)
    assert editor.sourceVolumeNodeID() == first.GetID()
    assert red.GetBackgroundVolumeID() == first.GetID()


def test_what_was_set_before_is_kept_on_entering(editor) -> None:
    import slicer

    scan = volume("scan")
    segmentation("other", scan)
    mine = segmentation("mine", scan, ())
    editor.setSegmentationNode(mine)
    editor.setSourceVolumeNode(scan)
    slicer.util.selectModule("SegmentEditor")
    assert editor.segmentationNode() is mine
    assert editor.sourceVolumeNode() is scan
    assert editor.currentSegmentID() == ""


def test_entering_without_a_choice_makes_a_segmentation(editor) -> None:
    """What happens to whoever shows the module first and sets its nodes later."""
    import slicer

    scan = volume("scan")
    slicer.util.setSliceViewerLayers(background=scan)
    slicer.util.selectModule("SegmentEditor")
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
    assert editor.segmentationNode() is not None
    assert editor.sourceVolumeNode() is scan


def test_effects_are_named_only(editor) -> None:
    editor.setSegmentationNode(segmentation("S", volume("v")))
    editor.setActiveEffectByName("Paint")
    assert editor.mrmlSegmentEditorNode().GetActiveEffectName() == "Paint"
    with pytest.raises(standin.NotInStandin):
        editor.activeEffect()
    editor.setActiveEffectByName("No such effect")
    assert editor.activeEffect() is None
    with pytest.raises(TypeError):
        editor.readOnly()
    with pytest.raises(AttributeError):
        editor.sourceVolume  # noqa: B018


def test_drawing_reaches_the_list(editor) -> None:
    scan = volume("scan")
    node = segmentation("S", scan)
    editor.setSegmentationNode(node)
    node.GetSegmentation().AddEmptySegment("edema", "Edema")
    assert editor.findChild("qMRMLSegmentsTableView").segmentCount == 2
    editor.setCurrentSegmentID("edema")
    assert editor.currentSegmentID() == "edema"


@pytest.mark.parametrize("shown", [False, True])
def test_scene_closes(editor, shown: bool) -> None:
    import slicer

    editor.setSegmentationNode(segmentation("S", volume("v")))
    if shown:
        slicer.util.selectModule("SegmentEditor")
    slicer.mrmlScene.Clear()
    assert editor.segmentationNode() is None
    node = segmentation("T", volume("w"))
    slicer.util.selectModule("SegmentEditor")
    assert (editor.segmentationNode() is node) is (not shown)
    editor.setSegmentationNode(node)
    assert editor.segmentationNode() is node


def test_removed_nodes_are_let_go(editor) -> None:
    import slicer

    node = segmentation("S", volume("v"))
    editor.setSegmentationNode(node)
    slicer.mrmlScene.RemoveNode(node)
    assert editor.segmentationNode() is None


def test_what_is_set_while_the_scene_is_in_a_batch_is_shown_after_it(editor) -> None:
    import slicer

    node = segmentation("S", volume("v"))
    slicer.mrmlScene.StartState(slicer.vtkMRMLScene.BatchProcessState)
    editor.setSegmentationNode(node)
    assert editor.segmentationNode() is None
    slicer.mrmlScene.EndState(slicer.vtkMRMLScene.BatchProcessState)
    assert editor.segmentationNode() is node
