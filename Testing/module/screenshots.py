"""Leaves a picture of every page and state of the panel, beside slice views with the overlay, to be looked at.

Example:
    python Testing/module/screenshots.py --output /tmp/pictures
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent), str(REPO), str(REPO / "SegClassify")]

import shots_train_set  # noqa: E402
import shots_training  # noqa: E402
import standin  # noqa: E402
from panel_fakes import FakeLogic, add_head, add_volume, classify_result, model_info  # noqa: E402
from panel_stage import Stage, stage  # noqa: E402

THREE = ("glioblastoma", "metastasis", "meningioma")
WARNINGS = (
    "The voxel spacing along z is 5.0 mm; that of the training images was 0.9 to 1.3 mm.",
    "The grey values of FLAIR run from 0 to 4095, those of the training images from 0 to 900.",
)
UNLIKE = (
    "This image is less like the training cases than all these are among themselves, in its grey values and their "
    "texture: more noise in FLAIR. Do not rely on the probabilities."
)
NOTES = ("The network ran in 8 parts, because the memory of the GPU did not do for all at once.",)


class Photographer:
    """Numbers the pictures.

    Args:
        folder: where they go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def take(self, name: str, shown: Stage, top: Any = None) -> None:
        """One picture; ``top`` is the widget that is scrolled to the top of the panel."""
        shown.settle()
        panel = standin.start().window.panel
        panel.verticalScrollBar().setValue(0)
        if top is not None:
            from standin.binding.convert import to_qt

            place = to_qt(top).mapTo(panel.widget(), to_qt(top).rect().topLeft()).y()
            panel.verticalScrollBar().setValue(place - 8)
        self._number += 1
        print(standin.screenshot(self._folder / f"{self._number:02d}-{name}.png"))


def devices() -> tuple[Any, ...]:
    """A computer with a graphics card."""
    from SegClassifyLib.worker.protocol import Device

    return Device("cuda:0", "NVIDIA RTX A4000, 16 GB"), Device("cpu", "Processor, 16 cores")


@contextmanager
def loaded(head: Any, *models: Any, dependencies: Any = None) -> Iterator[Stage]:
    """The panel with a head in the scene and in the slice views."""
    logic = FakeLogic(models or (model_info(classes=THREE),), devices())
    with stage(logic, dependencies) as shown:
        import slicer

        volume = add_head("alpha_T1c", 0, head)
        add_head("alpha_FLAIR", 1, head)
        slicer.util.setSliceViewerLayers(background=volume, fit=True)
        shown.settle()
        yield shown


def run(shown: Stage, head: Any, result: Any, notes: tuple[str, ...] = ()) -> None:
    """Classify, to the end."""
    shown.ui.classifyButton.click()
    shown.logic.job.done(result, head.labels.array, notes)
    shown.settle()


def empty_states(camera: Photographer, head: Any) -> None:
    """What a new user meets."""
    with stage(FakeLogic(devices=devices())) as shown:
        camera.take("empty-no-models", shown)
    with loaded(head) as shown:
        camera.take("model-chosen", shown)
        shown.ui.moreButton.click()
        camera.take("model-card", shown)
        shown.ui.moreButton.click()
        shown.tab.inputs.selectors[1].setCurrentNode(shown.tab.inputs.nodes()[0])
        camera.take("same-volume-twice", shown)
    broken = model_info(
        "Old model", problem="The file models/model.safetensors is damaged: copy the package again."
    )
    with loaded(head, broken) as shown:
        camera.take("model-damaged", shown)


def running_states(camera: Photographer, head: Any) -> None:
    """While it runs, and when it goes wrong."""
    with loaded(head) as shown:
        shown.ui.classifyButton.click()
        shown.logic.job.on_phase("Segmenting", 0.43)
        shown.logic.worker.say(
            "2026-01-02 12:00:00,000 INFO SegClassifyLib.worker.server: classify 5: opened in 0.8 s"
        )
        shown.ui.logSection.collapsed = False
        camera.take("running-with-log", shown)
        shown.ui.logSection.collapsed = True
        shown.ui.classifyButton.click()
        camera.take("cancelling", shown)
        shown.logic.job.cancelled()
        shown.ui.classifyButton.click()
        shown.logic.job.failed(
            "The worker, which runs the models, was ended by the system or crashed. It starts again with the next "
            "click. Last line of its log: MemoryError"
        )
        camera.take("error", shown)


