"""The list of models in the panel: what each says, adding, removing, and what is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import standin
from panel_fakes import SUMMARY, FakeLogic, add_volume, model_info
from panel_stage import Stage, stage


def devices() -> tuple[Any, ...]:
    from SegClassifyLib.worker.protocol import Device

    return Device("cuda:0", "NVIDIA H200, 139 GB"), Device("cpu", "Processor, 16 cores")


@pytest.fixture
def shown() -> Iterator[Stage]:
    """The panel with two models."""
    models = (model_info("Lung"), model_info("Brain", shipped=True))
    with stage(FakeLogic(models, devices())) as shown:
        shown.settle()
        yield shown


def names(shown: Stage) -> list[str]:
    """What is listed."""
    selector = shown.ui.modelSelector
    return [selector.itemText(i) for i in range(selector.count)]


def test_models_and_devices_are_listed(shown: Stage) -> None:
    assert names(shown) == ["Lung", "Brain"]
    texts = [shown.ui.deviceSelector.itemText(i) for i in range(shown.ui.deviceSelector.count)]
    assert texts == ["Automatic (NVIDIA H200, 139 GB)", "NVIDIA H200, 139 GB", "Processor, 16 cores"]
    assert shown.tab.models.device == "auto"
    assert shown.ui.modelMessage.visible is False


def test_the_card_begins_short_and_opens(shown: Stage) -> None:
    ui = shown.ui
    assert SUMMARY.startswith(ui.modelSummary.text.removesuffix(" …"))
    assert len(ui.modelSummary.text) < 200 < len(SUMMARY)
    assert ui.modelFacts.visible is False
    ui.moreButton.click()
    assert ui.modelSummary.text == SUMMARY
    assert ui.modelFacts.visible is True
    for fact in ("3D volumes (T1c, FLAIR)", "glioma, meningioma, metastasis", "tumour", "80 %"):
        assert fact in ui.modelFacts.text


def test_what_came_with_the_software_stays(shown: Stage) -> None:
    assert shown.ui.removeButton.enabled is True
    choose(shown, 1)
    assert shown.ui.removeButton.enabled is False
    assert "stays" in shown.ui.removeButton.toolTip


def choose(shown: Stage, index: int) -> None:
    """As a user does."""
    shown.ui.modelSelector.setCurrentIndex(index)
    shown.ui.modelSelector.activated.emit(index)
    shown.settle()


def test_a_model_is_removed_after_a_question(shown: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_text: True)
    shown.ui.removeButton.click()
    shown.settle()
    assert ("remove_model", "/models/Lung") in shown.logic.calls
    assert names(shown) == ["Brain"]
    assert shown.ui.modelMessage.text == "The model is removed."


def test_no_is_no(shown: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer

    asked: list[str] = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, *_more: asked.append(text))
    shown.ui.removeButton.click()
    shown.settle()
    assert "/models/Lung" in asked[0]
    assert names(shown) == ["Lung", "Brain"]


def test_a_model_is_added_and_chosen(shown: Stage) -> None:
    standin.answer("/downloads/Liver.zip")
    shown.tab.models.browse_zip()
    assert shown.ui.addButton.enabled is False
    shown.settle()
    assert names(shown) == ["Lung", "Brain", "Liver"]
    assert shown.ui.modelSelector.currentText == "Liver"
    assert shown.ui.modelMessage.text == "“Liver” is added."
    assert shown.ui.addButton.enabled is True


def test_a_damaged_one_is_refused_in_words(shown: Stage) -> None:
    standin.answer("/downloads/bad.zip")
    shown.tab.models.browse_zip()
    shown.settle()
    assert names(shown) == ["Lung", "Brain"]
    assert shown.ui.modelMessage.text == "bad.zip is damaged: get it again."
    assert shown.ui.addButton.enabled is True


def test_nothing_happens_when_the_dialog_is_closed(shown: Stage) -> None:
    standin.answer("")
    shown.tab.models.browse_folder()
    shown.settle()
    assert [name for name, _what in shown.logic.calls] == ["list_models"]


def test_the_last_choice_comes_back(shown: Stage) -> None:
    from SegClassifyPanel.settings import Settings

    choose(shown, 1)
    shown.ui.deviceSelector.setCurrentIndex(2)
    shown.ui.deviceSelector.activated.emit(2)
    assert (Settings().model, Settings().device) == ("/models/Brain", "cpu")
    shown.tab.models.refresh()
    shown.settle()
    assert shown.ui.modelSelector.currentText == "Brain"
    assert shown.tab.models.device == "cpu"


def test_a_damaged_model_is_listed_and_explained() -> None:
    broken = model_info("Old", problem="A file is missing: copy the package again.")
    with stage(FakeLogic((broken,))) as shown:
        add_volume("alpha_T1c")
        shown.settle()
        assert names(shown) == ["Old (cannot be used)"]
        assert shown.ui.modelSummary.text == "A file is missing: copy the package again."
        assert shown.ui.classifyButton.enabled is False
        assert shown.tab.inputs.selectors == []


def test_a_usable_model_is_chosen_before_a_damaged_one() -> None:
    with stage(FakeLogic((model_info("Old", problem="Damaged."), model_info("New")))) as shown:
        shown.settle()
        assert shown.ui.modelSelector.currentText == "New"


def test_without_models_the_panel_says_what_to_do() -> None:
    with stage(FakeLogic()) as shown:
        shown.settle()
        assert "Add one" in shown.ui.modelSummary.text
        assert shown.ui.needsLabel.text == "Choose a model."
        assert shown.ui.removeButton.enabled is False


def test_why_there_is_no_list_is_said() -> None:
    with stage(FakeLogic(problem="The worker cannot be started: no such file.")) as shown:
        shown.settle()
        assert shown.ui.modelMessage.text == "The worker cannot be started: no such file."


def test_answers_after_the_panel_is_gone_are_for_nobody() -> None:
    logic = FakeLogic((model_info(),))
    with stage(logic) as shown:
        shown.settle()
        shown.tab.models.refresh()
    standin.spin(0.05)
    standin.raise_recorded()
