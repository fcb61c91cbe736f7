"""One training of one arm on one draw: what is computed at a time, stored whole, and found again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SegClassifyLib.atomic import write_text
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.evaluation.folds import Fold
from SegClassifyLib.experiment.arms import Arm
from SegClassifyLib.experiment.settings import size_name

UNIT_VERSION = 3
"""Raised whenever the same unit would give other numbers."""


_USUAL_CASES = 30
"""Training cases that the expected time of an arm is meant for."""


@dataclass(frozen=True)
class Unit:
    """What is computed at a time.

    Args:
        arm: the way to classify.
        size: training cases of each class.
        draw: number of the draw.
        fold: training and test cases.
        key: hash of all that decides its result; a result stored under another key is not this unit's.
    """

    arm: Arm
    size: int
    draw: int
    fold: Fold
    key: str

    @property
    def expected_seconds(self) -> float:
        """Rough time on one core; tuning goes through every case in turn, the others through so many steps."""
        cases = len(self.fold.train) / _USUAL_CASES if self.arm.kind == "fine-tuned" else 1.0
        return self.arm.seconds * cases

    def path(self, folder: Path) -> Path:
        """Where its result is stored below the output folder."""
        return folder / "units" / self.arm.key / size_name(self.size) / f"{self.draw}.json"


@dataclass(frozen=True)
class UnitResult:
    """What a classifier said of the test cases, in the order of the unit's ``fold.test``.

    Args:
        logits: ``(n, K)`` float64.
        proba: ``(n, K)`` float64, calibrated inside the training cases.
        temperature: found there; ``None`` where there was nothing to find it on.
        seconds: of training and answering.
        p_values: how far the training cases speak for each class ``(n, K)`` float64, from which prediction sets are
            made; ``None`` for arms that make none.
    """

    logits: np.ndarray
    proba: np.ndarray
    temperature: float | None
    seconds: float
    p_values: np.ndarray | None = None


def unit_key(
    arm: Arm,
    learner: str,
    material: str,
    fold: Fold,
    y: np.ndarray,
    groups: np.ndarray,
    names: tuple[str, ...],
    seed: int,
) -> str:
    """Hash of all that decides a unit's result.

    Args:
        arm: of the unit.
        learner: its settings as JSON.
        material: fingerprints of what it learns from.
        fold, y, groups, names: the cases, their classes, patients and names.
        seed: of the training.
    """
    cases = [[names[i] for i in part] for part in (fold.train, fold.test)]
    content = [
        UNIT_VERSION,
        arm.kind,
        arm.view,
        arm.architecture,
        learner,
        material,
        cases,
        y[fold.train].tolist(),
        np.unique(groups[fold.train], return_inverse=True)[1].reshape(-1).tolist(),
        seed,
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def store_result(unit: Unit, result: UnitResult, folder: Path) -> None:
    """Write a result, whole or not at all.

    Raises:
        SegClassifyError: the disk is full or the folder cannot be written to.
    """
    content = {
        "key": unit.key,
        "arm": unit.arm.key,
        "size": size_name(unit.size),
        "draw": unit.draw,
        "seconds": result.seconds,
        "temperature": result.temperature,
        "logits": result.logits.tolist(),
        "proba": result.proba.tolist(),
        "p_values": None if result.p_values is None else result.p_values.tolist(),
    }
    with disk_errors(folder):
        write_text(unit.path(folder), json.dumps(content))


def read_result(unit: Unit, folder: Path) -> UnitResult | None:
    """The stored result; ``None`` where there is none, or it is damaged or of other settings."""
    try:
        content = json.loads(unit.path(folder).read_text(encoding="utf-8"))
        if content["key"] != unit.key:
            return None
        temperature, p_values = content["temperature"], content["p_values"]
        return UnitResult(
            np.asarray(content["logits"], np.float64),
            np.asarray(content["proba"], np.float64),
            None if temperature is None else float(temperature),
            float(content["seconds"]),
            None if p_values is None else np.asarray(p_values, np.float64),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def has_other_result(unit: Unit, folder: Path) -> bool:
    """Whether a result of other settings or cases is stored in its place."""
    return unit.path(folder).exists() and read_result(unit, folder) is None
