"""What a recipe takes its cases from: the user's data by one of the adapters, or made-up images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.progress import Progress
from SegClassifyLib.recipes.brain_folders import find_brains
from SegClassifyLib.recipes.brain_slices import find_slices
from SegClassifyLib.recipes.candidates import Found
from SegClassifyLib.recipes.heart_levels import find_total_segmentator, find_whole_hearts
from SegClassifyLib.recipes.made_up import phantoms_of
from SegClassifyLib.recipes.recipe import Recipe, Scale, SourceSpec
from SegClassifyLib.volumes.image import Label
from SegClassifyLib.volumes.labels import distinct_colour

_ADAPTERS: dict[str, Callable[[Path, SourceSpec, Progress], Found]] = {
    "brats-folders": find_brains,
    "cheng-slices": find_slices,
    "mm-whs": find_whole_hearts,
    "totalsegmentator": find_total_segmentator,
}

PHANTOMS = "phantoms"


@dataclass(frozen=True)
class Supply:
    """Where the cases of a run come from.

    Args:
        key: of the source, or :data:`PHANTOMS`.
        title: for people.
        remark: what to keep in mind when the figures are read.
        licence: of the images.
        channels, labels: of the training set.
        find: looks for the cases; slow where many files have to be read.
    """

    key: str
    title: str
    remark: str
    licence: str
    channels: tuple[str, ...]
    labels: tuple[Label, ...]
    find: Callable[[Progress], Found]


def supply_of(recipe: Recipe, data: Path | None, source: str, scale: Scale, seed: int) -> Supply:
    """Made-up images where ``data`` is ``None``, else the source's files below it.

    Raises:
        SegClassifyError: no such folder or source.
    """
    if data is None:
        made = phantoms_of(recipe)
        return Supply(
            PHANTOMS,
            "made-up images",
            "These are made-up images: the figures show that the recipe runs from end to end and how its arms compare "
            "on them, and say nothing about patients or about the figures of the paper.",
            "made up, free to use",
            made.channels,
            made.labels,
            lambda progress: made.find(scale, seed),
        )
    spec = recipe.source(source)
    if not data.is_dir():
        raise SegClassifyError(f"There is no folder {data}: check the path. {described(spec)}")
    labels = tuple(
        Label(number, label.name, distinct_colour(number - 1))
        for number, label in enumerate(spec.labels, start=1)
    )
    adapter = _ADAPTERS[spec.key]
    return Supply(
        spec.key,
        spec.title,
        f"These are other cases than the paper's, so its figure is not reproduced here. {spec.remark}",
        spec.licence,
        spec.channels,
        labels,
        lambda progress: adapter(data, spec, progress),
    )


def described(spec: SourceSpec) -> str:
    """A source in a sentence or two."""
    return f"{spec.key}: {spec.title}. From {spec.where}. Licence: {spec.licence} {spec.layout}"
