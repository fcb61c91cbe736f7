"""How a classifier is trained on a segmenter's features."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from SegClassifyLib.training.finetune_settings import FineTuneSettings

HeadChoice = Literal["auto", "linear", "conv", "fine-tuned"]
SeenCases = Literal["crossfit", "exclude", "include"]


class ClassifierSettings(BaseModel):
    """How a classifier is trained.

    Args:
        head: which; ``auto`` compares by nested cross-validation.
        seen: what becomes of cases that trained the segmenter. ``crossfit``: their features come from a fold
            segmenter that has not seen them; where there is none they are left out. ``exclude``: they are left
            out. ``include``: they are used as they are, and the estimate is marked as flattering.
        focus: names of labels; only features read inside these labels and in their margins are used, where it is
            known beforehand that the class is about them. Empty: all features.
        unlabelled: most cases without a class that show the linear head how features vary.
        folds: of the cross-validation that estimates how good the classifier is.
        repeats: of it, with other folds; ``None``: 5 for the linear head, 1 for the slower ones.
        fine_tune_from: ``auto`` tries fine-tuning from so many cases on, and on a GPU only: below, frozen features
            with a linear head win.
        fine_tune: how.
        seed: of everything random.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    head: HeadChoice = "auto"
    seen: SeenCases = "crossfit"
    focus: tuple[str, ...] = ()
    unlabelled: int = Field(default=200, ge=0)
    folds: int = Field(default=5, ge=2)
    repeats: int | None = Field(default=None, ge=1)
    fine_tune_from: int = Field(default=150, ge=4)
    fine_tune: FineTuneSettings = FineTuneSettings()
    seed: int = Field(default=0, ge=0)

    def repeats_for(self, kind: str) -> int:
        """How often a head of this kind is cross-validated."""
        return self.repeats or (5 if kind == "linear" else 1)
