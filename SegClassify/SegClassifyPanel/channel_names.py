"""Which channel of a model an image is, told from its name."""

from __future__ import annotations

import re
from collections.abc import Sequence

ALIASES = (
    ("t1c", "t1ce", "t1gd", "t1post", "t1contrast", "t1km", "ce", "gd", "post", "contrast"),
    ("t1", "t1n", "t1pre", "t1w", "mprage", "bravo"),
    ("t2", "t2w"),
    ("flair", "t2f", "t2flair"),
    ("ct",),
    ("pet", "suv"),
    ("us", "ultrasound"),
    ("dwi", "diffusion"),
    ("adc",),
    ("swi",),
)
"""What the same kind of image is called in file names, the best word first."""


def words(name: str) -> tuple[str, ...]:
    """The parts of a name in lower case: "Case3_T1-Gd.nii" → case3, t1, gd, and t1gd."""
    parts = [p for p in re.split(r"[^a-z0-9]+", name.lower()) if p]
    return (*parts, *(a + b for a, b in zip(parts, parts[1:], strict=False)))


def kinds(name: str) -> tuple[str, ...]:
    """The kinds of image a name speaks of, the most telling first; a kind is called by its first alias."""
    found = set(words(name))
    known = [group[0] for group in ALIASES if found & set(group)]
    # "T1 with contrast" is no plain T1, "T2 FLAIR" no plain T2.
    for special, plain in (("t1c", "t1"), ("flair", "t2")):
        if special in known and plain in known:
            known.remove(plain)
    return tuple(known)


def matches(name: str, channel: str) -> bool:
    """Whether an image of this name looks like that channel of a model."""
    wanted = kinds(channel)
    if wanted:
        return bool(set(wanted) & set(kinds(name)))
    return bool(set(words(channel)) & set(words(name)))


def stem(name: str, channels: Sequence[str]) -> str:
    """A name without what tells its channel: the same for all images of one case."""
    telling = {alias for group in ALIASES for alias in group} | {w for c in channels for w in words(c)}
    parts = [p for p in re.split(r"[^A-Za-z0-9]+", name) if p]
    kept = [p for p in parts if p.lower() not in telling]
    return "_".join(kept) or name


def grouped(names: Sequence[str], channels: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Images of cases: case name → the index of one image per channel, in the channels' order.

    With one channel every image is a case of its own; otherwise a case is there when each of its channels is told
    from exactly one name.

    Args:
        names: of images, without folder and ending.
        channels: of the model, in its order.
    """
    if len(channels) < 2:
        return {name if names.count(name) == 1 else f"{name} ({i + 1})": (i,) for i, name in enumerate(names)}
    by_stem: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        by_stem.setdefault(stem(name, channels), []).append(index)
    cases = {}
    for case, indices in by_stem.items():
        found = [[i for i in indices if matches(names[i], channel)] for channel in channels]
        picked = tuple(f[0] for f in found if len(f) == 1)
        if len(set(picked)) == len(channels):
            cases[case] = picked
    return cases
