"""Which loaded volume is most likely which channel, told from the names people and scanners give."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONTRAST = {"c", "ce", "gd", "gad", "gado", "gadolinium", "post", "contrast", "enhanced", "km", "pc"}
_JOINED = {
    "t1c": "t1c",
    "t1ce": "t1c",
    "t1gd": "t1c",
    "t1post": "t1c",
    "t1contrast": "t1c",
    "t1km": "t1c",
    "ct1": "t1c",
    "t1": "t1",
    "t1w": "t1",
    "t1n": "t1",
    "t1pre": "t1",
    "mprage": "t1",
    "t2": "t2",
    "t2w": "t2",
    "flair": "flair",
    "t2flair": "flair",
    "t2f": "flair",
    "fl": "flair",
    "ct": "ct",
    "cect": "ct",
    "ncct": "ct",
    "us": "us",
    "ultrasound": "us",
    "sonography": "us",
    "bmode": "us",
    "pet": "pet",
    "suv": "pet",
    "adc": "adc",
    "dwi": "dwi",
    "swi": "swi",
}


def _words(name: str) -> list[str]:
    """Lower-case pieces of a name: "AX_T1+C (2)" → ax, t1, c, 2."""
    name = re.sub(r"\.(nii\.gz|nii|nrrd|nhdr|mha|mhd|dcm|png|jpe?g|tiff?)$", "", name, flags=re.IGNORECASE)
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)  # CTChest stays, brainFlair is cut
    apart = re.sub(r"(?<![A-Za-z])(CT|PET|US)(?=[A-Z][a-z])", r"\1 ", apart)
    return [word for word in re.split(r"[^a-z0-9]+", apart.lower()) if word]


def kind_of(name: str) -> str:
    """What kind of image a name speaks of: "t1", "t1c", "t2", "flair", "ct", "us" …; empty where it does not say.

    Args:
        name: of a channel or a volume.
    """
    words = _words(name)
    kinds = [_JOINED[word] for word in words if word in _JOINED]
    if "flair" in kinds:
        return "flair"
    if "t1c" in kinds or ("t1" in kinds and _CONTRAST & set(words)):
        return "t1c"
    return kinds[-1] if kinds else ""


def _likeness(channel: str, volume: str) -> int:
    """How well a volume's name fits a channel's: 0 for not at all."""
    wanted, given = _words(channel), _words(volume)
    if wanted == given:
        return 4
    kind = kind_of(channel)
    if kind:
        return 3 if kind_of(volume) == kind else 0
    joined = " ".join(given)
    return 2 if wanted and re.search(rf"\b{re.escape(' '.join(wanted))}\b", joined) else 0


def match_channels(channels: Sequence[str], volumes: Sequence[str]) -> list[int | None]:
    """Which volume each channel is pre-filled with.

    Args:
        channels: names, in the model's order.
        volumes: names, the one that should win a tie first: others of its case, told by the words that their names
            share, are preferred too.

    Returns:
        One index into ``volumes`` a channel, ``None`` where no name fits. No volume is used twice.
    """
    case = set(_words(volumes[0])) if volumes else set()
    pairs = sorted(
        (-_likeness(channel, volume), -len(case & set(_words(volume))), c, v)
        for c, channel in enumerate(channels)
        for v, volume in enumerate(volumes)
        if _likeness(channel, volume)
    )
    found: dict[int, int] = {}
    for _, _, channel, volume in pairs:
        if channel not in found and volume not in found.values():
            found[channel] = volume
    if len(channels) == 1 and not found:
        # Nothing to confuse: any volume will do whose name does not say that it is something else.
        kinds = ("", kind_of(channels[0]) or "")
        fitting = [v for v, name in enumerate(volumes) if not kind_of(channels[0]) or kind_of(name) in kinds]
        found.update(enumerate(fitting[:1]))
    return [found.get(c) for c in range(len(channels))]
