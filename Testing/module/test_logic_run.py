"""One Classify from the click to the result, with a real worker: done, refused, cancelled, crashed, scene closed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import standin
from scene_data import add_transform, add_volume, bright_boxes, bright_centre, world_centre
from SegClassifyPanel.classify_job import Outcome
from SegClassifyPanel.logic import ClassifyError
from SegClassifyPanel.result_nodes import find_results
from test_logic_results import scene_state


class Told:
    """What a job said: phases, and its one end."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, float | None]] = []
        self.ends: list[tuple[str, Any]] = []

    def callbacks(self) -> dict[str, Any]:
        """For ``start_classify``."""
        return {
            "on_phase": lambda text, fraction: self.phases.append((text, fraction)),
            "on_done": lambda outcome: self.ends.append(("done", outcome)),
            "on_failed": lambda sentence: self.ends.append(("failed", sentence)),
            "on_cancelled": lambda: self.ends.append(("cancelled", None)),
        }

    def wait(self, seconds: float = 60.0) -> tuple[str, Any]:
        """The end, once the event loop has brought it."""
        standin.wait_until(lambda: self.ends, seconds, "the end of the job")
        standin.spin(0.05)
        assert len(self.ends) == 1
        return self.ends[0]


def large_volume() -> Any:
    """One that takes the worker seconds."""
    return add_volume(np.tile(bright_boxes(), (8, 6, 6)), "large")


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def test_blocking_for_scripts(logic, models):
    array = bright_boxes((48, 60, 72))
    volume = add_volume(array)
    volume.SetAndObserveTransformNodeID(add_transform(np.diag([1.0, 1, 1, 1])).GetID())
    outcome = logic.classify([volume], models / "volume")
    assert outcome.result.predicted == "large"
    assert outcome.result.label_volumes["tumour"] == pytest.approx((array > 280).sum() * 1.5 * 1.2 * 2 / 1000)
    node = slicer.mrmlScene.GetNodeByID(outcome.segmentation)
    np.testing.assert_array_equal(
        slicer.util.arrayFromSegmentBinaryLabelmap(node, "Label_2", volume), array > 280
    )
    np.testing.assert_allclose(world_centre(node, "Label_2"), bright_centre(volume, array), atol=1e-6)
    assert slicer.mrmlScene.GetNodeByID(outcome.table).GetCellText(0, 0) == "large"
    parameters = logic.getParameterNode()
    assert (parameters.outputSegmentation.GetID(), parameters.outputTable.GetID()) == (
        outcome.segmentation,
        outcome.table,
    )
    assert not list(logic.temporary_folder().iterdir())


def test_asynchronous_again_updates_and_undo_goes_back(logic, models):
    volume = add_volume(bright_boxes())
    first = logic.classify([volume], models / "volume")
    before = scene_state()
    told = Told()
    logic.start_classify([volume], models / "volume", **told.callbacks())
    assert not told.ends
    kind, outcome = told.wait()
    assert kind == "done" and isinstance(outcome, Outcome)
    assert (outcome.segmentation, outcome.table) == (first.segmentation, first.table)
    assert outcome.result.seconds["open"] < 0.5  # the model was warm
    fractions = [fraction for _, fraction in told.phases if fraction is not None]
    assert fractions == sorted(fractions) and fractions[-1] > 0.9
    assert len({text for text, _ in told.phases}) >= 4
    logic.undo()
    assert scene_state() == before and not logic.can_undo
    kept = logic.classify([volume], models / "volume", keep_earlier=True)
    assert kept.segmentation != first.segmentation and len(find_results()) == 2
    logic.undo()
    assert scene_state() == before


def test_two_channels_on_different_grids(logic, models):
    t1 = add_volume(bright_boxes(), "T1")
    flair = add_volume(bright_boxes((12, 15, 18)), "FLAIR")
    outcome = logic.classify([t1, flair], models / "pair")
    node = slicer.mrmlScene.GetNodeByID(outcome.segmentation)
    assert [node.GetNthNodeReferenceID("SegClassify.Channel", n) for n in (0, 1)] == [
        t1.GetID(),
        flair.GetID(),
    ]
    with pytest.raises(ClassifyError, match="T1 is chosen for two channels"):
        logic.classify([t1, t1], models / "pair")
    with pytest.raises(ClassifyError, match="needs 2"):
        logic.classify([t1], models / "pair")


def test_a_picture_in_colour(logic, models):
    array = np.zeros((1, 40, 50, 3), np.uint8)
    array[0, 5:30, 5:40] = (255, 255, 255)
    volume = add_volume(array, "ultrasound", np.eye(4))
    outcome = logic.classify([volume], models / "picture")
    assert "brightness was used" in outcome.notes[0]
    node = slicer.mrmlScene.GetNodeByID(outcome.segmentation)
    organ = slicer.util.arrayFromSegmentBinaryLabelmap(node, "Label_1", volume)
    np.testing.assert_array_equal(organ, array[..., 0] > 0)


