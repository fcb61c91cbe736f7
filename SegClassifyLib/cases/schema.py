"""``dataset.json`` as data: a Medical Segmentation Decathlon datalist with class, group and role per case."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from SegClassifyLib.volumes.image import Label
from SegClassifyLib.volumes.labels import BACKGROUND, distinct_colour

FORMAT = 1
"""Raised when an older SegClassify could misread what a newer one writes."""

Role = Literal["both", "segmenter", "classifier"]
Split = Literal["train", "test"]
Storage = Literal["own", "reference"]


class _Part(BaseModel):
    """Keys we do not know are kept and written back: other tools have their own."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)


class Case(_Part):
    """One patient's image(s) at one time.

    Args:
        name: unique in the set, also ignoring case; fit for a file name.
        images: one file a channel, in the set's order; relative to the set's folder, ``/`` between parts.
        segmentation: label map on the image's grid, relative like ``images``.
        label_class: the class of the case (``class`` in JSON); ``None`` while nobody has said.
        group: what must not be split across folds, usually the patient; ``None``: the case is alone.
        role: what the case may be used for: training the segmenter, the classifier, or both.
        segmentation_is_prediction: nobody has corrected the segmentation yet; it trains no segmenter.
        image_hash: content hash of the channels when the case was added.
        storage: ``own`` files lie in the set's folder; ``reference`` paths may lead anywhere.
        split: which of the two lists of ``dataset.json`` holds it.
    """

    name: str = Field(min_length=1)
    images: tuple[str, ...] = Field(alias="image", min_length=1)
    segmentation: str | None = Field(default=None, alias="label")
    label_class: str | None = Field(default=None, alias="class")
    group: str | None = None
    role: Role = "both"
    segmentation_is_prediction: bool = False
    image_hash: str | None = None
    storage: Storage = "own"
    split: Split = Field(default="train", exclude=True)

    @field_validator("images", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("segmentation", "label_class", "group", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @property
    def group_name(self) -> str:
        """The group, or the case's own name where it has none."""
        return self.group or self.name

    @property
    def may_train_classifier(self) -> bool:
        """Whether the classifier learns from it once it has a class."""
        return self.role != "segmenter" and self.split == "train"

    @property
    def trains_classifier(self) -> bool:
        """Whether the classifier learns from it as it is."""
        return self.label_class is not None and self.may_train_classifier

    @property
    def may_train_segmenter(self) -> bool:
        """Whether the segmenter learns from it once a person has drawn or corrected its segmentation."""
        return self.segmentation is not None and self.role != "classifier" and self.split == "train"

    @property
    def trains_segmenter(self) -> bool:
        """Whether the segmenter learns from it as it is."""
        return self.may_train_segmenter and not self.segmentation_is_prediction

    @property
    def files(self) -> tuple[str, ...]:
        """Images and segmentation, as written in ``dataset.json``."""
        return (*self.images, *([self.segmentation] if self.segmentation else []))

    def to_json(self) -> dict[str, Any]:
        """The entry of ``dataset.json``; one channel is written as a plain string, as the Decathlon does.

        Nothing empty is written: MONAI takes any text that names an existing path for a path, and an
        empty one names the folder itself.
        """
        entry = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        if len(self.images) == 1:
            entry["image"] = self.images[0]
        if self.segmentation is None:
            entry.pop("segmentation_is_prediction")
        if self.storage == "own":
            entry.pop("storage")
        return entry


class OwnPart(_Part):
    """What SegClassify adds at the top level, under ``segclassify``."""

    format: int = FORMAT
    classes: tuple[str, ...] = ()
    label_colours: dict[str, tuple[float, float, float]] = {}


class DatasetFile(_Part):
    """The whole of ``dataset.json``."""

    name: str
    description: str = ""
    reference: str = ""
    licence: str = ""
    tensor_image_size: Literal["2D", "3D"] = Field(default="3D", alias="tensorImageSize")
    modality: dict[str, str] = Field(min_length=1)
    labels: dict[str, str] = Field(min_length=1)
    num_training: int = Field(default=0, alias="numTraining")
    num_test: int = Field(default=0, alias="numTest")
    segclassify: OwnPart
    training: tuple[Case, ...] = ()
    test: tuple[Case, ...] = ()

    @field_validator("modality", "labels")
    @classmethod
    def _numbered(cls, value: dict[str, str]) -> dict[str, str]:
        if sorted(value) != sorted(str(n) for n in range(len(value))):
            raise ValueError(f'keys must be "0", "1", … without a gap, not {", ".join(value)}')
        return value

    @field_validator("training", "test")
    @classmethod
    def _mark_split(cls, value: tuple[Case, ...], info: ValidationInfo) -> tuple[Case, ...]:
        split = "test" if info.field_name == "test" else "train"
        return tuple(c.model_copy(update={"split": split}) for c in value)

    @property
    def cases(self) -> tuple[Case, ...]:
        """Training cases, then test cases."""
        return (*self.training, *self.test)

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in order."""
        return tuple(self.modality[str(n)] for n in range(len(self.modality)))

    @property
    def label_list(self) -> tuple[Label, ...]:
        """Labels by value, background first."""
        colours = self.segclassify.label_colours
        values = range(len(self.labels))
        labels = [
            Label(v, self.labels[str(v)], colours.get(str(v), distinct_colour(v - 1))) for v in values if v
        ]
        return (Label(0, self.labels["0"], BACKGROUND.colour), *labels)

    @property
    def ndim(self) -> Literal[2, 3]:
        """2 or 3."""
        return 2 if self.tensor_image_size == "2D" else 3

    def with_cases(self, cases: tuple[Case, ...]) -> DatasetFile:
        """The same set with these cases, each in the list of its split."""
        train = tuple(c for c in cases if c.split == "train")
        test = tuple(c for c in cases if c.split == "test")
        update = {"training": train, "test": test, "num_training": len(train), "num_test": len(test)}
        return self.model_copy(update=update)

    def with_classes(self, classes: tuple[str, ...]) -> DatasetFile:
        """The same set with these classes."""
        return self.model_copy(
            update={"segclassify": self.segclassify.model_copy(update={"classes": classes})}
        )

    def to_json(self) -> dict[str, Any]:
        """The content of ``dataset.json``."""
        content = self.model_dump(mode="json", by_alias=True, exclude={"training", "test"})
        content["training"] = [c.to_json() for c in self.training]
        content["test"] = [c.to_json() for c in self.test]
        return content
