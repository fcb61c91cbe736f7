"""What models last said of a set's cases that they had not seen, kept for the table of cases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from SegClassifyLib.atomic import write_text
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.worker.set_infos import PREDICTIONS


@dataclass(frozen=True)
class CasePrediction:
    """A class, its probability, and the model that said so."""

    predicted: str
    probability: float
    model: str


def remember_predictions(training_set: TrainingSet, new: Mapping[str, CasePrediction]) -> None:
    """Add predictions, by case name, to those of earlier models; those of cases that are gone are dropped.

    Raises:
        TrainingError: they cannot be written.
    """
    path = training_set.folder / PREDICTIONS
    hashes = {c.name: c.image_hash for c in training_set.cases}
    try:
        known = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # none yet, or damaged: they can be made again
        known = {}
    content = {name: entry for name, entry in known.items() if name in hashes}
    for name, prediction in new.items():
        if name in hashes:
            content[name] = {
                "image_hash": hashes[name],
                "predicted": prediction.predicted,
                "probability": prediction.probability,
                "model": prediction.model,
            }
    with disk_errors(path, TrainingError):
        write_text(path, json.dumps(content, indent=1))
