"""Pictures of the training half of the page Train, in every state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import standin
from panel_fakes import model_info
from training_fakes import (
    NINE,
    THREE,
    baseline,
    comparison,
    epochs,
    evaluation,
    outlook,
    segmenter_run,
    set_info,
    suggestions,
    trained,
)
from training_stage import TrainingStage, training_stage

WARNINGS = (
    "Class meningioma has 3 patients: with fewer than 5 the estimate may be far off. Add patients of this class.",
    "Cases that trained the segmentation network are among those tested: the scores look better than they are.",
)


class TrainingPictures:
    """Takes them.

    Args:
        folder: where they go.
        prefix: begins their names.
    """

    def __init__(self, folder: Path, prefix: str = "training") -> None:
        self._folder = folder
        self._prefix = prefix
        self._number = 0

    def take(self, name: str, shown: TrainingStage, section: str = "", widget: str = "") -> None:
        """One picture; the named section, or widget of it, is scrolled to the top."""
        from standin.binding.convert import to_qt

        shown.settle()
        panel = standin.start().window.panel
        panel.verticalScrollBar().setValue(0)
        if section:
            target = to_qt(getattr(shown.ui(section), widget) if widget else shown.section(section).widget)
            place = target.mapTo(panel.widget(), target.rect().topLeft()).y()
            panel.verticalScrollBar().setValue(place - 40)
        self._number += 1
        print(standin.screenshot(self._folder / f"{self._prefix}-{self._number:02d}-{name}.png"))


def segmenter_states(camera: TrainingPictures) -> None:
    """Step 1: before, while and after."""
    from SegClassifyLib.worker.segmenter_messages import PlanSegmenterParams, TrainSegmenterParams

    with training_stage() as shown:
        camera.take("no-set", shown)
        shown.open(set_info())
        camera.take("nothing-chosen", shown)
        ui = shown.ui("SegmenterSection")
        ui.newRadio.click()
        camera.take("looking-at-images", shown)
        shown.background.answer(PlanSegmenterParams, outlook())
        ui.moreChoices.click()
        camera.take("plan", shown)
        ui.moreChoices.click()
        ui.trainSegmenterButton.click()
        camera.take("training-begins", shown)
        for epoch in epochs(18):
            shown.background.tell_epoch(epoch)
        shown.background.tell(TrainSegmenterParams, "Training the segmenter", 0.4, 1, 1080)
        camera.take("training-with-curves", shown)
        ui.trainSegmenterButton.click()
        camera.take("pausing", shown)
        shown.background.fail(TrainSegmenterParams, "Cancelled.", cancelled=True)
        _tell_runs(shown, segmenter_run("paused", count=18), segmenter_run(name="Heads, first try"))
        camera.take("paused", shown)
        ui.resumeButton.click()
        sentence = (
            "The worker, which runs the models, was ended by the system or crashed. It starts again with the next "
            "click. Last line of its log: MemoryError"
        )
        shown.background.fail(TrainSegmenterParams, sentence)
        _tell_runs(shown, segmenter_run("paused", count=18), segmenter_run(name="Heads, first try"))
        camera.take("training-failed", shown)
        ui.resumeButton.click()
        shown.background.answer(TrainSegmenterParams, segmenter_run(count=30))
        _tell_runs(shown, segmenter_run(count=30), segmenter_run(name="Heads, first try"))
        camera.take("training-finished", shown)


def _tell_runs(shown: TrainingStage, *runs: Any) -> None:
    from SegClassifyLib.worker.segmenter_messages import SegmenterRunsParams

    shown.worker.answer(SegmenterRunsParams, runs)
    shown.settle()


def classifier_states(camera: TrainingPictures) -> None:
    """Step 2 and its result."""
    from SegClassifyLib.worker.classifier_messages import TrainClassifierParams
    from SegClassifyLib.worker.comparison_messages import BaselineParams

    with training_stage() as shown:
        shown.open(set_info(cases=90), (segmenter_run(),))
        camera.take("ready-for-step-2", shown, "ClassifierSection")
        shown.ui("ClassifierSection").trainClassifierButton.click()
        shown.worker.tell(TrainClassifierParams, "Reading features", 37, 90, 42)
        camera.take("classifier-training", shown, "ClassifierSection")
        shown.worker.fail(
            TrainClassifierParams, "case 012: its image is gone; put the file back, or remove the case."
        )
        camera.take("classifier-failed", shown, "ClassifierSection")
        shown.ui("ClassifierSection").trainClassifierButton.click()
        shown.worker.answer(TrainClassifierParams, trained())
        shown.worker.answer(BaselineParams, baseline())
        camera.take("result-3-classes", shown, "TrainingResult")
        result = shown.section("TrainingResult")
        camera.take("doubts", shown, "TrainingResult", "confusionTitle")
        result.ui.confusionTable.cellClicked.emit(0, 1)
        camera.take("cell-chosen", shown, "TrainingResult", "confusionTitle")
        result.ui.scratchButton.click()
        shown.background.tell(BaselineParams, "Training from scratch", 800, 2000, 260)
        camera.take("scratch-running", shown, "TrainingResult")
        shown.background.answer(BaselineParams, baseline("scratch"))
        camera.take("baselines", shown, "TrainingResult")
        result.ui.curveBox.click()
        camera.take("learning-curve", shown, "TrainingResult", "caseTable")
    with training_stage() as shown:
        shown.open(set_info(NINE, 108), (segmenter_run(),), (trained(NINE, 108),))
        camera.take("result-9-classes", shown, "TrainingResult")
        camera.take("confusion-9-classes", shown, "TrainingResult", "confusionTitle")
    with training_stage() as shown:
        few = trained(
            cases=12, warnings=WARNINGS, curve=(), outlook=("Too few cases to say what more would bring.",)
        )
        shown.open(set_info(cases=14), (segmenter_run(),), (few,))
        camera.take("warnings", shown, "TrainingResult")


def after_states(camera: TrainingPictures) -> None:
    """Saving, comparing, next cases."""
    from SegClassifyLib.worker.protocol import (
        CompareModelsParams,
        EvaluateModelParams,
        NextCasesParams,
        SaveModelParams,
    )

    with training_stage() as shown:
        shown.host.known = (model_info("Heads, last week", classes=THREE, version="2026-02-22 0123abcd"),)
        info = set_info(cases=90)
        rows = tuple(replace(r, split="test") if n % 6 == 5 else r for n, r in enumerate(info.cases))
        shown.open(replace(info, cases=rows), (segmenter_run(),), (trained(),))
        ui = shown.ui("SaveSection")
        ui.saveWordsEdit.setPlainText("Three types of tumour from contrast-enhanced T1, 90 cases.")
        camera.take("save", shown, "SaveSection")
        ui.saveModelButton.click()
        shown.worker.answer(SaveModelParams, model_info("Heads"))
        ui.compareMore.click()
        ui.compareButton.click()
        shown.worker.answer(CompareModelsParams, comparison())
        camera.take("comparison", shown, "SaveSection")
        ui.evaluateButton.click()
        shown.worker.answer(EvaluateModelParams, evaluation())
        camera.take("test-cases", shown, "SaveSection", "compareButton")
        following = shown.ui("NextSection")
        following.findNextButton.click()
        shown.worker.tell(NextCasesParams, "Looking at cases without a class", 3, 9, 12)
        camera.take("next-looking", shown, "NextSection")
        shown.worker.answer(NextCasesParams, suggestions())
        following.nextButton.click()
        camera.take("next-list", shown, "NextSection")


def narrow_states(camera: TrainingPictures) -> None:
    """A panel of 320 pixels."""
    panel = standin.start().window.panel
    width = panel.width()
    panel.setFixedWidth(320)
    try:
        both_states(camera, "narrow")
    finally:
        panel.setFixedWidth(width)


def dark_states(camera: TrainingPictures) -> None:
    """Slicer's dark style, near enough."""
    from screenshots import dark_palette

    before = standin.start().app.palette()
    standin.start().app.setPalette(dark_palette())
    try:
        both_states(camera, "dark")
    finally:
        standin.start().app.setPalette(before)


