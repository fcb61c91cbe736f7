"""Pictures of the page Train, as far as it is about the training set and its cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import standin
from panel_fakes import add_head
from panel_stage import Stage
from set_fakes import case_row, finding, many_cases, set_info
from train_stage import settle, small_set, train_page


def findings() -> tuple[Any, ...]:
    """Of every kind."""
    return (
        finding(
            "duplicate",
            "Cases 'alpha' and 'gamma' hold the same image, one for training and one for the final test; remove one.",
            ("alpha", "gamma"),
            "error",
        ),
        finding(
            "classifier cannot be trained",
            "The class 'metastasis' has no training case; add two or more.",
        ),
        finding("no class", "Case 'case 10' has no class; say which it is.", ("case 10",), "info"),
        finding(
            "predicted segmentation",
            "The segmentation of case 'beta' is a prediction that nobody has corrected; correct it.",
            ("beta",),
            "info",
        ),
        finding(
            "odd spacing",
            "Case 'beta' has a voxel spacing of 5.0 mm along z and the others 0.9 to 1.3 mm; look whether it is the "
            "right series.",
            ("beta",),
        ),
        *(
            finding("orphan file", f"The file images/old_{n}.nrrd belongs to no case.", (), "info")
            for n in range(3)
        ),
    )


class SetPictures:
    """Takes them.

    Args:
        folder: where they go.
        prefix: begins their names.
    """

    def __init__(self, folder: Path, prefix: str = "train") -> None:
        self._folder, self._prefix, self._number = folder, prefix, 0

    def take(self, name: str, shown: Stage, top: Any = None) -> None:
        """One picture; ``top`` is the widget that is scrolled to the top of the panel."""
        from standin.binding.convert import to_qt

        settle(shown)
        panel = standin.start().window.panel
        panel.verticalScrollBar().setValue(0)
        if top is not None:
            place = to_qt(top).mapTo(panel.widget(), to_qt(top).rect().topLeft()).y()
            panel.verticalScrollBar().setValue(place - 8)
        self._number += 1
        print(standin.screenshot(self._folder / f"{self._prefix}-{self._number:02d}-{name}.png"))


def images(head: Any) -> Any:
    """A head with a drawing, in the scene and the slice views."""
    import slicer

    volume = add_head("delta_T1c", 0, head)
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "delta drawing")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = node.GetSegmentation().AddEmptySegment("", "tumour", (0.9, 0.25, 0.2))
    array = (head.labels.array == int(head.labels.array.max())).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, segment, volume)
    node.CreateDefaultDisplayNodes()
    return volume


def sets(camera: SetPictures) -> None:
    """No set, a new one, one that others have open, one that cannot be opened."""
    with train_page() as shown:
        camera.take("empty", shown)
        shown.train.set.ui.newSetButton.click()
        camera.take("new-set", shown)
        shown.train.set.ui.setFolderEdit.setCurrentPath("/data/studies/brain tumours of 2026")
        camera.take("new-set-filled", shown)
    others = (
        "It is also open in Slicer of j.doe on NEBULA, for 12 minutes. Both may work; changes are seen here."
    )
    with train_page(small_set(others=others), findings=findings()[2:4]) as shown:
        camera.take("small-set", shown)
    with train_page(set_info(())) as shown:
        camera.take("empty-set", shown)


def cases(camera: SetPictures) -> None:
    """Many cases, filtered and selected; a new class; an import."""
    from SegClassifyLib.worker.protocol import JobProgress

    with train_page(set_info(many_cases(300))) as shown:
        ui = shown.train.cases.ui
        ui.filterSelector.setCurrentIndex(4)
        camera.take("300-cases-filtered", shown)
        shown.train.cases.table.select(["case 8", "case 15", "case 22"])
        ui.caseClassSelector.setEditText("meningeoma")
        ui.caseClassSelector.lineEdit().editingFinished.emit()
        camera.take("three-selected-new-class", shown, shown.train.ui.casesSection)
        shown.logic.set_worker.held = ("import_cases",)
        shown.train.cases.imports.start("/data/tumours.csv", "csv")
        shown.settle()
        shown.logic.set_worker.waiting[0][3](JobProgress(1, "Importing", 117, 300, "", 80.0))
        camera.take("importing", shown, shown.train.ui.casesSection)


def adding(camera: SetPictures, head: Any) -> None:
    """The form: filled in, asking for a class, saving, saved, not saved."""
    with train_page(small_set()) as shown:
        shown.train.ui.addSection.collapsed = False
        camera.take("add-form-empty", shown, shown.train.ui.addSection)
        images(head)
        settle(shown)
        ui = shown.train.add.ui
        camera.take("add-form-filled", shown, shown.train.ui.addSection)
        ui.addClassSelector.setEditText("gliomma")
        ui.addButton.click()
        camera.take("add-new-class", shown, shown.train.ui.addSection)
        shown.logic.set_worker.held = ("add_case",)
        ui.addQuestionInstead.click()
        camera.take("add-saving", shown, shown.train.ui.addSection)
        shown.logic.set_worker.held = ()
        ui.addCancelButton.click()
        settle(shown)
        worker = shown.logic.set_worker
        worker.broken, worker.breaks = (
            "The worker, which runs the models, was ended by the system or crashed. It starts again with the next "
            "click. Last line of its log: MemoryError",
            ("add_case",),
        )
        ui.addClassSelector.setEditText("glioma")
        ui.addButton.click()
        settle(shown)
        camera.take("add-not-saved", shown, shown.train.ui.addSection)
        worker.broken = ""
        ui.addButton.click()
        settle(shown)
        camera.take("add-saved", shown, shown.train.ui.addSection)


def editing(camera: SetPictures, head: Any) -> None:
    """The frame that waits for the user to come back."""
    import slicer

    with train_page(small_set()) as shown:
        volume = images(head)
        from SegClassifyPanel.case_nodes import mark_nodes

        mark_nodes("/sets/heads", "alpha", [volume.GetID()])
        shown.train.edit.begin(shown.train.info, shown.train.info.cases[0])
        slicer.util.selectModule("SegClassify")
        shown.train.say("The disk is full: free space on it.", True)
        camera.take("editing", shown)


def guide(camera: SetPictures) -> None:
    """Counts and sentences with their buttons."""
    with train_page(small_set(), findings=findings()) as shown:
        camera.take("guide", shown, shown.train.ui.guideSection)
        shown.train.guide.ui.moreFindingsButton.click()
        camera.take("guide-all", shown, shown.train.ui.guideSection)


def narrow(camera: SetPictures, head: Any) -> None:
    """A panel of 320 pixels, with long names."""
    panel = standin.start().window.panel
    width = panel.width()
    panel.setFixedWidth(320)
    try:
        long = case_row(
            "a case whose name nobody shortened, of 2026-01-02",
            "a class with a very long name",
            group="a patient with a long number 0123456789",
        )
        info = small_set(classes=("glioma", "meningioma", "a class with a very long name"))
        with train_page(replace(info, cases=(*info.cases, long)), findings=findings()) as shown:
            camera.take("narrow", shown)
            shown.train.cases.select([long.name])
            camera.take("narrow-selected", shown, shown.train.ui.casesSection)
            camera.take("narrow-guide", shown, shown.train.ui.guideSection)
            shown.train.ui.addSection.collapsed = False
            images(head)
            settle(shown)
            shown.train.add.ui.addClassSelector.setEditText("gliomma")
            shown.train.add.ui.addButton.click()
            camera.take("narrow-add", shown, shown.train.ui.addSection)
        with train_page() as shown:
            shown.train.set.ui.newSetButton.click()
            camera.take("narrow-new-set", shown)
    finally:
        panel.setFixedWidth(width)


def dark(camera: SetPictures, head: Any, palette: Any) -> None:
    """Slicer's dark style, near enough."""
    before = standin.start().app.palette()
    standin.start().app.setPalette(palette)
    try:
        with train_page(set_info(many_cases(40)), findings=findings()) as shown:
            shown.train.cases.table.select(["case 8", "case 15"])
            camera.take("dark", shown)
            camera.take("dark-guide", shown, shown.train.ui.guideSection)
            images(head)
            shown.train.ui.addSection.collapsed = False
            camera.take("dark-add", shown, shown.train.ui.addSection)
    finally:
        standin.start().app.setPalette(before)


def take_all(folder: Path, head: Any, palette: Any, only: str = "") -> None:
    """All pictures, or one part of them.

    Args:
        folder: where they go.
        head: a phantom of a head with the channel T1c.
        palette: of a dark style.
        only: part of a part's name.
    """
    camera = SetPictures(folder)
    parts: dict[str, Callable[[], None]] = {
        "sets": lambda: sets(camera),
        "cases": lambda: cases(camera),
        "adding": lambda: adding(camera, head),
        "editing": lambda: editing(camera, head),
        "guide": lambda: guide(camera),
        "narrow": lambda: narrow(camera, head),
        "dark": lambda: dark(camera, head, palette),
    }
    for name, part in parts.items():
        if only in name:
            part()
