"""Which cases are held out to choose the best epoch: whole groups, with every label on both sides if possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.training.survey import SampleSurvey


@dataclass(frozen=True)
class HoldOut:
    """Indices of training and validation cases, and what to tell the user about the choice."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    warnings: tuple[str, ...] = ()


def hold_out(surveys: Sequence[SampleSurvey], fraction: float, most: int, seed: int) -> HoldOut:
    """Hold out about ``fraction`` of the groups, at least one, ``most`` at most; groups with labels not yet seen first.

    A group is not taken when a label would then be in no training case. With one group, single cases are held
    out; with one case, it is its own validation: both are told in ``warnings``.
    """
    everything = tuple(range(len(surveys)))
    if fraction == 0:
        return HoldOut(everything, ())
    if len(surveys) == 1:
        return HoldOut(
            everything,
            everything,
            ("The only case is its own validation: its Dice says nothing about new cases.",),
        )
    groups: dict[str, list[int]] = {}
    for i, survey in enumerate(surveys):
        groups.setdefault(survey.group, []).append(i)
    warnings: tuple[str, ...] = ()
    units = list(groups.values())
    if len(units) == 1:
        units = [[i] for i in everything]
        warnings = ("All cases belong to one group, so validation cases share it: their Dice is too good.",)
    present = np.array([np.sum([surveys[i].counts > 0 for i in unit], axis=0) > 0 for unit in units])
    chosen = _choose(
        present, min(most, max(1, round(fraction * len(units)))), np.random.default_rng([seed, 11])
    )
    validation = sorted(i for u in chosen for i in units[u])
    if not validation:
        warnings += (
            "No group can be spared for validation, so the last weights are kept and Dice is unknown.",
        )
    return HoldOut(tuple(i for i in everything if i not in set(validation)), tuple(validation), warnings)


def _choose(present: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
    """Up to ``count`` rows of ``present (units, labels)`` bool, keeping every label among the rows left."""
    order = [int(u) for u in rng.permutation(len(present))]
    chosen: list[int] = []
    left = present.sum(axis=0)
    while len(chosen) < count:
        seen = present[chosen].any(axis=0) if chosen else np.zeros(present.shape[1], dtype=bool)
        spare = [u for u in order if u not in chosen and (left[present[u]] > 1).all()]
        if not spare:
            break
        best = max(spare, key=lambda u: int((present[u] & ~seen).sum()))  # the first of equals: random order
        chosen.append(best)
        left = left - present[best]
    return chosen
