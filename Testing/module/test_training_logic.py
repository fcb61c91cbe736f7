"""The logic of trainings: which worker does what, epochs on the wire, and its end."""

from __future__ import annotations

from typing import Any

import pytest
import standin
from panel_fakes import FakeLogic, model_info
from panel_stage import stage
from training_fakes import epochs, segmenter_run, set_info, trained, training_logic


def messages() -> Any:
    from SegClassifyLib.worker import protocol

    return protocol


class Answering:
    """A worker that answers while a script waits."""

    def __init__(self, answer: Any, sentence: str = "") -> None:
        self.asked: list[Any] = []
        self._answer, self._sentence = answer, sentence
        self._ends: list[Any] = []

    def call(self, params: Any, done: Any, failed: Any, progress: Any, epoch: Any) -> int:
        from SegClassifyPanel.worker_call import WorkerFailure

        from SegClassifyLib.worker.protocol import Code, JobProgress

        self.asked.append(params)

        def end() -> None:
            progress(JobProgress(1, "Training the segmenter", 1, 4, "", 30.0))
            epoch(epochs(1)[0])
            if self._sentence:
                failed(WorkerFailure(Code.INTERNAL_ERROR, self._sentence))
            else:
                done(self._answer)

        self._ends.append(end)
        return 0

    def wait(self, _identity: int) -> None:
        self._ends.pop()()


def logic_over(worker: Any, background: Any) -> Any:
    from SegClassifyPanel.training_logic import TrainingLogic

    return TrainingLogic(worker, background, lambda: "/models")


def test_what_takes_hours_leaves_the_other_worker_free() -> None:
    m = messages()
    logic = training_logic()
    from SegClassifyPanel.training_job import TrainingListener

    for params in (
        m.TrainSegmenterParams("/set"),
        m.PlanSegmenterParams("/set"),
        m.BaselineParams("/set", "/run", "scratch"),
        m.BaselineParams("/set", "/run", "shape"),
        m.TrainClassifierParams("/set", "/run"),
        m.SegmenterRunsParams("/set"),
        m.NextCasesParams("/set", "/run"),
    ):
        logic.training.start(params, TrainingListener())
    assert [type(a.params).__name__ for a in logic.background.asked] == [
        "TrainSegmenterParams",
        "PlanSegmenterParams",
        "BaselineParams",
    ]
    assert len(logic.worker.asked) == 4


def test_a_script_gets_the_run_and_is_told_meanwhile() -> None:
    told: list[Any] = []
    run = segmenter_run()
    background = Answering(run)
    logic = logic_over(Answering(None), background)
    found = logic.train_segmenter(
        "/set", minutes=5.0, seed=3, on_phase=lambda *words: told.append(words), on_epoch=told.append
    )
    assert found is run
    assert (background.asked[0].folder, background.asked[0].minutes, background.asked[0].seed) == (
        "/set",
        5.0,
        3,
    )
    assert told == [("Training, 1 of 4, about 30 s left", 0.25), epochs(1)[0]]


def test_a_script_gets_a_sentence_when_it_goes_wrong() -> None:
    from SegClassifyPanel.training_logic import TrainingError

    logic = logic_over(Answering(None, "case 3: its image is gone."), Answering(None))
    with pytest.raises(TrainingError, match="its image is gone"):
        logic.train_classifier("/set", "/run")


def test_a_misspelled_choice_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="minuts"):
        logic_over(Answering(None), Answering(None)).train_segmenter("/set", minuts=3)


def test_models_are_saved_where_the_module_keeps_them() -> None:
    worker = Answering("model")
    assert logic_over(worker, None).save_model("/run", "Name", "Words.") == "model"
    assert worker.asked == [messages().SaveModelParams("/run", "Name", "Words.", "/models")]


def test_the_last_classifier_of_a_set_without_any_is_none() -> None:
    assert logic_over(Answering(()), None).last_classifier("/set") is None
    result = trained()
    assert logic_over(Answering((result,)), None).last_classifier("/set") is result


def test_a_second_training_of_a_segmenter_is_refused() -> None:
    from SegClassifyPanel.training_logic import TrainingError

    training = training_logic().training
    training.start_segmenter(messages().TrainSegmenterParams("/set"))
    with pytest.raises(TrainingError, match="pause it first"):
        training.start_segmenter(messages().TrainSegmenterParams("/set"))


def test_epochs_reach_the_call_that_they_are_about() -> None:
    from SegClassifyPanel.worker_call import Call, read_note

    from SegClassifyLib.worker.protocol import JobProgress, Notification

    told: list[Any] = []
    call = Call(messages().TrainSegmenterParams("/set"), told.append, told.append, told.append, told.append)
    epoch = messages().EpochDone(7, epochs(1)[0])
    note = read_note(Notification("epoch", epoch.to_json()))
    assert note == epoch
    call.tell(note)
    call.deadline = 1.0  # asked to stop: an epoch that was finished is told still, progress is not
    call.tell(note)
    call.tell(JobProgress(7, "Training the segmenter", 1, 2, "", None))
    assert told == [epochs(1)[0]] * 2
    assert read_note(Notification("something new", {})) is None


def test_the_log_shows_both_workers() -> None:
    with stage(FakeLogic()) as shown:
        shown.settle()
        shown.ui.logSection.collapsed = False
        shown.logic.worker.say("classified")
        standin.wait_until(lambda: shown.ui.logText.plainText == "classified", 5)
        shown.logic.background.say("epoch 3")
        standin.wait_until(lambda: "epoch 3" in shown.ui.logText.plainText, 5)
        assert "Training in the background:" in shown.ui.logText.plainText


def test_cleanup_stops_both_workers(logic: Any) -> None:
    from SegClassifyPanel.logic import ModuleLogic

    from SegClassifyLib.worker.protocol import HelloParams

    module = ModuleLogic(lambda: None)
    for worker in (module.worker, module.background):
        worker.wait(worker.call(HelloParams(), lambda _hello: None, lambda _failure: None))
        assert worker.running
    module.cleanup()
    assert not module.worker.running and not module.background.running


def test_networks_follow_the_models_of_the_page_classify() -> None:
    with stage(FakeLogic((model_info("Brain", channels=model_info().channels[:1]),))) as shown:
        shown.train.take(set_info())
        shown.settle()
        section = next(s for s in shown.train.sections if type(s).__name__ == "SegmenterSection")
        selector = section.ui.networkSelector

        def names() -> list[str]:
            return [selector.itemText(i) for i in range(selector.count)]

        assert names() == ["Brain"]
        shown.tab.models.add("/somewhere/Heart.zip")
        shown.settle()
        assert names() == ["Brain"]  # of two channels, and the set has one
        shown.logic.models = ()
        shown.tab.models.refresh()
        shown.settle()
        assert names() == []
