"""Options that several ``segclassify dataset`` commands share."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from SegClassifyLib.errors import TrainingSetError


class RoleChoice(str, Enum):
    """What a case may be used for."""

    both = "both"
    segmenter = "segmenter"
    classifier = "classifier"


class SplitChoice(str, Enum):
    """Which of the two lists holds a case."""

    train = "train"
    test = "test"


class ModeChoice(str, Enum):
    """How files get into the set."""

    copy = "copy"
    link = "link"
    reference = "reference"


class OnErrorChoice(str, Enum):
    """What an import does with what it cannot add."""

    stop = "stop"
    skip = "skip"


FolderArgument = Annotated[Path, typer.Argument(help="The training set: a folder with dataset.json.")]
NamesArgument = Annotated[list[str], typer.Argument(help="Names of cases.")]
ModeOption = Annotated[
    ModeChoice,
    typer.Option("--mode", help="copy files into the set, link them, or only refer to where they are."),
]
LabelValueOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label-value",
        metavar="FILE=SET",
        help="A value in segmentation files and the label it means in the set, such as 255=1; may be repeated.",
    ),
]
ChannelOption = Annotated[
    list[str] | None,
    typer.Option("--channel", help="Name of an input image, in the model's order; repeat it."),
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label", help="Name of segmentation value 1, then 2, …; repeat it. Background is value 0."
    ),
]
OnErrorOption = Annotated[
    OnErrorChoice,
    typer.Option(
        "--on-error", help="stop: add nothing if anything is wrong. skip: leave out what is, and list it."
    ),
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="MEANING=HEADER",
        help="A column with another header: image, image_<channel>, segmentation, class, group, name, role or split, "
        "then = and the header, such as group=patient_number; may be repeated.",
    ),
]


def label_values(pairs: Sequence[str] | None) -> dict[int, int] | None:
    """``["255=1"]`` as ``{255: 1}``; raises TrainingSetError for anything else."""
    found = {}
    for left, right in _pairs(pairs, "--label-value", "255=1"):
        if not (left.isdecimal() and right.isdecimal()):
            raise TrainingSetError(f"--label-value {left}={right} must be two whole numbers, such as 255=1.")
        found[int(left)] = int(right)
    return found or None


def columns(pairs: Sequence[str] | None) -> dict[str, str]:
    """``["group=patient"]`` as ``{"group": "patient"}``; raises TrainingSetError for anything else."""
    return dict(_pairs(pairs, "--column", "group=patient_number"))


def _pairs(texts: Sequence[str] | None, option: str, example: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts or ():
        left, sign, right = text.partition("=")
        if not sign or not left.strip() or not right.strip():
            raise TrainingSetError(f"{option} {text} must be two names with = between, such as {example}.")
        pairs.append((left.strip(), right.strip()))
    return pairs
