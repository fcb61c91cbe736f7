"""The training half of the module's own test: from an empty folder to a classifier, and on to a better one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer

if TYPE_CHECKING:
    from SegClassifyPanel.self_test import SelfTest

LABELS = ("organ", "tumour")
CLASSES = ("small", "large")
CASES = 10
SHAPE = (24, 30, 36)


def check_training(test: SelfTest) -> None:
    """Ten cases, a segmenter, a classifier, saved and used; then corrected, added, and trained again."""
    from SegClassifyPanel.self_test import add

    case, logic, folder = test.case, test.logic, test.folder / "training set"
    logic.sets.create(folder, ["CT"], LABELS, CLASSES, "Boxes")
    for number in range(CASES):
        _add_drawn(logic, folder, number)
    info = logic.sets.open(folder)
    case.assertEqual(len(info.cases), CASES)
    case.assertEqual({row.segmentation for row in info.cases}, {"drawn"})
    case.assertEqual(logic.sets.check(folder).classifier_lacks, ())

    epochs: list[Any] = []
    run = logic.training.train_segmenter(
        folder, epochs=1, patch=(16, 16, 16), folds=2, device="cpu", on_epoch=epochs.append
    )
    case.assertTrue(run.usable, run.sentence)
    case.assertEqual([e.part for e in epochs], ["", "fold 1 of 2", "fold 2 of 2"])
    first = logic.training.train_classifier(folder, run.path, head="linear", further=(), device="cpu")
    case.assertEqual((first.cases, first.classes), (CASES, CLASSES))
    case.assertEqual(sum(map(sum, first.confusion)), CASES)
    again = logic.training.train_classifier(folder, run.path, head="linear", further=(), device="cpu")
    case.assertEqual(again.scores, first.scores, "the same seed gives the same numbers")

    logic.models_folder = str(test.folder / "own models")
    try:
        model = logic.training.save_model(first.run, "Boxes", "Tells small boxes from large ones.")
    finally:
        logic.models_folder = ""
    case.assertEqual((model.problem, model.classes), ("", CLASSES))
    case.assertTrue(Path(model.path).resolve().is_relative_to(test.folder.resolve()), model.path)
    volume = add(_image(CASES), "new")
    outcome = logic.classify([volume], model.path, device="cpu")
    case.assertIn(outcome.result.predicted, CLASSES)

    corrected = slicer.mrmlScene.GetNodeByID(outcome.segmentation)
    _draw(corrected, volume, _labels(CASES))
    changed = logic.sets.add(
        folder, "new", [volume], corrected, class_name=_class_of(CASES), group="patient new"
    )
    case.assertEqual(changed.cases, ("new",))
    better = logic.training.train_classifier(folder, run.path, head="linear", further=(), device="cpu")
    case.assertEqual(better.cases, CASES + 1)
    case.assertEqual({a.case for a in better.answers} - {a.case for a in first.answers}, {"new"})
    _check_undo(test, folder)


def _check_undo(test: SelfTest, folder: Path) -> None:
    logic, case = test.logic, test.case
    case.assertEqual(len(logic.sets.remove(folder, ["new"]).set.cases), CASES)
    back = logic.sets.undo(folder).set
    case.assertEqual(len(back.cases), CASES + 1)
    row = next(r for r in back.cases if r.name == "new")
    case.assertEqual(
        (row.class_name, row.group, row.segmentation), (_class_of(CASES), "patient new", "drawn")
    )
    case.assertTrue(all(Path(file).is_file() for file in (*row.images, row.segmentation_file)))
    logic.sets.close_set(folder)


def _add_drawn(logic: Any, folder: Path, number: int) -> None:
    from SegClassifyPanel.self_test import add

    volume = add(_image(number), f"box {number}")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"box {number}")
    segmentation.CreateDefaultDisplayNodes()
    _draw(segmentation, volume, _labels(number))
    logic.sets.add(
        folder,
        f"box {number}",
        [volume],
        segmentation,
        class_name=_class_of(number),
        group=f"patient {number}",
    )


def _draw(node: Any, volume: Any, labels: np.ndarray) -> None:
    """Make ``labels`` ``(K, J, I)`` the segments of a node, as a person with the Segment Editor would."""
    node.GetSegmentation().RemoveAllSegments()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for value, name in enumerate(LABELS, start=1):
        segment = node.GetSegmentation().AddEmptySegment(name, name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            (labels == value).astype(np.uint8), node, segment, volume
        )


def _class_of(number: int) -> str:
    return CLASSES[number % 2]


def _labels(number: int) -> np.ndarray:
    """``(K, J, I)``: an organ with a tumour in it, of one of two sizes, and somewhere else each time."""
    rng = np.random.default_rng(number)
    labels = np.zeros(SHAPE, np.uint8)
    labels[3:21, 4:26, 5:31] = 1
    size = (5, 10)[number % 2]
    start = [int(rng.integers(low, low + 4)) for low in (5, 7, 9)]
    labels[tuple(slice(s, s + size) for s in start)] = 2
    return labels


def _image(number: int) -> np.ndarray:
    """``(K, J, I)`` int16: brightness by label, with noise."""
    noise = np.random.default_rng(100 + number).normal(0, 12, SHAPE)
    return (np.array([0, 200, 350])[_labels(number)] + noise).astype(np.int16)
