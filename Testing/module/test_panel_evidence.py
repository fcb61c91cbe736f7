"""Where a result comes from: the toggle, the map over the image, and what is left when it is off."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from panel_fakes import FakeLogic, add_volume, classify_result, model_info
from panel_stage import Stage, stage

THREE = ("glioma", "meningioma", "metastasis")
SHAPE = (6, 8, 10)


class FakeEvidence:
    """Keeps what the panel asks for; a test says what happens next. Maps are put into the scene by the real code."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.cancels = 0

    def start(self, segmentation: Any, class_name: str, listener: Any) -> Any:
        """Keep it; the end of one that is cancelled comes later."""
        self.asked.append((segmentation.GetID(), class_name, listener))
        return SimpleNamespace(cancel=lambda: self._cancel(listener))

    def _cancel(self, listener: Any) -> None:
        import qt

        self.cancels += 1
        qt.QTimer.singleShot(0, listener.on_cancelled)

    def done(self) -> str:
        """The last one that was asked for ends well; the ID of its map."""
        import slicer
        import vtk
        from SegClassifyPanel.evidence_nodes import put_evidence
        from SegClassifyPanel.geometry import array_of
        from SegClassifyPanel.result_nodes import CHANNEL
        from SegClassifyPanel.volumes import ExportedVolume

        from SegClassifyLib.worker.protocol import EvidenceReason, EvidenceResult, VolumeSource

        node_id, name, listener = self.asked[-1]
        segmentation = slicer.mrmlScene.GetNodeByID(node_id)
        volume, matrix = segmentation.GetNodeReference(CHANNEL), vtk.vtkMatrix4x4()
        volume.GetIJKToRASMatrix(matrix)
        where = ExportedVolume(
            VolumeSource("x", "", (1.0,) * 3, (0.0,) * 3, (0.0,) * 9), array_of(matrix), "", ()
        )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "map.npy"
            shape = volume.GetImageData().GetDimensions()[::-1]
            values = np.linspace(-3, 3, int(np.prod(shape))).reshape(shape).astype(np.float32)
            np.save(file, values)
            result = EvidenceResult(
                "alpha", "Brain tumour type", name, "", "exact", 1.2, 0.1,
                (f"{name}: mostly from inside tumour, decoder scale 2 (52%).", "Against it: tumour volume (8%)."),
                (EvidenceReason("inside tumour, decoder scale 2", 0.9, 0.52),), str(file), 2.0, "ml", "cpu", (),
            )  # fmt: skip
            node = put_evidence(result, where, segmentation)
        listener.on_done(node.GetID())
        return str(node.GetID())


@pytest.fixture
def shown() -> Iterator[Stage]:
    """The panel with a result."""
    logic = FakeLogic((model_info(),))
    logic.evidence = FakeEvidence()  # type: ignore[attr-defined]
    with stage(logic) as shown:
        add_volume("alpha_T1c", SHAPE)
        add_volume("alpha_FLAIR", SHAPE)
        shown.settle()
        classify(shown)
        yield shown


def classify(shown: Stage, **changes: Any) -> None:
    """Another run."""
    shown.ui.classifyButton.click()
    shown.logic.job.done(classify_result(THREE, changes.pop("probabilities", (0.2, 0.7, 0.1)), **changes))
    shown.settle()


def ui(shown: Stage) -> Any:
    """The widgets of the section."""
    return shown.tab.result.evidence.ui


def evidence(shown: Stage) -> FakeEvidence:
    """The logic's part."""
    return shown.logic.evidence  # type: ignore[attr-defined,no-any-return]


def toggle(shown: Stage) -> None:
    """As a user does."""
    ui(shown).evidenceCheckBox.click()
    shown.settle()


def foregrounds() -> set[str | None]:
    """IDs of the foreground volumes of the slice views."""
    import slicer

    layers = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    return {node.GetForegroundVolumeID() for node in layers}


def maps() -> list[Any]:
    """The maps in the scene."""
    import slicer

    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [n for n in nodes if n.GetAttribute("SegClassify.Evidence")]


def colour_tables() -> list[Any]:
    """Ours."""
    import slicer

    nodes = slicer.util.getNodesByClass("vtkMRMLColorTableNode")
    return [n for n in nodes if n.GetAttribute("SegClassify.Evidence")]


def test_the_likeliest_class_is_offered_first(shown: Stage) -> None:
    selector = ui(shown).classSelector
    assert [selector.itemText(n) for n in range(selector.count)] == ["meningioma", "glioma", "metastasis"]
    assert ui(shown).evidenceCheckBox.checked is False
    assert ui(shown).legendLabel.visible is False


def test_a_map_lies_over_the_image_with_words_and_a_legend(shown: Stage) -> None:
    before = foregrounds()
    toggle(shown)
    assert evidence(shown).asked[0][1] == "meningioma"
    assert ui(shown).evidenceProgress.visible is True
    evidence(shown).asked[0][2].on_phase("Segmenting", 0.5)
    assert (ui(shown).evidenceLabel.text, ui(shown).evidenceProgress.value) == ("Segmenting", 500)
    node_id = evidence(shown).done()
    shown.settle()
    assert foregrounds() == {node_id}
    assert ui(shown).evidenceLabel.text.startswith("meningioma: mostly from inside tumour")
    assert "Red speaks for meningioma, blue against it" in ui(shown).legendLabel.text
    assert "2 logits per ml" in ui(shown).legendLabel.text
    assert ui(shown).evidenceProgress.visible is False
    display = maps()[0].GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (-2.0, 2.0)
    table = display.GetColorNode()
    colour = [0.0] * 4
    table.GetColor(255, colour)
    assert colour[0] > 0.6 > colour[2] + 0.4
    table.GetColor(0, colour)
    assert colour[2] > 0.5 > colour[0] + 0.4
    toggle(shown)
    assert foregrounds() == before
    assert ui(shown).evidenceLabel.visible is False and ui(shown).legendLabel.visible is False


