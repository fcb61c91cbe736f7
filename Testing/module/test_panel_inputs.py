"""Selectors of the panel: one a channel, pre-filled from names, and what keeps Classify from running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from panel_fakes import FakeLogic, add_volume, model_info
from panel_stage import Stage, stage


@pytest.fixture
def shown() -> Iterator[Stage]:
    """The panel with a model of two channels and an empty scene."""
    with stage(FakeLogic((model_info(),))) as shown:
        shown.settle()
        yield shown


@pytest.mark.parametrize(
    "channels, volumes, wanted",
    [
        (["T1c", "FLAIR"], ["alpha_FLAIR", "alpha_T1c"], [1, 0]),
        (["T1c", "T1"], ["BraTS-001-t1n", "BraTS-001-t1c"], [1, 0]),
        (["T1", "T1ce", "T2", "FLAIR"], ["x_t1", "x_t1ce", "x_t2", "x_flair"], [0, 1, 2, 3]),
        (["FLAIR", "T2"], ["AX T2 FLAIR", "AX T2"], [0, 1]),
        (["T1c"], ["AX T1", "AX T1 post"], [1]),
        (["T1c"], ["AX T1", "AX T1 +C"], [1]),
        (["T1Gd", "T1"], ["mprage", "mprage_gad"], [1, 0]),
        (["CT", "PET"], ["PET WB", "CTChest"], [1, 0]),
        (["ultrasound"], ["CTChest", "breast US"], [1]),
        (["T1c", "FLAIR"], ["brain"], [None, None]),
        (["image"], ["whatever"], [0]),
        (["T1"], ["MRHead"], [0]),
        (["T1"], ["CTChest"], [None]),
        (["liver phase 2"], ["p1_liver phase 1", "p1_liver phase 2"], [1]),
        (["T1c", "FLAIR"], ["beta_T1c", "alpha_FLAIR", "beta_FLAIR", "alpha_T1c"], [0, 2]),
        (["T1", "T1"], ["a_T1", "b_T1"], [0, 1]),
    ],
)
def test_names_say_which_volume_is_which_channel(
    channels: list[str], volumes: list[str], wanted: list[int | None]
) -> None:
    from SegClassifyPanel.channel_names import match_channels

    assert match_channels(channels, volumes) == wanted


def chosen(shown: Stage) -> list[str | None]:
    """Names in the selectors."""
    return [node.GetName() if node else None for node in shown.tab.inputs.nodes()]


def test_volumes_are_chosen_as_they_are_loaded(shown: Stage) -> None:
    assert chosen(shown) == [None, None]
    assert shown.ui.classifyButton.enabled is False
    assert "Choose a volume for T1c." in shown.ui.classifyButton.toolTip
    assert "Choose a volume for FLAIR." in shown.ui.needsLabel.text
    add_volume("alpha_FLAIR")
    shown.settle()
    assert chosen(shown) == [None, "alpha_FLAIR"]
    assert shown.ui.needsLabel.text == "Choose a volume for T1c."
    add_volume("alpha_T1c")
    shown.settle()
    assert chosen(shown) == ["alpha_T1c", "alpha_FLAIR"]
    assert shown.ui.classifyButton.enabled is True
    assert shown.ui.needsLabel.visible is False


def test_what_the_user_chose_is_not_changed(shown: Stage) -> None:
    other = add_volume("something")
    add_volume("alpha_FLAIR")
    shown.settle()
    shown.tab.inputs.selectors[0].setCurrentNode(other)
    add_volume("alpha_T1c")
    shown.settle()
    assert chosen(shown) == ["something", "alpha_FLAIR"]


def test_the_same_volume_twice_is_refused(shown: Stage) -> None:
    volume = add_volume("alpha_T1c")
    shown.settle()
    shown.tab.inputs.selectors[1].setCurrentNode(volume)
    shown.settle()
    assert shown.ui.classifyButton.enabled is False
    assert "“alpha_T1c” is chosen for T1c and FLAIR" in shown.ui.needsLabel.text
    shown.ui.classifyButton.click()
    assert shown.logic.jobs == []


def test_label_maps_are_no_images_and_colour_pictures_are(shown: Stage) -> None:
    add_volume("T1c of a label map", kind="vtkMRMLLabelMapVolumeNode")
    picture = add_volume("photo", (1, 6, 8, 3), "vtkMRMLVectorVolumeNode")
    shown.settle()
    assert chosen(shown) == [None, None]
    selector = shown.tab.inputs.selectors[0]
    assert selector.nodeCount() == 1
    selector.setCurrentNode(picture)
    assert chosen(shown)[0] == "photo"


def test_a_removed_volume_is_missing_again(shown: Stage) -> None:
    import slicer

    volume = add_volume("alpha_T1c")
    add_volume("alpha_FLAIR")
    shown.settle()
    slicer.mrmlScene.RemoveNode(volume)
    shown.settle()
    assert chosen(shown) == [None, "alpha_FLAIR"]
    assert shown.ui.classifyButton.enabled is False


def test_pictures_and_volumes_are_not_confused() -> None:
    flat = model_info("Flat", ndim=2, channels=(model_info().channels[0],))
    deep = model_info("Deep", channels=(model_info().channels[0],))
    with stage(FakeLogic((flat, deep))) as shown:
        add_volume("stack_T1c", (6, 8, 10))
        shown.settle()
        assert "6 slices" in shown.ui.needsLabel.text
        shown.ui.modelSelector.setCurrentIndex(1)
        shown.ui.modelSelector.activated.emit(1)
        shown.settle()
        assert shown.ui.classifyButton.enabled is True
        shown.tab.inputs.selectors[0].setCurrentNode(add_volume("picture", (1, 8, 10)))
        shown.settle()
        assert "single 2D image" in shown.ui.needsLabel.text


def test_an_empty_volume_is_explained(shown: Stage) -> None:
    import slicer

    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "alpha_T1c")
    add_volume("alpha_FLAIR")
    shown.settle()
    shown.tab.inputs.selectors[0].setCurrentNode(empty)
    shown.settle()
    assert "“alpha_T1c” has no voxels" in shown.ui.needsLabel.text


def test_another_model_keeps_volumes_of_channels_it_shares() -> None:
    one = model_info("One", channels=(model_info().channels[1],))
    with stage(FakeLogic((model_info(), one))) as shown:
        shown.settle()
        scan = add_volume("scan 17")
        shown.tab.inputs.selectors[1].setCurrentNode(scan)
        shown.ui.modelSelector.setCurrentIndex(1)
        shown.ui.modelSelector.activated.emit(1)
        assert [s.visible for _label, s in shown.tab.inputs._rows] == [True, False]
        assert chosen(shown) == ["scan 17"]


def test_the_scene_remembers_the_choice(shown: Stage) -> None:
    first, second = add_volume("a"), add_volume("b")
    shown.settle()
    for selector, node in zip(shown.tab.inputs.selectors, (second, first), strict=True):
        selector.setCurrentNode(node)
    shown.ui.keepEarlierCheckBox.click()
    parameters = shown.parameters
    assert parameters.model == "/models/Brain tumour type"
    assert [node.GetName() for node in parameters.inputs] == ["b", "a"]
    assert parameters.keepEarlierResults is True
