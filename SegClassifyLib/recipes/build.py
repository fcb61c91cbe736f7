"""The chosen cases of a recipe as a training set; goes on where it stopped."""

from __future__ import annotations

import tempfile
from pathlib import Path

from SegClassifyLib.cases.document import FILE_NAME
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.progress import Progress
from SegClassifyLib.recipes.candidates import Candidate, Loaded
from SegClassifyLib.recipes.recipe import Part, Recipe
from SegClassifyLib.recipes.record import Begun
from SegClassifyLib.recipes.sources import Supply
from SegClassifyLib.recipes.split import split_candidates
from SegClassifyLib.volumes.image import Image, LabelMap
from SegClassifyLib.volumes.write import write_image, write_label_map

_SUFFIX = ".nii.gz"


def choose_cases(recipe: Recipe, supply: Supply, begun: Begun, progress: Progress) -> Begun:
    """Fill in who takes part in what.

    Raises:
        SegClassifyError: not the recipe's number of classes, or too few cases.
    """
    found = supply.find(progress)
    if len(found.classes) != recipe.class_count:
        raise SegClassifyError(
            f"The recipe {recipe.name} has {recipe.class_count} classes and the data {len(found.classes)} "
            f"({', '.join(found.classes)}): make them the same."
        )
    parts = split_candidates(found.candidates, found.classes, begun.scale.sizes, begun.seed)
    return begun.model_copy(update={"classes": found.classes, "notes": found.notes, "parts": parts})


def build_set(folder: Path, recipe: Recipe, supply: Supply, begun: Begun, progress: Progress) -> TrainingSet:
    """Take the chosen cases into a training set.

    Segmenter cases get their segmentation and no class, the others their class and no segmentation: nothing can be
    learned from the wrong ones by mistake.

    Args:
        folder: of the training set; what is there already stays.
        recipe, supply, begun: the run.
        progress: told of every case; may cancel: the cases so far stay.

    Raises:
        SegClassifyError: a chosen case is not there any more, or does not fit.
    """
    training_set = _open_or_create(folder, recipe, supply, begun)
    there = {case.name for case in training_set.cases}
    missing = [name for name in begun.parts if name not in there]
    if not missing:
        return training_set
    by_name = {c.name: c for c in supply.find(progress).candidates}
    gone = [name for name in missing if name not in by_name]
    if gone:
        raise SegClassifyError(
            f"The run was begun with the case {gone[0]!r}, which is not in the data any more: bring it back, or begin "
            "anew with another --output."
        )
    # in the order of the data: slices of one volume come one after the other
    todo = [candidate for name, candidate in by_name.items() if name in set(missing)]
    with tempfile.TemporaryDirectory(prefix="segclassify-") as scratch:
        for number, candidate in enumerate(todo):
            progress.report("Taking cases into the training set", number, len(todo), candidate.name)
            _add(training_set, candidate, begun.parts[candidate.name], Path(scratch))
    progress.report("Taking cases into the training set", len(todo), len(todo))
    return training_set


def _open_or_create(folder: Path, recipe: Recipe, supply: Supply, begun: Begun) -> TrainingSet:
    if (folder / FILE_NAME).is_file():
        return TrainingSet.open(folder)
    return TrainingSet.create(
        folder,
        f"{recipe.title}, {supply.title}",
        supply.channels,
        supply.labels,
        begun.classes,
        description=supply.remark,
        licence=supply.licence,
    )


def _add(training_set: TrainingSet, candidate: Candidate, part: Part, scratch: Path) -> None:
    loaded: Loaded = candidate.load()
    paths = []
    for number in range(len(training_set.channels)):
        path = scratch / f"{number}{_SUFFIX}"
        write_image(Image(loaded.image.array[number : number + 1], loaded.image.geometry), path)
        paths.append(path)
    mask = None
    if part == "segmenter":
        mask = scratch / f"labels{_SUFFIX}"
        write_label_map(LabelMap(loaded.labels.array, loaded.labels.geometry, training_set.labels), mask)
    training_set.add(
        candidate.name,
        paths,
        mask,
        None if part == "segmenter" else candidate.label_class,
        group=candidate.group,
        role="segmenter" if part == "segmenter" else "classifier",
        split="test" if part == "test" else "train",
    )