def test_refusals_are_sentences_and_leave_the_scene_as_it_was(logic, models):
    volume, picture = add_volume(bright_boxes()), add_volume(bright_boxes().take([7], axis=0), "slice")
    logic.getParameterNode()
    before = scene_state()
    for volumes, model, words in (
        ([volume], models / "nowhere", "nowhere"),
        ([volume], models / "picture", "CT chest"),
        ([picture], models / "volume", "slice is a single 2D image"),
    ):
        with pytest.raises(ClassifyError, match=words):
            logic.classify(volumes, model)
    with pytest.raises(ClassifyError, match="No image is chosen"):
        logic.classify([None], models / "volume")
    assert scene_state() == before
    assert not list(logic.temporary_folder().iterdir())


@pytest.mark.parametrize("moment", ["export", "worker"])
def test_cancel(logic, models, moment):
    volume = large_volume()
    logic.getParameterNode()
    before, told = scene_state(), Told()
    job = logic.start_classify([volume], models / "volume", **told.callbacks())
    if moment == "worker":
        standin.wait_until(lambda: any(text == "Segmenting" for text, _ in told.phases), 60, "segmenting")
    began = time.monotonic()
    job.cancel()
    job.cancel()
    assert told.wait(10)[0] == "cancelled"
    assert time.monotonic() - began < 5
    assert scene_state() == before
    assert not list(logic.temporary_folder().iterdir())


def test_cancelled_while_the_result_comes_in(logic, models, monkeypatch):
    """At the last moment: the nodes are in the scene already."""
    monkeypatch.setattr("SegClassifyPanel.chunks.BUDGET", 0.0)
    volume, told = add_volume(bright_boxes()), Told()
    logic.getParameterNode()
    before = scene_state()
    jobs: list[Any] = []

    def on_phase(text: str, fraction: float | None) -> None:
        told.phases.append((text, fraction))
        if find_results():
            jobs[0].cancel()

    callbacks = {**told.callbacks(), "on_phase": on_phase}
    jobs.append(logic.start_classify([volume], models / "volume", **callbacks))
    assert told.wait()[0] == "cancelled"
    assert told.phases[-1][0] == "Showing the result"
    assert scene_state() == before and not logic.can_undo


def busy(logic: Any, models: Path) -> tuple[Told, Any, Any]:
    """A job in the worker's hands; what it tells, the job, its volume."""
    told, volume = Told(), add_volume(bright_boxes())
    job = logic.start_classify([volume], models / "volume", **told.callbacks())
    standin.wait_until(
        lambda: logic.worker.pid and ("Waiting for the worker", None) in told.phases, 60, "hello"
    )
    return told, job, volume


def test_a_worker_that_does_not_listen_is_killed(logic, models):
    told, job, _ = busy(logic, models)
    pid = logic.worker.pid
    os.kill(pid, signal.SIGSTOP)
    job.cancel()
    assert told.wait(5)[0] == "cancelled"
    standin.wait_until(lambda: gone(pid), 5, "the worker's end")
    assert not logic.worker.running


def test_a_crash_is_told_with_its_reason(logic, models):
    told, _, _ = busy(logic, models)
    pid = logic.worker.pid
    # What else it may start ends with its group, and the window goes first.
    assert os.getpgid(pid) == pid
    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
    os.kill(pid, signal.SIGKILL)
    kind, sentence = told.wait()
    assert kind == "failed"
    assert "crashed" in sentence and "starts again" in sentence


def test_closing_the_scene_cancels_and_the_new_scene_stays_clean(logic, models):
    told, _, volume = busy(logic, models)
    node_id = volume.GetID()
    slicer.mrmlScene.Clear(0)
    replacement = add_volume(bright_boxes(), "another")
    assert replacement.GetID() == node_id  # a job that went on would take it for the one it was given
    assert told.wait(10)[0] == "cancelled"
    assert find_results() == [] and not logic.can_undo


def test_a_volume_removed_meanwhile_and_the_worker_after_all_that(logic, models):
    told, _, volume = busy(logic, models)
    slicer.mrmlScene.RemoveNode(volume)
    kind, sentence = told.wait()
    assert kind == "failed" and "removed from the scene" in sentence
    assert find_results() == []
    assert logic.classify([add_volume(bright_boxes())], models / "volume").result.predicted


def test_cleanup_ends_the_worker_in_the_middle_of_a_job(models):
    import SegClassify

    logic = SegClassify.SegClassifyLogic()
    told, _, _ = busy(logic, models)
    pid, folder = logic.worker.pid, logic.temporary_folder()
    logic.cleanup()
    assert gone(pid) and not folder.exists() and not logic.worker.running
    assert told.wait(1)[0] == "cancelled"
    slicer.mrmlScene.Clear(0)  # nobody who is gone listens to it
