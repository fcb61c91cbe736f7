"""Evidence in words: what speaks for a class, what against it, and how much of everything that is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from SegClassifyLib.evidence.spec import EvidenceMap, Part
from SegClassifyLib.features.spec import MARGIN

MOSTLY = 0.3
"""From this share on, one thing is what an answer mostly comes from."""

SPREAD_OUT = 0.12
"""If nothing has this share, the evidence is called spread."""

_TOP = 4
"""Reasons named on each side."""

_WORTH_SAYING = 0.03
"""Reasons of a smaller share are not named."""

_OURS = frozenset(["border", "centre", "image", "margin", "part", "parts", "radius", "surface", "volume"])
"""Words that sentences are made of: a label that has one of them is put in quotation marks."""

_SHAPE = {
    "present": "whether there is any {label}",
    "volume": "{label} volume",
    "radius": "{label} radius",
    "elongation": "how elongated the {label} is",
    "flatness": "how flat the {label} is",
    "roundness": "how round the {label} is",
    "surface": "{label} surface",
    "extent": "how far the {label} fills its box",
    "parts": "the number of parts of the {label}",
    "largest_part": "the largest part's share of the {label}",
    "on_border": "how much of the {label} lies on the image's border",
    "depth": "how far from the centre the {label} lies",
}
"""Statistics of shape descriptors."""

_GREY = {"deviation": "the spread", "skewness": "the skewness", "kurtosis": "the kurtosis"}
_GREY |= {name: f"the {name}" for name in ("mean", "median", "minimum", "maximum")}
"""Statistics of intensity descriptors."""

_PROBABILITY = {
    "share": "how much of the image is {label}",
    "peak": "the highest probability of {label}",
    "confidence": "how sure the network is of {label}",
}

_BASES = {
    "training": "the average training case",
    "image": "the same image without differences between its regions",
}


@dataclass(frozen=True)
class Reason:
    """Features of one name that speak for or against.

    Args:
        text: what, in words.
        value: in logits.
        share: of the sum of all sizes, 0 to 1.
    """

    text: str
    value: float
    share: float


def reasons(parts: Sequence[Part], channels: Sequence[str]) -> tuple[Reason, ...]:
    """Parts that a person would call by one name, together; the largest first.

    Args:
        parts: of an :class:`EvidenceMap`.
        channels: names of the model's channels.
    """
    sums: dict[str, float] = {}
    for part in parts:
        text = part_words(part, channels)
        sums[text] = sums.get(text, 0.0) + part.value
    whole = sum(abs(value) for value in sums.values())
    found = [Reason(text, value, abs(value) / whole) for text, value in sums.items() if value and whole]
    return tuple(sorted(found, key=lambda reason: -reason.share))


def part_words(part: Part, channels: Sequence[str]) -> str:
    """What a part is called: "inside tumour, decoder scale 2", "tumour volume"."""
    label = _name(part.region.removeprefix(MARGIN))
    if part.source == "shape":
        return _SHAPE.get(part.statistic, f"{part.statistic} of {{label}}").format(label=label)
    if part.source == "intensity":
        named = len(channels) > 1 and 0 <= part.channel < len(channels)
        values = f"{channels[part.channel]} grey values" if named else "grey values"
        return f"{_GREY.get(part.statistic, part.statistic)} of the {values} in {label}"
    if part.source == "probability":
        return _PROBABILITY.get(part.statistic, f"{part.statistic} of {{label}}").format(label=label)
    if part.source == "left over":
        return "what the integration left over"
    if part.region == "all":
        where = "the whole image"
    elif part.region.startswith(MARGIN):
        where = f"the margin of {label}"
    else:
        where = f"inside {label}"
    return f"{where}, {_source(part.source)}"


def _name(label: str) -> str:
    return f"“{label}”" if _OURS & set(label.lower().split()) else label


def _source(source: str) -> str:
    """ "decoder2" → "decoder scale 2"."""
    if source == "image":
        return "grey values"
    if source == "labels":
        return "the segmentation itself"
    match = re.fullmatch(r"(encoder|decoder)(\d+)", source)
    if match:
        return f"{match[1]} scale {match[2]}"
    match = re.fullmatch(r"([a-z]+)(\d+)", source)
    return f"{match[1]} {match[2]}" if match else source


def describe(found: EvidenceMap, channels: Sequence[str]) -> tuple[str, ...]:
    """Sentences: where it comes from, what speaks against, and where the classifier would stand without any of it."""
    every = reasons(found.parts, channels)
    if not every:
        return (f"Nothing in this image speaks for or against {found.class_name}.",)
    rival = f" rather than {found.against}" if found.against else ""
    favour = [r for r in every if r.value > 0]
    other = [r for r in every if r.value < 0]
    sentences = [f"{found.class_name}{rival}: {_weight(every)}{_list(favour) or 'nothing speaks for it'}."]
    if other:
        sentences.append(f"Against it: {_list(other)}.")
    pro, contra = sum(r.value for r in favour), -sum(r.value for r in other)
    start = _BASES[found.reference]
    sentences.append(
        f"Evidence for it adds up to {pro:.2f}, against it to {contra:.2f}; {start} would have {found.base:+.2f}, this "
        f"case has {found.logit:+.2f} (logits)."
    )
    return tuple(sentences)


def _weight(every: Sequence[Reason]) -> str:
    """How the list of what speaks for a class begins; honest about evidence that is spread."""
    favour = [r for r in every if r.value > 0]
    top = every[0].share
    if top < SPREAD_OUT:
        most = "the largest for it: " if favour else ""
        return f"spread over {len(every)} groups of features, none above {top:.0%} of the whole; {most}"
    if not favour:
        return ""
    return "mostly from " if favour[0].share >= MOSTLY else "from "


def _list(side: Sequence[Reason]) -> str:
    named = [r for r in side if r.share >= _WORTH_SAYING][:_TOP] or list(side[:1])
    return "; ".join(f"{r.text} ({r.share:.0%})" for r in named)
