"""Step 1 of the page Train: which network, its training in the background, pause, resume, keep, what a crash left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import standin
from panel_fakes import model_info
from training_fakes import epochs, outlook, segmenter_run, set_info
from training_stage import TrainingStage, training_stage


@pytest.fixture
def shown() -> Iterator[TrainingStage]:
    """The sections, no set open."""
    with training_stage() as shown:
        yield shown


def messages() -> Any:
    from SegClassifyLib.worker import protocol

    return protocol


def start_training(shown: TrainingStage, runs: tuple[Any, ...] = ()) -> Any:
    """Open a set, and begin to train; what was asked for."""
    shown.open(set_info(), runs)
    ui = shown.ui("SegmenterSection")
    ui.newRadio.click()
    shown.background.answer(messages().PlanSegmenterParams, outlook())
    ui.trainSegmenterButton.click()
    return shown.background.waiting(messages().TrainSegmenterParams)[0].params


def tell_runs(shown: TrainingStage, *runs: Any) -> None:
    """The worker says which trainings there are, to whoever asks now."""
    for _one in list(shown.worker.waiting(messages().SegmenterRunsParams)):
        shown.worker.answer(messages().SegmenterRunsParams, runs)
    shown.settle()


def test_without_a_set_nothing_can_be_done(shown: TrainingStage) -> None:
    ui = shown.ui("SegmenterSection")
    assert ui.segmenterNeeds.text == "Open a training set first."
    assert not ui.newRadio.enabled
    assert shown.worker.asked == [] and shown.background.asked == []


def test_networks_of_the_set_come_first_and_models_that_do_not_fit_are_left_out(shown: TrainingStage) -> None:
    channel = model_info().channels[:1]
    fitting = model_info("Brain", channels=channel)
    flat = model_info("Flat", channels=channel, ndim=2)
    broken = model_info("Broken", channels=channel, problem="Damaged.")
    shown.host.known = (fitting, model_info("Two channels"), flat, broken)
    shown.open(set_info(), (segmenter_run(), segmenter_run("paused", name="Other")))
    selector = shown.ui("SegmenterSection").networkSelector
    assert [selector.itemText(i) for i in range(selector.count)] == [
        "Heads segmenter, of this set, 2026-03-01 14:05",
        "Brain",
    ]
    through = shown.ui("ClassifierSection").throughLabel
    assert "Heads segmenter" in through.text
    selector.setCurrentIndex(1)
    selector.activated.emit(1)
    assert through.text == "Looks through: Brain"


def test_what_the_images_suggest_is_asked_once_and_shown(shown: TrainingStage) -> None:
    shown.open(set_info())
    ui = shown.ui("SegmenterSection")
    ui.newRadio.click()
    assert "20 cases" in ui.planLabel.text
    ui.useRadio.click()
    ui.newRadio.click()
    shown.change(set_info(revision="2"))
    assert len(shown.background.waiting(messages().PlanSegmenterParams)) == 1
    shown.background.answer(messages().PlanSegmenterParams, outlook())
    assert ui.planLabel.text == outlook().sentence
    assert ui.kindSelector.itemText(0) == "Chosen from the images (authors)"
    shown.change(set_info(drawn=21))  # another segmentation: asked again
    assert len(shown.background.waiting(messages().PlanSegmenterParams)) == 1


def test_choices_are_what_the_worker_is_asked_for(shown: TrainingStage) -> None:
    shown.open(set_info())
    ui = shown.ui("SegmenterSection")
    ui.newRadio.click()
    shown.background.answer(messages().PlanSegmenterParams, outlook())
    ui.moreChoices.click()
    ui.minutesBox.value = 45
    ui.kindSelector.setCurrentIndex(2)
    ui.patchEdit.text = "64 x 48"
    assert not ui.trainSegmenterButton.enabled and "3 numbers" in ui.segmenterNeeds.text
    ui.patchEdit.text = "64 x 48 x 32"
    ui.foldsSelector.setCurrentIndex(ui.foldsSelector.findData(0))
    ui.trainSegmenterButton.click()
    asked = shown.background.waiting(messages().TrainSegmenterParams)[0].params
    assert (asked.folder, asked.minutes, asked.network) == ("/data/heads", 45.0, "unet")
    assert (asked.patch, asked.folds, asked.start_from, asked.resume) == ((64, 48, 32), 0, "", "")


def test_what_is_not_chosen_is_left_to_the_data(shown: TrainingStage) -> None:
    asked = start_training(shown)
    assert (asked.minutes, asked.network, asked.patch, asked.folds) == (30.0, "", (), None)


def test_one_is_trained_further_from_the_chosen_one(shown: TrainingStage) -> None:
    run = segmenter_run()
    shown.open(set_info(), (run,))
    ui = shown.ui("SegmenterSection")
    ui.continueRadio.click()
    assert ui.networkRow.visible and not ui.kindSelector.enabled
    ui.trainSegmenterButton.click()
    assert shown.background.waiting(messages().TrainSegmenterParams)[0].params.start_from == run.path


def test_without_drawn_segmentations_there_is_nothing_to_train_on(shown: TrainingStage) -> None:
    info = set_info()
    rows = tuple(replace(r, segmentation="predicted") if n < 20 else r for n, r in enumerate(info.cases))
    shown.open(replace(info, cases=rows))
    ui = shown.ui("SegmenterSection")
    ui.newRadio.click()
    assert not ui.trainSegmenterButton.enabled
    assert "correct a predicted one" in ui.segmenterNeeds.text
    assert shown.background.asked == []


def test_while_it_trains_everything_is_told(shown: TrainingStage) -> None:
    start_training(shown)
    ui = shown.ui("SegmenterSection")
    assert ui.trainSegmenterButton.text == "Pause"
    shown.background.tell(messages().TrainSegmenterParams, "Training the segmenter", 0.25, 1, 1350)
    assert ui.segmenterPhase.text == "Training, about 22 min left"
    assert ui.segmenterBar.value == 250
    shown.background.tell_epoch(epochs(3)[2])
    assert ui.epochLabel.text.startswith("Epoch 3: loss 1.") and "tumour 0." in ui.epochLabel.text
    assert shown.ui("TrainingResult").resultBody.visible is False  # everything else stays as it was


def test_a_finished_network_is_chosen_for_step_2(shown: TrainingStage) -> None:
    start_training(shown)
    run = segmenter_run()
    shown.background.answer(messages().TrainSegmenterParams, run)
    tell_runs(shown, run)
    ui = shown.ui("SegmenterSection")
    assert "chosen for step 2" in ui.segmenterMessage.text
    assert ui.useRadio.checked and "Heads segmenter" in shown.ui("ClassifierSection").throughLabel.text
    assert shown.ui("ClassifierSection").trainClassifierButton.enabled


def test_pause_then_resume_goes_on_with_the_curves(shown: TrainingStage) -> None:
    start_training(shown)
    for epoch in epochs(4):
        shown.background.tell_epoch(epoch)
    ui = shown.ui("SegmenterSection")
    ui.trainSegmenterButton.click()
    assert not ui.trainSegmenterButton.enabled and ui.segmenterPhase.text == "Pausing…"
    assert shown.background.waiting(messages().TrainSegmenterParams)[0].cancelled
    shown.background.fail(messages().TrainSegmenterParams, "Cancelled.", cancelled=True)
    paused = segmenter_run("paused", count=4)
    tell_runs(shown, paused)
    assert "Paused after 12 minutes" in ui.pausedLabel.text
    assert not ui.segmenterErrorFrame.visible
    ui.resumeButton.click()
    again = shown.background.waiting(messages().TrainSegmenterParams)[0].params
    assert again.resume == paused.path and not ui.pausedFrame.visible
    shown.background.tell_epoch(epochs(4)[3])  # done again: it was told, and not yet written
    shown.background.tell_epoch(epochs(5)[4])
    assert [e.epoch for e in shown.logic.training.segmenter.epochs] == [1, 2, 3, 4, 5]


def test_the_best_so_far_can_be_kept(shown: TrainingStage) -> None:
    paused = segmenter_run("paused")
    shown.open(set_info(), (paused,))
    ui = shown.ui("SegmenterSection")
    ui.keepButton.click()
    assert shown.worker.waiting(messages().KeepSegmenterParams)[0].params.run == paused.path
    kept = replace(paused, usable=True)
    shown.worker.answer(messages().KeepSegmenterParams, kept)
    tell_runs(shown, kept)
    assert shown.ui("ClassifierSection").trainClassifierButton.enabled
    assert ui.pausedFrame.visible and not ui.keepButton.visible  # it can still go on


def test_a_run_without_an_epoch_cannot_be_kept(shown: TrainingStage) -> None:
    shown.open(set_info(), (segmenter_run("paused", count=0, epochs=()),))
    ui = shown.ui("SegmenterSection")
    assert ui.resumeButton.enabled and not ui.keepButton.visible


def test_a_crash_is_told_and_leaves_a_paused_run(shown: TrainingStage) -> None:
    start_training(shown)
    shown.background.tell_epoch(epochs(1)[0])
    shown.background.fail(messages().TrainSegmenterParams, "The worker crashed.")
    tell_runs(shown, segmenter_run("paused", count=1))
    ui = shown.ui("SegmenterSection")
    assert ui.segmenterErrorFrame.visible and ui.segmenterErrorLabel.text.startswith("The worker crashed.")
    assert ui.pausedFrame.visible and ui.resumeButton.enabled
    ui.resumeButton.click()
    assert not ui.segmenterErrorFrame.visible


def test_several_paused_ones_can_be_chosen_from(shown: TrainingStage) -> None:
    old = segmenter_run("paused", name="Old")
    shown.open(set_info(), (segmenter_run("paused", name="New"), old))
    ui = shown.ui("SegmenterSection")
    assert ui.pausedRow.visible and "“New”" in ui.pausedLabel.text
    ui.pausedSelector.setCurrentIndex(1)
    ui.pausedSelector.activated.emit(1)
    ui.resumeButton.click()
    assert shown.background.waiting(messages().TrainSegmenterParams)[0].params.resume == old.path


def test_one_that_another_program_trains_keeps_ours_from_beginning(shown: TrainingStage) -> None:
    shown.open(set_info(), (segmenter_run("running", name="Theirs"),))
    ui = shown.ui("SegmenterSection")
    ui.newRadio.click()
    assert "another program" in ui.segmenterNeeds.text and not ui.trainSegmenterButton.enabled


def test_a_training_outlives_its_set_being_closed_and_its_page(shown: TrainingStage) -> None:
    start_training(shown)
    shown.change(set_info(folder="/data/other", name="Other"))
    ui = shown.ui("SegmenterSection")
    ui.newRadio.click()
    assert "is being trained now" in ui.segmenterNeeds.text
    assert not shown.background.waiting(messages().TrainSegmenterParams)[0].cancelled
    shown.background.tell_epoch(epochs(1)[0])
    shown.change(set_info())
    assert ui.trainSegmenterButton.text == "Pause" and ui.epochLabel.text.startswith("Epoch 1")


def test_answers_about_another_set_are_for_nobody(shown: TrainingStage) -> None:
    shown.change(set_info())
    shown.change(set_info(folder="/data/other"))
    shown.worker.answer(messages().SegmenterRunsParams, (segmenter_run(),))  # of the first
    assert shown.ui("SegmenterSection").networkSelector.count == 0


def test_extra_networks_say_what_they_are_for(shown: TrainingStage) -> None:
    start_training(shown)
    shown.background.tell_epoch(epochs(1, "fold 2 of 3")[0])
    assert "honest scores (fold 2 of 3)" in shown.ui("SegmenterSection").epochLabel.text


def test_closing_slicer_asks_while_a_network_is_trained(shown: TrainingStage) -> None:
    import slicer

    window = slicer.util.mainWindow()
    start_training(shown)
    standin.answer(False)
    assert window.close() is False
    assert [kind for kind, _text in standin.record.messages] == ["confirmYesNoDisplay"]
    assert "Resume goes on" in standin.record.messages[0][1]
    assert not shown.background.waiting(messages().TrainSegmenterParams)[0].cancelled
    standin.answer(True, False)  # yes to us, and then no to Slicer's own question
    assert window.close() is False
    standin.answer(True)  # not asked again for the same training
    assert window.close() is True
    standin.start().window.show()


def test_closing_slicer_asks_nothing_otherwise(shown: TrainingStage) -> None:
    import slicer

    shown.open(set_info())
    standin.answer(True)
    assert slicer.util.mainWindow().close() is True
    assert [kind for kind, _text in standin.record.messages] == ["close"]
    standin.start().window.show()
