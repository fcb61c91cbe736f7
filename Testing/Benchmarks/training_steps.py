"""What an annotator does on the page Train, step by step, for the benchmark of the event loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import standin


def train_everything(path: Path, epochs: int, enter: Callable[[str], None]) -> None:
    """Open a set, train a segmenter and a classifier, and look at the result.

    Args:
        path: of the set.
        epochs: of the segmenter.
        enter: told what begins now.
    """
    import slicer

    panel = slicer.util.getModuleWidget("SegClassify").panel
    panel.ui.tabs.setCurrentWidget(panel.train.widget)
    for name in ("segmenterSection", "classifierSection", "trainingResultSection", "nextSection"):
        getattr(panel.train.ui, name).collapsed = False
    enter("Opening the set")
    panel.train.set.open(str(path))
    wait(lambda: panel.train.info is not None, "the set")
    standin.spin(1.0)
    train_segmenter(panel.train, epochs, enter)
    train_classifier(panel.train, enter)


def train_segmenter(page: Any, epochs: int, enter: Callable[[str], None]) -> None:
    """Some epochs with their curves, then the best so far."""
    from SegClassifyLib.worker.segmenter_messages import TrainSegmenterParams

    section = section_of(page, "SegmenterSection")
    enter("Looking at the images")
    section.ui.newRadio.click()
    wait(lambda: section.ui.kindSelector.count > 1, "the plan")
    section.form.params = lambda where, *_: TrainSegmenterParams(
        where, epochs=500, folds=0, patch=(16, 16), device="cpu"
    )
    enter("Training the segmenter, with curves")
    section.ui.trainSegmenterButton.click()
    training = section._training
    wait(lambda: len(training.segmenter.epochs) >= epochs, "the epochs")
    enter("Pausing")
    section.ui.trainSegmenterButton.click()
    wait(lambda: section.ui.pausedFrame.visible, "the pause")
    enter("Keeping the best so far")
    section.ui.keepButton.click()
    step = section_of(page, "ClassifierSection")
    wait(lambda: step.ui.trainClassifierButton.enabled, "the kept network")


def train_classifier(page: Any, enter: Callable[[str], None]) -> None:
    """A classifier, its result, shape alone beside it, and its learning curve."""
    step, result = section_of(page, "ClassifierSection"), section_of(page, "TrainingResult")
    step.ui.headSelector.setCurrentIndex(step.ui.headSelector.findData("linear"))
    enter("Training the classifier")
    step.ui.trainClassifierButton.click()
    wait(
        lambda: (
            (result.ui.resultBody.visible and not step.row.running) or step.ui.classifierErrorFrame.visible
        ),
        "the classifier",
    )
    if step.ui.classifierErrorFrame.visible:
        raise SystemExit(step.ui.classifierErrorLabel.text)
    enter("Comparing with shape")
    wait(lambda: not result.ui.shapeButton.visible, "shape alone")
    enter("Looking at the result")
    for row in range(2):
        for column in range(2):
            result.ui.confusionTable.cellClicked.emit(row, column)
            standin.spin(0.2)
    if result.ui.curveBox.visible:
        result.ui.curveBox.click()
    standin.spin(1.0)


def section_of(page: Any, kind: str) -> Any:
    """A section by the name of its class."""
    return next(section for section in page.sections if type(section).__name__ == kind)


def wait(condition: Callable[[], Any], what: str) -> None:
    """Let the event loop run until then."""
    standin.wait_until(condition, 1800, what)


def write_set(path: Path, cases: int) -> Path:
    """Slices with a round or a spiculated lesion; 20 of them have a segmentation for the segmenter only."""
    from SegClassifyLib.phantoms.sets import Counts, write_slice_set

    write_slice_set(path, Counts(segmented=10, classified=(cases - 20) // 2), shape=(32, 32))
    return path
