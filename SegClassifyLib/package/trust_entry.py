"""Trust as it lies in a package: a few settings as JSON, and numeric arrays by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from SegClassifyLib.heads.base import HeadState
from SegClassifyLib.trust.answers import HeldOutAnswers
from SegClassifyLib.trust.distance import Distance
from SegClassifyLib.trust.mirrored import Sides
from SegClassifyLib.trust.novelty import Novelty
from SegClassifyLib.trust.trust import Trust

Arrays = dict[str, np.ndarray]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NoveltyEntry(_Frozen):
    """:class:`~SegClassifyLib.trust.novelty.Novelty` but for its arrays.

    Args:
        distances: their names, and ``shrink`` of each.
        false_alarms: as there.
        mirrored_below, mirrored_alike: of :class:`~SegClassifyLib.trust.mirrored.Sides`; ``None`` where there are none.
    """

    distances: dict[str, FiniteFloat]
    false_alarms: FiniteFloat = Field(gt=0, lt=1)
    mirrored_below: FiniteFloat | None = Field(default=None, lt=0)
    mirrored_alike: FiniteFloat | None = Field(default=None, ge=0, le=1)


class TrustEntry(_Frozen):
    """:class:`~SegClassifyLib.trust.trust.Trust` but for its arrays, which are in ``models/trust.safetensors``.

    Args:
        confidence: of the prediction sets.
        fold_heads: for each fold's head what of its config differs from that of the model's head; ``None`` where there
            are no prediction sets.
        novelty: ``None`` where there is none.
    """

    confidence: FiniteFloat = Field(gt=0, lt=1)
    fold_heads: tuple[dict[str, Any], ...] | None
    novelty: NoveltyEntry | None


def pack_trust(trust: Trust, head: HeadState | None) -> tuple[TrustEntry, Arrays]:
    """The entry and the arrays; fold heads are told by what sets them apart from the model's ``head``."""
    arrays: Arrays = {}
    fold_heads = None
    if trust.answers is not None:
        answers = trust.answers
        arrays |= {
            "answers.logits": answers.logits,
            "answers.classes": answers.y,
            "answers.groups": answers.groups,
            "answers.fold_of": answers.fold_of,
        }
        for number, fold in enumerate(answers.heads):
            arrays |= {f"fold{number}.{name}": array for name, array in fold.arrays.items()}
        fold_heads = tuple(_difference(fold, head) for fold in answers.heads)
    entry = None
    if trust.novelty is not None:
        novelty = trust.novelty
        arrays |= {"novelty.known": novelty.known, "novelty.groups": novelty.groups}
        for name, distance in novelty.distances.items():
            for part in ("mean", "scale", "axes", "variance"):
                arrays[f"{name}.{part}"] = getattr(distance, part)
        shrink = {name: distance.shrink for name, distance in novelty.distances.items()}
        entry = NoveltyEntry(distances=shrink, false_alarms=novelty.false_alarms)
        if novelty.sides is not None:
            sides = novelty.sides
            arrays |= {"sides.template": sides.template, "sides.pattern": sides.pattern}
            entry = entry.model_copy(update={"mirrored_below": sides.below, "mirrored_alike": sides.alike})
    return TrustEntry(confidence=trust.confidence, fold_heads=fold_heads, novelty=entry), arrays


def unpack_trust(entry: TrustEntry, arrays: Arrays, head: HeadState | None) -> Trust:
    """Back from :func:`pack_trust`.

    Raises:
        ValueError: arrays are missing or do not fit each other.
    """
    try:
        return Trust(
            answers=_answers(entry, arrays, head),
            novelty=_novelty(entry.novelty, arrays),
            confidence=entry.confidence,
        )
    except KeyError as error:
        raise ValueError(f"the array {error.args[0]} is missing") from error


def _difference(fold: HeadState, head: HeadState | None) -> dict[str, Any]:
    if head is None or fold.kind != head.kind:
        raise ValueError("heads of folds are of another kind than the model's head")
    return {name: value for name, value in fold.config.items() if head.config.get(name) != value}


def _answers(entry: TrustEntry, arrays: Arrays, head: HeadState | None) -> HeldOutAnswers | None:
    if entry.fold_heads is None:
        return None
    if head is None:
        raise ValueError("prediction sets without a classifier")
    heads = []
    for number, config in enumerate(entry.fold_heads):
        start = f"fold{number}."
        own = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
        heads.append(HeadState(head.kind, {**head.config, **config}, own))
    return HeldOutAnswers(
        arrays["answers.logits"],
        arrays["answers.classes"],
        arrays["answers.groups"],
        arrays["answers.fold_of"],
        tuple(heads),
    )


def _novelty(entry: NoveltyEntry | None, arrays: Arrays) -> Novelty | None:
    if entry is None:
        return None
    distances = {}
    for name, shrink in entry.distances.items():
        mean, scale, axes, variance = (
            arrays[f"{name}.{part}"] for part in ("mean", "scale", "axes", "variance")
        )
        if not mean.shape == scale.shape == axes.shape[1:] or variance.shape != axes.shape[:1]:
            raise ValueError(f"the arrays of the distance {name!r} do not fit each other")
        distances[name] = Distance(mean, scale, axes, variance, shrink)
    sides = None
    if entry.mirrored_below is not None and entry.mirrored_alike is not None:
        sides = Sides(
            arrays["sides.template"], entry.mirrored_below, arrays["sides.pattern"], entry.mirrored_alike
        )
    return Novelty(distances, arrays["novelty.known"], arrays["novelty.groups"], entry.false_alarms, sides)