def results(camera: Photographer, head: Any) -> None:
    """Two, three and thirty classes."""
    with loaded(head, model_info(classes=("benign", "malignant"))) as shown:
        run(shown, head, classify_result(("benign", "malignant"), (0.12, 0.88)))
        camera.take("result-2-classes", shown, shown.ui.resultSection)
    with loaded(head) as shown:
        result = classify_result(THREE, (0.62, 0.3, 0.08), warnings=WARNINGS, notes=NOTES)
        run(shown, head, result)
        camera.take("result-3-classes-warnings", shown, shown.ui.resultSection)
        shown.ui.keepEarlierCheckBox.click()
        two = "at 90 % confidence: glioblastoma or metastasis"
        unsure = replace(result, warnings=(), prediction_set=THREE[:2], set_sentence=two, confidence=0.9)
        run(shown, head, unsure)
        camera.take("two-results", shown, shown.ui.resultSection)
        shown.result_ui.undoButton.click()
        camera.take("undone", shown, shown.ui.resultSection)
        unlike = replace(
            result, prediction_set=THREE[:2], novel=True, novelty=100.0, warnings=(UNLIKE, *WARNINGS[:1])
        )
        run(shown, head, unlike)
        camera.take("unlike-the-training-cases", shown, shown.ui.resultSection)
    thirty = tuple(f"type {n:02d} of a tumour with a rather long name" for n in range(30))
    shares = [0.31, 0.22, 0.1, *(0.37 / 27 for _ in range(27))]
    with loaded(head, model_info(classes=thirty)) as shown:
        run(shown, head, classify_result(thirty, shares))
        camera.take("result-30-classes", shown, shown.ui.resultSection)
        shown.result_ui.allClassesButton.click()
        camera.take("result-30-classes-all", shown, shown.ui.resultSection)
    with loaded(head, model_info(classes=())) as shown:
        run(shown, head, classify_result((), ()))
        camera.take("segmented-only", shown, shown.ui.resultSection)


def batches(camera: Photographer, head: Any) -> None:
    """Many cases: before, while and after."""
    with loaded(head) as shown:
        for name in ("beta", "gamma", "delta"):
            for channel in ("T1c", "FLAIR"):
                add_volume(f"{name}_{channel}")
        shown.ui.batchSection.collapsed = False
        shown.settle()
        camera.take("batch-before", shown, shown.ui.batchSection)
        shown.batch_ui.batchButton.click()
        shown.settle()
        shown.logic.job.done(classify_result(THREE, (0.62, 0.3, 0.08)), head.labels.array)
        shown.settle()
        shown.logic.job.on_phase("Segmenting", 0.5)
        camera.take("batch-running", shown, shown.ui.batchSection)
        shown.logic.job.failed("“beta_FLAIR” has only zeros: look at the image.")
        shown.settle()
        shown.logic.job.done(classify_result(THREE, (0.05, 0.91, 0.04), name="gamma_T1c"))
        shown.settle()
        shown.logic.job.done(classify_result(THREE, (0.001, 0.001, 0.998), name="delta_T1c"))
        camera.take("batch-done", shown, shown.ui.batchSection)
        shown.batch_ui.folderRadio.click()
        camera.take("batch-folder", shown, shown.ui.batchSection)


def setups(camera: Photographer) -> None:
    """Packages are missing: the frame, and the question."""
    import slicer
    from SegClassifyPanel.dependencies import Dependencies
    from SegClassifyPanel.installer import Installer

    class WithExtension(Installer):
        def has_torch_extension(self) -> bool:
            return True

    missing = {"torch", "monai", "einops", "sklearn", "pydantic", "safetensors"}
    file = REPO / "SegClassify" / "Resources" / "requirements.txt"
    wanted = Dependencies(file, WithExtension(), lambda name: name not in missing)
    with stage(FakeLogic(), wanted) as shown:
        camera.take("packages-missing", shown)
        box = question_box(wanted.question(wanted.missing()))
        picture = camera._folder / f"{camera._number + 1:02d}-packages-question.png"
        camera._number += 1
        box.show()
        standin.spin(0.1)
        box.grab().save(str(picture))
        box.close()
        print(picture, slicer.app.applicationName)


