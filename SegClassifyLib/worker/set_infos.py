"""A training set as the protocol says it; no file of a case is read for that."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegClassifyLib.cases.guide import Guide
from SegClassifyLib.cases.paths import leaves_folder
from SegClassifyLib.cases.reader import TrainingSetReader
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.worker.label_infos import label_infos
from SegClassifyLib.worker.set_messages import CaseRow, ClassCounts, FindingInfo, SetGuide, SetInfo

PREDICTIONS = Path("trainings", "predictions.json")
"""What the last training said of cases that it had not seen: case name → image hash, class, probability."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prediction:
    """What a model said of an image."""

    image_hash: str
    predicted: str
    probability: float


def read_predictions(folder: Path) -> dict[str, Prediction]:
    """Case name → prediction; empty where there are none, or they cannot be read: they can be made again."""
    path = folder / PREDICTIONS
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {name: _prediction(entry) for name, entry in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        logger.warning("%s is passed over: %r", path, error)
        return {}


def _prediction(entry: Mapping[str, Any]) -> Prediction:
    return Prediction(str(entry["image_hash"]), str(entry["predicted"]), float(entry["probability"]))


def rows(training_set: TrainingSetReader, predictions: Mapping[str, Prediction]) -> tuple[CaseRow, ...]:
    """All cases, in the order of ``dataset.json``."""
    folder = str(training_set.folder.absolute())
    return tuple(_row(folder, case, predictions.get(case.name)) for case in training_set.cases)


def set_info(
    training_set: TrainingSetReader, cases: tuple[CaseRow, ...], revision: str, others: str, undo: str
) -> SetInfo:
    """The whole set."""
    return SetInfo(
        folder=str(training_set.folder.absolute()),
        name=training_set.name,
        revision=revision,
        ndim=training_set.ndim,
        channels=training_set.channels,
        labels=label_infos(training_set.labels),
        classes=training_set.classes,
        cases=cases,
        others=others,
        undo=undo,
    )


def set_guide(guide: Guide) -> SetGuide:
    """Counts and findings."""
    counts = guide.counts
    return SetGuide(
        classes=tuple(ClassCounts(c.name, c.cases, c.groups, c.test_cases) for c in counts.classes),
        cases=counts.cases,
        groups=counts.groups,
        unlabelled=counts.unlabelled,
        segmented=counts.segmented,
        predicted=counts.predicted,
        test_cases=counts.test_cases,
        segmenter_lacks=tuple(f.sentence for f in guide.segmenter_lacks),
        classifier_lacks=tuple(f.sentence for f in guide.classifier_lacks),
        findings=tuple(FindingInfo(f.severity, f.kind, f.sentence, f.cases) for f in guide.findings),
    )


def _row(folder: str, case: Case, prediction: Prediction | None) -> CaseRow:
    if prediction is not None and prediction.image_hash != case.image_hash:
        prediction = None
    state = "predicted" if case.segmentation_is_prediction else "drawn"
    return CaseRow(
        name=case.name,
        class_name=case.label_class or "",
        group=case.group or "",
        role=case.role,
        split=case.split,
        segmentation=state if case.segmentation else "none",
        images=tuple(_absolute(folder, case, text) for text in case.images),
        segmentation_file=_absolute(folder, case, case.segmentation) if case.segmentation else "",
        predicted=prediction.predicted if prediction else "",
        probability=prediction.probability if prediction else 0.0,
    )


def _absolute(folder: str, case: Case, text: str) -> str:
    """As :func:`SegClassifyLib.cases.paths.resolve`; a path that leads out unasked is no file, as if it were gone."""
    if case.storage == "own" and leaves_folder(text):
        return ""
    return str(Path(folder, text))