def test_the_map_is_where_the_image_is(shown: Stage) -> None:
    import slicer
    import vtk

    toggle(shown)
    node_id = evidence(shown).done()
    both = []
    for node in (slicer.mrmlScene.GetNodeByID(node_id), slicer.util.getNode("alpha_T1c")):
        matrix = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(matrix)
        both.append(
            (
                [matrix.GetElement(r, c) for r in range(4) for c in range(4)],
                node.GetImageData().GetDimensions(),
            )
        )
    assert both[0] == both[1]
    array = slicer.util.arrayFromVolume(slicer.mrmlScene.GetNodeByID(node_id))
    np.testing.assert_allclose(array.ravel(), np.linspace(-3, 3, array.size), atol=1e-6)


def test_another_volume_in_the_foreground_comes_back(shown: Stage) -> None:
    import slicer

    other = slicer.util.getNode("alpha_FLAIR")
    slicer.util.setSliceViewerLayers(foreground=other, foregroundOpacity=0.3)
    toggle(shown)
    evidence(shown).done()
    ui(shown).evidenceOpacity.value = 0.8
    layers = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    assert {node.GetForegroundOpacity() for node in layers} == {0.8}
    toggle(shown)
    assert foregrounds() == {other.GetID()}
    assert {node.GetForegroundOpacity() for node in layers} == {0.3}


def test_a_map_that_is_there_is_not_made_again(shown: Stage) -> None:
    toggle(shown)
    first = evidence(shown).done()
    toggle(shown)
    toggle(shown)
    assert len(evidence(shown).asked) == 1 and foregrounds() == {first}
    ui(shown).classSelector.setCurrentIndex(1)
    ui(shown).classSelector.activated.emit(1)
    assert evidence(shown).asked[-1][1] == "glioma"
    second = evidence(shown).done()
    assert foregrounds() == {second} and len(maps()) == 2 and len(colour_tables()) == 1


def test_toggling_off_cancels(shown: Stage) -> None:
    toggle(shown)
    toggle(shown)
    assert evidence(shown).cancels == 1 and maps() == []
    assert ui(shown).evidenceProgress.visible is False


def test_a_late_end_of_the_one_before_does_not_hide_the_one_that_runs(shown: Stage) -> None:
    toggle(shown)
    ui(shown).classSelector.setCurrentIndex(1)
    ui(shown).classSelector.activated.emit(1)
    shown.settle()
    assert [name for _node, name, _listener in evidence(shown).asked] == ["meningioma", "glioma"]
    assert ui(shown).evidenceCheckBox.checked is True
    toggle(shown)
    assert evidence(shown).cancels == 2


def test_a_failure_is_said_and_the_toggle_is_off(shown: Stage) -> None:
    toggle(shown)
    evidence(shown).asked[0][2].on_failed("The model is gone: add it again.")
    shown.settle()
    assert ui(shown).evidenceLabel.text == "The model is gone: add it again."
    assert ui(shown).evidenceCheckBox.checked is False


def test_a_new_run_or_undo_takes_the_map_away(shown: Stage) -> None:
    toggle(shown)
    evidence(shown).done()
    classify(shown, probabilities=(0.6, 0.3, 0.1))  # the same nodes, another result
    assert maps() == [] and colour_tables() == []
    assert ui(shown).evidenceCheckBox.checked is False
    toggle(shown)
    evidence(shown).done()
    shown.result_ui.undoButton.click()
    shown.settle()
    assert maps() == [] and foregrounds() == {None}


def test_removing_the_result_or_the_map_leaves_nothing_behind(shown: Stage) -> None:
    import slicer

    toggle(shown)
    node_id = evidence(shown).done()
    slicer.mrmlScene.RemoveNode(slicer.mrmlScene.GetNodeByID(node_id))
    shown.settle()
    assert ui(shown).evidenceCheckBox.checked is False
    toggle(shown)
    evidence(shown).done()
    slicer.mrmlScene.RemoveNode(shown.tab.result.view.node)
    shown.settle()
    assert maps() == []


def test_a_model_that_only_segments_has_nothing_to_explain(shown: Stage) -> None:
    shown.ui.classifyButton.click()
    shown.logic.job.done(classify_result((), ()))
    shown.settle()
    assert shown.tab.result.evidence.widget.visible is False


def test_a_saved_scene_brings_the_map_back(shown: Stage, tmp_path: Path) -> None:
    import slicer
    import standin

    toggle(shown)
    evidence(shown).done()
    shown.settle()
    file = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(file))
    slicer.mrmlScene.Clear(0)
    shown.settle()
    slicer.util.loadScene(str(file))
    shown.settle()
    assert len(maps()) == 1
    toggle(shown)
    assert len(evidence(shown).asked) == 1, "the map of the file is shown, not made again"
    assert foregrounds() == {maps()[0].GetID()}
    assert "meningioma" in ui(shown).legendLabel.text
    table = maps()[0].GetDisplayNode().GetColorNode()
    assert table is not None and table.GetAttribute("SegClassify.Evidence") == "colours"
    standin.raise_recorded()