def question_box(text: str) -> Any:
    """The box that ``confirmOkCancelDisplay`` would show."""
    import ctk
    import qt

    box = ctk.ctkMessageBox()
    box.text = text
    box.icon = qt.QMessageBox.Question
    box.standardButtons = qt.QMessageBox.Ok | qt.QMessageBox.Cancel
    return box


def narrow(camera: Photographer, head: Any) -> None:
    """A panel of 320 pixels."""
    panel = standin.start().window.panel
    width = panel.width()
    panel.setFixedWidth(320)
    try:
        with loaded(head) as shown:
            camera.take("narrow", shown)
            shown.ui.moreButton.click()
            run(shown, head, classify_result(THREE, (0.62, 0.3, 0.08), warnings=WARNINGS, notes=NOTES))
            camera.take("narrow-result", shown, shown.ui.resultSection)
            shown.ui.batchSection.collapsed = False
            shown.batch_ui.batchButton.click()
            shown.settle()
            shown.logic.job.done(classify_result(THREE, (0.62, 0.3, 0.08)), head.labels.array)
            camera.take("narrow-batch", shown, shown.ui.batchSection)
    finally:
        panel.setFixedWidth(width)


def dark(camera: Photographer, head: Any) -> None:
    """Slicer's dark style, near enough."""
    before = standin.start().app.palette()
    standin.start().app.setPalette(dark_palette())
    try:
        with loaded(head) as shown:
            camera.take("dark", shown)
            run(shown, head, classify_result(THREE, (0.62, 0.3, 0.08), warnings=WARNINGS, notes=NOTES))
            camera.take("dark-result", shown, shown.ui.resultSection)
            shown.ui.classifyButton.click()
            shown.logic.job.failed("“alpha_T1c” has no voxels: load its image first.")
            camera.take("dark-error", shown)
    finally:
        standin.start().app.setPalette(before)


def dark_palette() -> Any:
    """Light on dark."""
    from PySide6.QtGui import QColor, QPalette

    palette = QPalette(QColor(60, 60, 60), QColor(50, 50, 50))
    palette.setColor(QPalette.ColorRole.Base, QColor(35, 35, 35))
    palette.setColor(QPalette.ColorRole.AlternateBase, QColor(45, 45, 45))
    palette.setColor(QPalette.ColorRole.Highlight, QColor(42, 130, 218))
    for role in ("WindowText", "Text", "ButtonText", "BrightText", "HighlightedText", "ToolTipText"):
        palette.setColor(getattr(QPalette.ColorRole, role), QColor(240, 240, 240))
        palette.setColor(
            QPalette.ColorGroup.Disabled, getattr(QPalette.ColorRole, role), QColor(130, 130, 130)
        )
    return palette


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--only", default="", help="one part: empty, running, results …")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    standin.start()
    from SegClassifyLib.phantoms.head import make_head
    from SegClassifyLib.phantoms.tumours import TUMOURS

    head = make_head(3, TUMOURS[0], (72, 84, 72), channels=("T1c", "FLAIR"))
    camera = Photographer(arguments.output)
    parts: tuple[Callable[[], None], ...] = (
        lambda: empty_states(camera, head),
        lambda: running_states(camera, head),
        lambda: results(camera, head),
        lambda: batches(camera, head),
        lambda: setups(camera),
        lambda: narrow(camera, head),
        lambda: dark(camera, head),
        lambda: shots_train_set.take_all(arguments.output, head, dark_palette()),
        lambda: shots_training.take_all(arguments.output),
    )
    for name, part in zip(
        ("empty", "running", "results", "batches", "setups", "narrow", "dark", "cases", "training"),
        parts,
        strict=True,
    ):
        if arguments.only in name:
            part()


if __name__ == "__main__":
    main()
