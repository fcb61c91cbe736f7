"""What is compared, how often, and how each way to classify learns: a description that people can read and edit."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from SegClassifyLib.heads.conv import ConvSettings
from SegClassifyLib.heads.linear import LinearSettings
from SegClassifyLib.training.classifier_settings import SeenCases
from SegClassifyLib.training.finetune_settings import FineTuneSettings
from SegClassifyLib.training.settings import PretrainedSettings, ScratchSettings

ALL = 0
"""The size that stands for every case there is to learn from."""

TestCases = Literal["auto", "split", "halves", "rest"]


class CompareSettings(BaseModel):
    """A comparison.

    Args:
        sizes: training cases of each class; ``ALL`` (0) for all there are, whatever their classes.
        draws: of the training cases for each size; the same for every arm.
        slow_draws: how many of them the slow arms are trained on.
        test: ``split``: the set's test cases; ``halves``: for each draw a random half of the patients is tested on;
            ``rest``: all patients that a draw did not take; ``auto``: split where there are test cases, else rest.
        seen: cases that trained a segmenter. ``crossfit``: their features come from a fold segmenter that has not seen
            them, or they are left out; ``exclude``: they are left out; ``include``: they may train classifiers as they
            are and are never tested on.
        unlabelled: most images, of other patients than those trained and tested on, that show linear heads how features
            vary; their classes are not looked at.
        linear, conv, fine_tune, scratch, pretrained: how the arms learn.
        slices: axial slices of a volume that frozen ImageNet networks look at.
        edge: pixels a side of their pictures; ``None``: 224 in 2D, 128 in 3D.
        seed: of draws, networks and intervals.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sizes: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(5, 10, 20, 50), min_length=1)
    draws: int = Field(default=10, ge=1)
    slow_draws: int = Field(default=3, ge=1)
    test: TestCases = "auto"
    seen: SeenCases = "crossfit"
    unlabelled: int = Field(default=200, ge=0)
    linear: LinearSettings = LinearSettings()
    conv: ConvSettings = ConvSettings()
    fine_tune: FineTuneSettings = FineTuneSettings()
    scratch: ScratchSettings = ScratchSettings()
    pretrained: PretrainedSettings = PretrainedSettings()
    slices: int = Field(default=9, ge=1)
    edge: int | None = Field(default=None, ge=32)
    seed: int = Field(default=0, ge=0)

    def edge_for(self, ndim: int) -> int:
        """Pixels a side of pictures of 2D or 3D images."""
        return self.edge or (128 if ndim == 3 else 224)


def size_name(size: int) -> str:
    """A size for people."""
    return "all" if size == ALL else str(size)
