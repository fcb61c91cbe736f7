"""What must hold of names, classes and cases in one training set; each breach is a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from SegClassifyLib.cases.names import name_key
from SegClassifyLib.cases.schema import Case, DatasetFile
from SegClassifyLib.errors import TrainingSetError
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label
from SegClassifyLib.volumes.labels import default_labels, with_background

NewClass = Literal["refuse", "add"]


def make_case(**fields: Any) -> Case:
    """A case of these fields; raises TrainingSetError where one has a value it may not have."""
    split = fields.get("split", "train")
    if split not in ("train", "test"):
        raise TrainingSetError(f"Case {fields['name']!r}: split must be 'train' or 'test', not {split!r}.")
    try:
        return Case(**fields)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(p) for p in fault["loc"])
        raise TrainingSetError(
            f"Case {fields['name']!r}: {key}: {fault['msg']}, not {fault['input']!r}."
        ) from error


def changed_case(case: Case, update: dict[str, Any]) -> Case:
    """``case`` with some fields replaced, checked again; keys of other tools are kept."""
    fields = {name: getattr(case, name) for name in Case.model_fields}
    return make_case(**{**fields, **(case.model_extra or {}), **update})


def complete_labels(labels: Sequence[Label] | Sequence[str]) -> tuple[Label, ...]:
    """Labels 0, 1, 2, … with background first, alone where cases are to have no segmentations.

    Raises:
        TrainingSetError: values with a gap.
    """
    named = [x for x in labels if isinstance(x, str)]
    if named:
        start = 1 if named[0].strip().casefold() == "background" else 0
        complete = with_background(default_labels(named[start:]))
    else:
        complete = with_background(sorted((x for x in labels if isinstance(x, Label)), key=lambda x: x.value))
    if [x.value for x in complete] != list(range(len(complete))):
        values = ", ".join(str(x.value) for x in complete)
        raise TrainingSetError(
            f"Label values must be 0, 1, 2, … without a gap, not {values}; "
            "renumber them (label_values does so for each file that is added)."
        )
    return complete


def refuse_bad_names(what: str, names: Sequence[str]) -> None:
    """Raise a TrainingSetError for an empty or double channel, class or label name."""
    seen: set[str] = set()
    for name in names:
        if not name.strip():
            raise TrainingSetError(f"A {what} name is empty; give each {what} a name.")
        if name_key(name) in seen:
            raise TrainingSetError(f"The {what} {name!r} is named twice; {what} names must differ.")
        seen.add(name_key(name))


def refuse_taken_name(document: DatasetFile, name: str, folder: Path) -> None:
    """Raise a TrainingSetError if a case of that name, ignoring upper and lower case, is in the set."""
    for case in document.cases:
        if name_key(case.name) == name_key(name):
            raise TrainingSetError(
                f"The training set {folder} has a case {case.name!r} already; "
                "choose another name, or change or remove that case."
            )


def refuse_same_image(document: DatasetFile, name: str, image_hash: str) -> None:
    """Raise a TrainingSetError if the pixels of a new case are in the set already."""
    for case in document.cases:
        if case.image_hash == image_hash:
            raise TrainingSetError(
                f"Case {name!r} holds the same image as case {case.name!r}; leave it out, "
                "because a copy in another fold makes the classifier look better than it is."
            )


def dimension_of(grid: Geometry) -> Literal[2, 3]:
    """2 or 3; a volume of one slice counts as 2D."""
    return 3 if grid.ndim == 3 and min(grid.size) > 1 else 2


def fits_dimension(grid: Geometry, ndim: int) -> bool:
    """Whether an image can be in a 2D or 3D set; a volume of one slice can be in both."""
    return ndim in (grid.ndim, dimension_of(grid))


def refuse_other_dimension(document: DatasetFile, name: str, image: Image) -> None:
    """Raise a TrainingSetError for a 2D image in a set of 3D ones, or the reverse."""
    ndim = image.geometry.ndim
    if document.cases and not fits_dimension(image.geometry, document.ndim):
        raise TrainingSetError(
            f"Case {name!r} is {ndim}D ({image.name}) but the training set is {document.ndim}D; "
            "keep 2D and 3D images in sets of their own."
        )


def require_class(document: DatasetFile, name: str) -> None:
    """Raise a TrainingSetError if the set does not know the class."""
    classes = document.segclassify.classes
    if name not in classes:
        raise TrainingSetError(
            f"{name!r} is not a class of the training set ({', '.join(classes) or 'it has none yet'}); "
            "add it with `segclassify dataset add-class`, or correct the name."
        )


def with_class(document: DatasetFile, case: str, name: str | None, new_class: NewClass) -> DatasetFile:
    """The set knowing the class of a case.

    Raises:
        TrainingSetError: unknown and ``new_class`` is ``refuse``, or only upper and lower case differ.
    """
    classes = document.segclassify.classes
    if name is None or name in classes:
        return document
    if new_class == "refuse":
        try:
            require_class(document, name)
        except TrainingSetError as error:
            raise TrainingSetError(f"Case {case!r}: {error}") from error
    refuse_bad_names("class", (*classes, name))
    return document.with_classes((*classes, name))
