"""How good a finished model is on labelled cases that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.classify.promises import Promises, check_promises
from SegClassifyLib.classify.result import Classification
from SegClassifyLib.errors import Cancelled, SegClassifyError, TrainingSetError
from SegClassifyLib.evaluation.crossvalidate import ScoreIntervals, score_intervals
from SegClassifyLib.evaluation.metrics import Scores, score
from SegClassifyLib.evaluation.reliability import reliability
from SegClassifyLib.evaluation.summary import confusion_table, table
from SegClassifyLib.progress import Progress
from SegClassifyLib.volumes.image import LabelMap


@dataclass(frozen=True)
class HeldOut:
    """What a model said of N labelled cases.

    Args:
        classes: of the model.
        names: of the cases.
        y: true classes ``(N,)``, indices into ``classes``.
        proba: ``(N, K)``.
        groups: patients ``(N,)``.
        scores: of ``proba``; holds the confusion matrix.
        intervals: 95 %, bootstrap over patients.
        left_out: names of cases that trained the model.
        failures: names and errors of cases that could not be classified; they count in no score.
        promises: whether probabilities, prediction sets and novelty are what they are said to be.
    """

    classes: tuple[str, ...]
    names: tuple[str, ...]
    y: np.ndarray
    proba: np.ndarray
    groups: np.ndarray
    scores: Scores
    intervals: ScoreIntervals
    left_out: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    promises: Promises


def evaluate_held_out(
    classifier: Classifier,
    training_set: TrainingSet,
    part: Literal["test", "all"] = "test",
    seed: int = 0,
    progress: Progress | None = None,
) -> HeldOut:
    """Classify the labelled cases of a set and score the answers.

    Args:
        classifier: the model, loaded.
        training_set: has the classes; cases known to the model by content are left out.
        part: the cases whose split is "test", or all.
        seed: of the bootstrap.

    Raises:
        TrainingSetError: no case is left, or a class is unknown to the model.
    """
    progress = progress or Progress()
    model = classifier.model
    known = {*model.provenance.segmenter_images, *model.provenance.classifier_images}
    wanted = [c for c in training_set.cases if c.label_class and (part == "all" or c.split == "test")]
    strange = sorted({str(c.label_class) for c in wanted} - set(model.classes))
    if strange:
        raise TrainingSetError(
            f"The model {model.name} knows the classes {', '.join(model.classes)} and not {', '.join(strange)}: "
            "give it cases of its own classes."
        )
    cases = [c for c in wanted if c.image_hash not in known]
    if not cases:
        raise TrainingSetError(
            f"{training_set.name} has no {'test ' if part == 'test' else ''}case with a class that the model was not "
            "trained on: add some, or look at the cross-validated scores in the model's card."
        )
    answers, failures = [], []
    done = []
    for number, case in enumerate(cases):
        progress.report("Classifying", number, len(cases), case.name)
        try:
            image = training_set.load_image(case)
            answers.append(
                _without_voxels(classifier.classify(image, Progress(is_cancelled=progress.is_cancelled)))
            )
            done.append(case)
        except Cancelled:
            raise
        except SegClassifyError as error:
            failures.append((case.name, str(error)))
    if not done:
        raise TrainingSetError(f"No case could be classified; the first said: {failures[0][1]}")
    y = np.asarray([model.classes.index(str(c.label_class)) for c in done])
    proba = np.stack([a.probabilities for a in answers])
    groups = np.asarray([c.group_name for c in done])
    promises = check_promises(y, answers, reliability(y, proba, groups, seed=seed), model.classes)
    return HeldOut(
        model.classes,
        tuple(c.name for c in done),
        y,
        proba,
        groups,
        score(y, proba),
        score_intervals(y, proba, groups, seed),
        tuple(c.name for c in wanted if c.image_hash in known),
        tuple(failures),
        promises,
    )


def _without_voxels(answer: Classification) -> Classification:
    """Label maps and features of hundreds of cases would fill the memory."""
    grid = answer.label_map.geometry
    nothing = LabelMap(np.zeros((1,) * grid.ndim, np.uint8), replace(grid, size=(1,) * grid.ndim))
    return replace(answer, label_map=nothing, features=replace(answer.features, maps={}))


def held_out_summary(result: HeldOut) -> str:
    """Scores and confusion matrix as Markdown."""
    shown = result.intervals
    rows = [
        ["balanced accuracy", str(shown.balanced_accuracy)],
        ["accuracy", str(shown.accuracy)],
        ["AUC (mean over classes)", str(shown.macro_auc)],
    ]
    head = f"{len(result.names)} cases the model was not trained on; 95 % intervals over patients."
    return "\n\n".join(
        [
            head,
            table(["score", "value"], rows),
            confusion_table(result.scores.confusion, result.classes),
            "\n".join(result.promises.sentences(result.classes)),
        ]
    )
