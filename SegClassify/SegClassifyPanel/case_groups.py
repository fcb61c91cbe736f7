"""Images of many cases put together by their names: which belong to one case, and which channel each is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from SegClassifyPanel.channel_names import kind_of, match_channels

_NOT_TELLING = {"c", "ce", "gd", "gad", "post", "pre", "contrast", "w", "weighted"}
"""Words of a name that go with its channel and not with its case."""


def grouped(names: Sequence[str], channels: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Case name → the index of one image per channel, in the channels' order.

    With one channel every image is a case of its own. Otherwise the images of a case are those whose names are the
    same but for what tells the channel; a case that lacks a channel is left out.

    Args:
        names: of images, without folder and ending.
        channels: of the model, in its order.
    """
    if len(channels) < 2:
        return {_single(name, index, names): (index,) for index, name in enumerate(names)}
    by_stem: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        by_stem.setdefault(_stem(name, channels), []).append(index)
    cases = {}
    for case, indices in by_stem.items():
        found = match_channels(channels, [names[i] for i in indices])
        if None not in found:
            cases[case] = tuple(indices[i] for i in found if i is not None)
    return cases


def _single(name: str, index: int, names: Sequence[str]) -> str:
    return name if list(names).count(name) == 1 else f"{name} ({index + 1})"


def _stem(name: str, channels: Sequence[str]) -> str:
    """A name without what tells its channel."""
    telling = {word for channel in channels for word in _parts(channel.lower())} | _NOT_TELLING
    kept = [part for part in _parts(name) if part.lower() not in telling and not kind_of(part)]
    return "_".join(kept) or "_"


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"[^A-Za-z0-9]+", name) if part]
