"""A recipe: a task of the paper as a description that people can read, and the files that hold the two there are."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from SegClassifyLib.errors import SegClassifyError

RECIPES = ("brain-tumour", "cardiac-level")
"""Names of the recipes, each in a JSON file beside this one."""

Part = Literal["segmenter", "train", "test"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Published(_Frozen):
    """What the abstract reports for the task, on cases that we do not have.

    Args:
        reference: where it is said.
        accuracy: share of the test cases that is right.
        low, high: 95 % interval of such a share of so many cases.
        train, test: numbers of cases.
    """

    reference: str
    accuracy: float = Field(gt=0, lt=1)
    low: float = Field(gt=0, lt=1)
    high: float = Field(gt=0, lt=1)
    train: int = Field(ge=1)
    test: int = Field(ge=1)


class Sizes(_Frozen):
    """Numbers of cases: those that train the segmenter, those that train classifiers, those tested on."""

    segmenter: int = Field(ge=1)
    train: int = Field(ge=2)
    test: int = Field(ge=2)

    @property
    def all(self) -> int:
        """Cases altogether."""
        return self.segmenter + self.train + self.test


class Scale(_Frozen):
    """How large and how long a run is.

    Args:
        sizes: numbers of cases.
        shape: of phantoms, array order.
        minutes: budget of the segmenter; with ``epochs``, whichever ends first.
        epochs: the same, of ``steps_per_epoch`` steps.
        network: arguments of VNetDS; ``None``: as deep as the images allow.
        patch: of the segmenter's training, array order; ``None``: chosen from the images.
        learning_rate: of the segmenter.
        max_voxels: of the median model grid; ``None``: as the images are.
        scratch_steps: most steps of a network trained from scratch.
        fine_tune_epochs: passes over the cases when a segmenter is fine-tuned.
        edge, slices: of the pictures that ImageNet networks see; ``edge`` ``None``: 224 in 2D, 128 in 3D.
    """

    sizes: Sizes
    shape: tuple[int, ...] = ()
    minutes: float | None = Field(default=None, gt=0)
    epochs: int | None = Field(default=None, ge=1)
    steps_per_epoch: int | None = Field(default=None, ge=1)
    network: dict[str, Any] | None = None
    patch: tuple[int, ...] | None = None
    learning_rate: float = Field(default=5e-3, gt=0)
    max_voxels: int | None = Field(default=None, ge=64)
    scratch_steps: int = Field(default=200, ge=1)
    fine_tune_epochs: int = Field(default=12, ge=1)
    edge: int | None = Field(default=None, ge=32)
    slices: int = Field(default=9, ge=1)


class LabelSpec(_Frozen):
    """One label of a source.

    Args:
        name: in our training set.
        values: in the source's label maps.
        file: name of the mask in the source, where each label has a file of its own.
    """

    name: str
    values: tuple[int, ...] = ()
    file: str = ""


class SourceSpec(_Frozen):
    """Data that the user supplies.

    Args:
        key: its name on the command line, and of the adapter that reads it.
        title: for people.
        where: where to get it.
        licence: as far as known; the data's own terms count.
        layout: what the folder must look like, in words.
        remark: what to keep in mind when its figures are read.
        channels: in order.
        labels: without background, in order.
        classes: in order; empty where the folders name them.
        extent: labels whose lowest and highest slice bound the nine levels.
    """

    key: str
    title: str
    where: str
    licence: str
    layout: str
    remark: str
    channels: tuple[str, ...] = Field(min_length=1)
    labels: tuple[LabelSpec, ...] = Field(min_length=1)
    classes: tuple[str, ...] = ()
    extent: tuple[str, ...] = ()


class Recipe(_Frozen):
    """A task with all that decides how it is run.

    Args:
        name: on the command line.
        title: for people.
        published: what the abstract reports.
        class_count: number of classes.
        arms: ways to classify, as ``segclassify compare`` names them; ``imagenet``, ``imagenet-tuned`` and ``both``
            stand for those of every ImageNet network that is given.
        metrics: shown, in this order.
        sources: data it can be run on.
        phantoms: how it is run on made-up images.
        data: how it is run on a source.
        small: how it is run for a quick look, on either.
    """

    name: str
    title: str
    published: Published
    class_count: int = Field(ge=2)
    arms: tuple[str, ...] = Field(min_length=1)
    metrics: tuple[Literal["accuracy", "balanced_accuracy", "macro_auc"], ...] = Field(min_length=1)
    sources: tuple[SourceSpec, ...] = Field(min_length=1)
    phantoms: Scale
    data: Scale
    small: Scale

    def source(self, key: str) -> SourceSpec:
        """The source of this key, the first where ``key`` is empty; raises SegClassifyError if there is none."""
        if not key:
            return self.sources[0]
        for source in self.sources:
            if source.key == key:
                return source
        known = ", ".join(s.key for s in self.sources)
        raise SegClassifyError(f"The recipe {self.name} knows no data called {key!r}: choose of {known}.")


def read_recipe(name: str) -> Recipe:
    """One of :data:`RECIPES`, or a JSON file of the same form.

    Raises:
        SegClassifyError: there is none of this name, or the file is not a recipe.
    """
    if name in RECIPES:
        path = resources.files(__package__).joinpath(name.replace("-", "_") + ".json")
        return Recipe.model_validate_json(path.read_text(encoding="utf-8"))
    if not name.endswith(".json"):
        raise SegClassifyError(
            f"There is no recipe {name!r}: choose of {', '.join(RECIPES)}, or give a JSON file like theirs."
        )
    try:
        return Recipe.model_validate_json(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise SegClassifyError(
            f"The recipe {name} cannot be read ({error.strerror}): check the path."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"]) or "the file"
        raise SegClassifyError(
            f"{name} is no recipe: {where}: {first['msg']}. Compare it with one of {', '.join(RECIPES)}."
        ) from error
