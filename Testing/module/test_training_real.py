"""One whole path with real workers: train, pause, keep, classify, compare, save, ask for the next case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import standin
from training_stage import TrainingStage, training_stage


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small training set of slices, four of its cases without a class."""
    from SegClassifyLib.phantoms.sets import Counts, write_slice_set

    folder = tmp_path_factory.mktemp("lesions") / "set"
    written = write_slice_set(folder, Counts(segmented=2, classified=7, both=1, test=1), shape=(32, 32))
    seen = [c for c in written.cases if c.label_class and not c.segmentation and c.split == "train"]
    for case in seen[::3][:4]:
        written.change(case.name, label_class=None)
    return folder


@pytest.fixture
def shown(logic: Any, folder: Path, tmp_path: Path) -> Iterator[TrainingStage]:
    """The sections over the module's own logic, with the set open."""
    from SegClassifyLib.worker.set_messages import OpenSetParams

    found: list[Any] = []
    logic.worker.wait(logic.worker.call(OpenSetParams(str(folder)), found.append, found.append))
    logic._module.models_folder = str(tmp_path / "models")
    with training_stage(logic) as shown:
        shown.change(found[0])
        yield shown


def wait(condition: Any, what: str) -> None:
    standin.wait_until(condition, 120, what)


def test_from_segmentations_to_a_saved_model(shown: TrainingStage, folder: Path, tmp_path: Path) -> None:
    from SegClassifyLib.worker.segmenter_messages import TrainSegmenterParams

    logic, ui = shown.logic, shown.ui("SegmenterSection")
    wait(lambda: ui.networkSelector.placeholderText == "None yet", "the trainings")
    ui.newRadio.click()
    wait(lambda: ui.kindSelector.count > 1, "what the images suggest")
    assert "cases on patches of" in ui.planLabel.text
    assert logic.background.pid != logic.worker.pid

    # A budget in epochs that never ends: the test pauses it.
    form = shown.section("SegmenterSection").form
    form.params = lambda where, *_: TrainSegmenterParams(
        where, epochs=500, folds=0, patch=(16, 16), device="cpu"
    )
    ui.trainSegmenterButton.click()
    wait(lambda: len(logic.training.segmenter.epochs) >= 2, "two epochs")
    ui.trainSegmenterButton.click()
    wait(lambda: ui.pausedFrame.visible, "the paused training")
    assert not ui.segmenterErrorFrame.visible and "Paused after" in ui.pausedLabel.text
    ui.resumeButton.click()
    before = logic.training.segmenter.epochs[-1]
    wait(lambda: logic.training.segmenter.epochs[-1] is not before, "an epoch after Resume")
    told = [epoch.epoch for epoch in logic.training.segmenter.epochs]
    assert len(told) >= 2 and told == list(range(1, len(told) + 1))

    # A crash: said, and the training is paused again.
    import os
    import signal

    os.kill(logic.background.pid, signal.SIGKILL)
    wait(lambda: ui.segmenterErrorFrame.visible and ui.pausedFrame.visible, "the crash to be told")
    ui.keepButton.click()
    step = shown.ui("ClassifierSection")
    wait(lambda: step.trainClassifierButton.enabled, "the kept network")

    # Cases that trained the network have no extra network here: take the ones it has not seen.
    step.headSelector.setCurrentIndex(step.headSelector.findData("linear"))
    step.seenSelector.setCurrentIndex(step.seenSelector.findData("include"))
    step.trainClassifierButton.click()
    result = shown.ui("TrainingResult")
    wait(lambda: result.resultBody.visible or step.classifierErrorFrame.visible, "the classifier")
    assert step.classifierErrorLabel.text == ""
    assert "%" in result.headlineLabel.text and result.doubtFrame.visible
    wait(lambda: not result.shapeButton.visible, "shape alone")
    assert result.scoreTable.columnCount == 3

    saving = shown.ui("SaveSection")
    saving.saveNameEdit.text = "Lesions"
    saving.saveModelButton.click()
    wait(lambda: shown.host.used, "the saved model")
    assert Path(shown.host.used[0]).is_relative_to(tmp_path / "models")

    following = shown.ui("NextSection")
    following.findNextButton.click()
    wait(lambda: following.nextTable.rowCount or following.nextErrorFrame.visible, "the next cases")
    assert following.nextTable.rowCount == 4 and following.nextErrorLabel.text == ""
    following.nextButton.click()
    assert shown.host.opened == [following.nextTable.item(0, 0).text()]

    shown.change(None)
    assert not result.resultBody.visible
    shown.change(shown.section("SharedState")._state.info or _read(logic, folder))
    wait(lambda: result.resultBody.visible, "the last result")


def _read(logic: Any, folder: Path) -> Any:
    from SegClassifyLib.worker.set_messages import OpenSetParams

    found: list[Any] = []
    logic.worker.wait(logic.worker.call(OpenSetParams(str(folder)), found.append, found.append))
    return found[0]
