"""An explanation by the real worker, and its map in the scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import standin
from scene_data import IJK_TO_RAS, add_transform, add_volume, bright_boxes


class Told:
    """What a job said."""

    def __init__(self) -> None:
        from SegClassifyPanel.worker_job import JobListener

        self.phases: list[str] = []
        self.ends: list[tuple[str, str]] = []
        self.listener = JobListener[str](
            lambda node_id: self.ends.append(("done", node_id)),
            lambda sentence: self.ends.append(("failed", sentence)),
            lambda: self.ends.append(("cancelled", "")),
            lambda text, _fraction: self.phases.append(text),
        )

    def wait(self) -> tuple[str, str]:
        """The end; there is only one."""
        standin.wait_until(lambda: bool(self.ends), 60, "the end")
        assert len(self.ends) == 1
        return self.ends[0]


@pytest.fixture
def result(logic: Any, models: Path) -> Any:
    """A segmentation node with a result, under a transform."""
    volume = add_volume(bright_boxes())
    shift = np.eye(4)
    shift[:3, 3] = (5.0, -3.0, 2.0)
    volume.SetAndObserveTransformNodeID(add_transform(shift).GetID())
    outcome = logic.classify([volume], models / "volume")
    return slicer.mrmlScene.GetNodeByID(outcome.segmentation)


def test_the_worker_s_map_lies_on_the_image(logic: Any, result: Any) -> None:
    from SegClassifyPanel.evidence_nodes import evidence_of, find_evidence

    told = Told()
    logic.evidence.start(result, "large", told.listener)
    end, node_id = told.wait()
    assert end == "done" and find_evidence(result) == [node_id]
    node, volume = slicer.mrmlScene.GetNodeByID(node_id), slicer.util.getNode("CT chest")
    assert node.GetTransformNodeID() == volume.GetTransformNodeID()
    np.testing.assert_allclose(
        slicer.util.arrayFromVTKMatrix(_matrix(node)), np.vstack([IJK_TO_RAS[:3], [0, 0, 0, 1]]), atol=1e-6
    )
    assert slicer.util.arrayFromVolume(node).shape == bright_boxes().shape
    found = evidence_of(node)
    assert found is not None and found.class_name == "large" and found.map_file == ""
    assert found.reasons[0].words == "tumour radius" and found.reasons[0].share == 1.0
    assert any("where it comes from" in phase for phase in told.phases)
    assert not list(logic.temporary_folder().glob("evidence-*")), "files go with the job"


def _matrix(node: Any) -> Any:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix


def test_cancelling_leaves_nothing(logic: Any, result: Any) -> None:
    from SegClassifyPanel.evidence_nodes import find_evidence

    told = Told()
    job = logic.evidence.start(result, "small", told.listener)
    job.cancel()
    assert told.ends == [], "the end comes from Qt's event loop"
    assert told.wait() == ("cancelled", "") and find_evidence(result) == []
    assert not list(logic.temporary_folder().glob("evidence-*"))


def test_a_class_that_is_not_there_is_refused_in_words(logic: Any, result: Any) -> None:
    told = Told()
    logic.evidence.start(result, "huge", told.listener)
    end, sentence = told.wait()
    assert end == "failed" and "no class 'huge'" in sentence


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("odd"), "Something went wrong that should not (KeyError: 'odd')"),
        (OSError(28, "No space left on device"), "cannot be written to"),
    ],
)
def test_an_error_while_the_map_comes_in_is_told(
    logic: Any, result: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def broken(*_args: Any) -> None:
        raise error

    monkeypatch.setattr("SegClassifyPanel.evidence_job.put_evidence", broken)
    told = Told()
    job = logic.evidence.start(result, "large", told.listener)
    end, sentence = told.wait()
    assert end == "failed" and words in sentence and job.over
    assert not list(logic.temporary_folder().glob("evidence-*"))


def test_without_its_image_a_result_cannot_be_explained(logic: Any, result: Any) -> None:
    from SegClassifyPanel.volumes import VolumeError

    slicer.mrmlScene.RemoveNode(slicer.util.getNode("CT chest"))
    with pytest.raises(VolumeError, match="no longer in the scene"):
        logic.evidence.start(result, "large", Told().listener)


def test_closing_the_scene_ends_it(logic: Any, result: Any) -> None:
    told = Told()
    logic.evidence.start(result, "large", told.listener)
    slicer.mrmlScene.Clear(0)
    assert told.wait()[0] in ("cancelled", "failed")