def both_states(camera: TrainingPictures, name: str) -> None:
    """Everything that is wide, once."""
    from SegClassifyLib.worker.protocol import (
        BaselineParams,
        CompareModelsParams,
        NextCasesParams,
        PlanSegmenterParams,
        TrainSegmenterParams,
    )

    with training_stage() as shown:
        shown.host.known = (model_info("Heads, last week", classes=THREE, version="2026-02-22 0123abcd"),)
        shown.open(set_info(cases=90), (segmenter_run("paused"),), (trained(warnings=WARNINGS),))
        ui = shown.ui("SegmenterSection")
        ui.newRadio.click()
        shown.background.answer(PlanSegmenterParams, outlook())
        ui.moreChoices.click()
        camera.take(f"{name}-plan", shown)
        ui.trainSegmenterButton.click()
        for epoch in epochs(18):
            shown.background.tell_epoch(epoch)
        shown.background.tell(TrainSegmenterParams, "Training the segmenter", 0.4, 1, 1080)
        camera.take(f"{name}-training", shown)
        result = shown.ui("TrainingResult")
        result.shapeButton.click()
        shown.worker.answer(BaselineParams, baseline())
        camera.take(f"{name}-result", shown, "TrainingResult")
        camera.take(f"{name}-confusion", shown, "TrainingResult", "confusionTitle")
        save = shown.ui("SaveSection")
        save.compareMore.click()
        save.compareButton.click()
        shown.worker.answer(CompareModelsParams, comparison())
        camera.take(f"{name}-comparison", shown, "SaveSection")
        following = shown.ui("NextSection")
        following.findNextButton.click()
        shown.worker.answer(NextCasesParams, suggestions())
        camera.take(f"{name}-next", shown, "NextSection")
    with training_stage() as shown:
        shown.open(set_info(NINE, 108), (segmenter_run(),), (trained(NINE, 108),))
        camera.take(f"{name}-9-classes", shown, "TrainingResult", "confusionTitle")


def take_all(folder: Path, only: str = "") -> None:
    """All pictures, or one part of them."""
    camera = TrainingPictures(folder)
    parts: dict[str, Callable[[TrainingPictures], None]] = {
        "segmenter": segmenter_states,
        "classifier": classifier_states,
        "after": after_states,
        "narrow": narrow_states,
        "dark": dark_states,
    }
    for name, part in parts.items():
        if only in name:
            part(camera)
