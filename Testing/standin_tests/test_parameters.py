"""Typed parameters in the scene, and the widgets that show them."""

import enum
import pathlib
from typing import Annotated, Any, Optional

import pytest
import standin


class Mode(enum.Enum):
    FAST = 1
    GOOD = 2


def wrapped(node: Any = None, **annotations: Any) -> Any:
    """An object with these typed parameters, in a new node of the scene or the given one."""
    import slicer
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    kind = type("Parameters", (), {"__annotations__": annotations})
    return parameterNodeWrapper(kind)(node or slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))


def stored(parameters: Any) -> dict[str, str]:
    node = parameters.parameterNode
    return {name: node.GetParameter(name) for name in node.GetParameterNames()}


def test_stored_forms() -> None:
    from slicer.parameterNodeWrapper import Default

    parameters = wrapped(
        yes=bool,
        path=pathlib.Path,
        pair=tuple[int, str],
        words=dict[str, float],
        few=Annotated[int, Default(7)],
    )
    parameters.yes, parameters.path, parameters.pair = True, pathlib.Path("a/b"), (3, "x")
    parameters.words["w"] = 0.5
    assert stored(parameters) == {
        "few": "7",
        "pair.0": "3",
        "pair.1": "x",
        "path": "a/b",
        "words.0.0": "w",
        "words.0.1": "0.5",
        "words.len": "1",
        "yes": "True",
    }


def test_another_wrapper_reads_the_same() -> None:
    first = wrapped(mode=Mode, names=list[str], maybe=Optional[int])  # noqa: UP045  the older form too
    first.mode, first.maybe = Mode.GOOD, 4
    first.names.append("p")
    first.names[0] = "q"
    second = wrapped(first.parameterNode, mode=Mode, names=list[str], maybe=int | None)
    assert (second.mode, list(second.names), second.maybe) == (Mode.GOOD, ["q"], 4)
    second.maybe = None
    assert first.maybe is None


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("count", "3", TypeError),
        ("count", 2.5, TypeError),
        ("count", None, ValueError),
        ("share", 1.5, ValueError),
        ("mode", "FAST", TypeError),
        ("names", ["a", 1], TypeError),
        ("volume", "vtkMRMLScalarVolumeNode1", TypeError),
    ],
)
def test_wrong_values_change_nothing(name: str, value: object, error: type[Exception]) -> None:
    import slicer
    from slicer.parameterNodeWrapper import WithinRange

    parameters = wrapped(
        count=int,
        share=Annotated[float, WithinRange(0, 1)],
        mode=Mode,
        names=list[str],
        volume=slicer.vtkMRMLScalarVolumeNode,
    )
    before = stored(parameters)
    with pytest.raises(error):
        setattr(parameters, name, value)
    assert stored(parameters) == before


def test_types_that_cannot_be_stored() -> None:
    with pytest.raises(Exception, match="Unable to create serializer"):
        wrapped(anything=object)


def test_nodes_are_references_that_end_with_the_node() -> None:
    import slicer

    parameters = wrapped(volume=slicer.vtkMRMLScalarVolumeNode, other=slicer.vtkMRMLScalarVolumeNode | None)
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    parameters.volume = parameters.other = volume
    assert parameters.volume is volume
    assert parameters.other is volume
    slicer.mrmlScene.RemoveNode(volume)
    assert parameters.volume is None
    assert parameters.other is None


def test_one_event_for_one_change() -> None:
    import vtk

    parameters, seen = wrapped(names=list[str]), []
    tag = parameters.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: seen.append(list(parameters.names)))
    parameters.names = ["a", "b", "c"]
    assert seen == [["a", "b", "c"]]
    parameters.RemoveObserver(tag)
    parameters.names = []
    assert len(seen) == 1


def test_widgets_follow_and_lead() -> None:
    import ctk
    import qt
    from slicer.parameterNodeWrapper import Choice, Default, WithinRange

    parameters = wrapped(
        on=bool,
        share=Annotated[float, WithinRange(0, 1)],
        mode=Mode,
        size=Annotated[str, Choice(["S", "M"]), Default("S")],
        text=str,
        where=pathlib.Path,
    )
    parameters.size = "M"
    widgets = {
        "on": qt.QCheckBox(),
        "share": ctk.ctkSliderWidget(),
        "mode": qt.QComboBox(),
        "size": qt.QComboBox(),
        "text": qt.QLineEdit(),
        "where": ctk.ctkDirectoryButton(),
    }
    tag = parameters.connectParametersToGui(widgets)
    assert widgets["size"].currentText == "M"
    parameters.share, parameters.mode = 0.5, Mode.GOOD
    assert (widgets["share"].value, widgets["mode"].currentText) == (0.5, "GOOD")
    widgets["on"].click()
    widgets["share"].value = 0.25
    widgets["mode"].currentIndex = 0
    widgets["text"].text = "hello"
    widgets["where"].directory = "/tmp"
    assert (parameters.on, parameters.share, parameters.mode) == (True, 0.25, Mode.FAST)
    assert (parameters.text, parameters.where) == ("hello", pathlib.Path("/tmp"))
    parameters.disconnectGui(tag)
    widgets["share"].value = 0.75
    parameters.text = "later"
    assert parameters.share == 0.25
    assert widgets["text"].text == "hello"


def test_widgets_that_do_not_fit() -> None:
    import ctk
    import qt

    parameters = wrapped(share=float, on=bool)
    with pytest.raises(RuntimeError, match="unbounded"):
        parameters.connectParametersToGui({"share": ctk.ctkSliderWidget()})
    with pytest.raises(RuntimeError, match="Unable to create GUI connector"):
        parameters.connectParametersToGui({"on": qt.QLineEdit()})
    with pytest.raises(ValueError, match="Cannot find a param"):
        parameters.connectParametersToGui({"off": qt.QCheckBox()})


def test_reserved_names() -> None:
    with pytest.raises(ValueError, match="reserved name"):
        wrapped(default=int)


def test_what_is_missing_says_so() -> None:
    import slicer

    with pytest.raises(standin.NotInStandin):
        slicer.parameterNodeWrapper.parameterPack  # noqa: B018
