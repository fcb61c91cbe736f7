"""Made-up images for a recipe: of the same shape and in the same numbers as its task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from SegClassifyLib.phantoms.chest import CHEST_LABELS, LEVELS, make_chest_slice
from SegClassifyLib.phantoms.head import CHANNELS, LABELS, make_head
from SegClassifyLib.phantoms.tumours import TUMOURS
from SegClassifyLib.recipes.candidates import Candidate, Found, Loaded
from SegClassifyLib.recipes.recipe import Recipe, Scale
from SegClassifyLib.volumes.image import Label

_SLICES = 3
"""Of one chest, at different levels."""

_SPARE = 1.2
"""Chests are made for more cases than are wanted: no person may be in two parts."""


@dataclass(frozen=True)
class Phantoms:
    """Made-up cases for one task.

    Args:
        channels, labels: of the training set.
        find: candidates for a scale and a seed.
    """

    channels: tuple[str, ...]
    labels: tuple[Label, ...]
    find: Callable[[Scale, int], Found]


def phantoms_of(recipe: Recipe) -> Phantoms:
    """The made-up images that stand for a recipe's task: heads for three classes, chests for nine."""
    if recipe.class_count == len(TUMOURS):
        return Phantoms(CHANNELS, LABELS, _heads)
    return Phantoms(("CT",), CHEST_LABELS, _chests)


def _heads(scale: Scale, seed: int) -> Found:
    """Every case another person; the three types as often as each other."""
    depth, height, width = scale.shape
    candidates = [
        Candidate(
            f"head-{n:03d}",
            TUMOURS[n % len(TUMOURS)],
            f"head-{n:03d}",
            partial(_head, 10_000 * seed + n, TUMOURS[n % len(TUMOURS)], (depth, height, width)),
        )
        for n in range(scale.sizes.all)
    ]
    return Found(tuple(_mixed(candidates, seed)), TUMOURS, ("Every head is another made-up person.",))


def _chests(scale: Scale, seed: int) -> Found:
    """A few slices of each person, at levels that are drawn; all levels as often as each other."""
    height, width = scale.shape
    people = -(-int(scale.sizes.all * _SPARE) // _SLICES)
    people += -people % len(LEVELS)
    rng = np.random.default_rng((seed, 17))
    levels = [row for _ in range(people // len(LEVELS)) for row in _nine_people(rng)]
    candidates = [
        Candidate(
            f"chest-{person:03d}-{LEVELS[level].replace(' ', '-')}",
            LEVELS[level],
            f"chest-{person:03d}",
            partial(_chest, 10_000 * seed + person, LEVELS[level], (height, width)),
        )
        for person, row in enumerate(levels)
        for level in row
    ]
    note = f"Up to {_SLICES} slices of each made-up person, all on one side."
    return Found(tuple(candidates), LEVELS, (note,))


def _nine_people(rng: np.random.Generator) -> list[list[int]]:
    """Levels of as many people as there are levels: every level as often as each other, none twice in a person."""
    first, steps = rng.permutation(len(LEVELS)), np.cumsum([0, *rng.integers(1, 4, _SLICES - 1)])
    return [[int(level + step) % len(LEVELS) for step in steps] for level in first]


def _mixed(candidates: Sequence[Candidate], seed: int) -> list[Candidate]:
    order = np.random.default_rng((seed, 18)).permutation(len(candidates))
    return [candidates[i] for i in order]


def _head(seed: int, kind: str, shape: tuple[int, int, int]) -> Loaded:
    made = make_head(seed, kind, shape, channels=CHANNELS)
    return Loaded(made.image, made.labels)


def _chest(person: int, level: str, shape: tuple[int, int]) -> Loaded:
    made = make_chest_slice(person, level, shape=shape)
    return Loaded(made.image, made.labels)
