"""How a segmenter, or the from-scratch baseline, is trained: descriptions that people can read and edit."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AugmentationSettings(_Frozen):
    """How training patches are varied; every range is multiplied by ``strength``.

    Args:
        strength: 0 switches everything off but flips, 1 is a moderate default, 2 is a lot.
        flip: image axes mirrored at random. Left and right look alike in most organs, so "x" is on; leave it out
            when labels tell left from right.
        rotation: degrees, each way.
        scaling: 0.15 means 15 % smaller to 15 % larger.
        elastic: typical displacement of a smooth random warp, as a share of the patch's length.
        spatial_share: share of patches that are rotated, scaled and warped (these three cost one interpolation).
        intensity_share: chance of each intensity change (contrast, gamma, noise, blur, low resolution, shading).
    """

    strength: float = Field(default=1.0, ge=0, le=3)
    flip: tuple[Literal["x", "y", "z"], ...] = ("x",)
    rotation: float = Field(default=15.0, ge=0, le=180)
    scaling: float = Field(default=0.15, ge=0, lt=0.9)
    elastic: float = Field(default=0.02, ge=0, le=0.2)
    spatial_share: float = Field(default=0.3, ge=0, le=1)
    intensity_share: float = Field(default=0.15, ge=0, le=1)


class SegmenterSettings(_Frozen):
    """How a segmenter is trained.

    Args:
        epochs: budget in epochs; 40 where neither budget is given. Only such a run, on a CPU, is repeated to the last
            bit after a kill.
        minutes: budget in minutes of wall time, validation included; with both, whichever ends first counts.
        steps_per_epoch: optimiser steps between two looks at the validation cases; ``None``: as many as show
            about every case twice, at least 20, at most 250.
        patch: voxels, array order (D, H, W) or (H, W); ``None``: the median image within ``patch_voxels``.
        patch_voxels: most voxels of a chosen patch; ``None``: 48³ in 3D, 256² in 2D. With
            little time, small 3D patches and many steps beat whole volumes and few.
        batch: patches a step; ``None``: 2 in 3D, 8 in 2D. On a CPU 1 is several times slower for each patch than
            2, because torch takes its slow convolution for small single images.
        learning_rate, weight_decay: of AdamW; the rate warms up and then follows a cosine to zero. Transformers
            (SwinUNETR) want a tenth of the default.
        loss: ``dice_ce``, or ``exp_log`` for labels of very unequal size.
        include_background: count the background in the Dice part of ``dice_ce``.
        deep_supervision: weights of a network's outputs in training, finest first; the last one repeats.
        validation_fraction: share of groups held out to choose the best epoch; 0 trains on all and keeps the
            last weights.
        validation_groups: at most so many groups are held out.
        validation_voxels: larger images are validated in patch-sized windows.
        patience: epochs without a better Dice after which training stops; ``None``: never early.
        foreground: share of patches centred on a label, every label equally often; cases without any label keep
            their part of the rest.
        augmentation: see there.
        ema: decay of the running mean of weights that is validated and kept; ``None``: the weights themselves.
        mixed_precision: ``auto`` on CUDA only; ``off``.
        absent_labels: ``refuse`` when a label is in no case, or ``allow`` (folds of a cross-fit).
        seed: of everything random.
    """

    epochs: int | None = Field(default=None, ge=1)
    minutes: float | None = Field(default=None, gt=0)
    steps_per_epoch: int | None = Field(default=None, ge=1)
    patch: tuple[int, ...] | None = None
    patch_voxels: int | None = Field(default=None, ge=64)
    batch: int | None = Field(default=None, ge=1)
    learning_rate: float = Field(default=5e-3, gt=0)
    weight_decay: float = Field(default=1e-3, ge=0)
    loss: Literal["dice_ce", "exp_log"] = "dice_ce"
    include_background: bool = False
    deep_supervision: tuple[float, ...] = Field(default=(1.0, 0.5, 0.25, 0.125), min_length=1)
    validation_fraction: float = Field(default=0.15, ge=0, lt=1)
    validation_groups: int = Field(default=30, ge=1)
    validation_voxels: int = Field(default=160**3, ge=1)
    patience: int | None = Field(default=None, ge=1)
    foreground: float = Field(default=0.67, ge=0, le=1)
    augmentation: AugmentationSettings = AugmentationSettings()
    ema: float | None = Field(default=0.98, gt=0, lt=1)
    mixed_precision: Literal["auto", "off"] = "auto"
    absent_labels: Literal["refuse", "allow"] = "refuse"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _bounded(self) -> SegmenterSettings:
        if self.patch is not None and (len(self.patch) not in (2, 3) or min(self.patch) < 1):
            raise ValueError("patch is two or three positive numbers, array order (D, H, W) or (H, W)")
        if min(self.deep_supervision) < 0 or self.deep_supervision[0] <= 0:
            raise ValueError("deep_supervision weights are not negative, and the first is positive")
        return self

    @property
    def epoch_limit(self) -> int | None:
        """Budget in epochs, or ``None`` where only time counts."""
        return 40 if self.epochs is None and self.minutes is None else self.epochs

    def batch_for(self, ndim: int) -> int:
        """Patches a step for a 2D or 3D network."""
        return self.batch or (2 if ndim == 3 else 8)

    def patch_voxels_for(self, ndim: int) -> int:
        """Most voxels of a patch for a 2D or 3D network."""
        return self.patch_voxels or (48**3 if ndim == 3 else 256**2)


class ImageTrainingSettings(_Frozen):
    """How a classifier is trained on images.

    Args:
        steps: most optimiser steps.
        batch: images a step; ``None``: 4 in 3D, 8 in 2D.
        learning_rate, weight_decay: of AdamW, cosine to zero.
        augmentation: as for segmenters.
        hold_out_from: where patients are known and every class has so many, a fifth of them is held out and stops the
            training; with fewer there are none to spare, and all steps are run.
        check_every: steps between two looks at the held-out cases.
        patience: looks without a better one after which training stops.
    """

    steps: int = Field(default=200, ge=1)
    batch: int | None = Field(default=None, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    augmentation: AugmentationSettings = AugmentationSettings()
    hold_out_from: int = Field(default=10, ge=2)
    check_every: int = Field(default=10, ge=1)
    patience: int = Field(default=6, ge=1)

    def batch_for(self, ndim: int) -> int:
        """Images a step for 2D or 3D."""
        return self.batch or (4 if ndim == 3 else 8)


class ScratchSettings(ImageTrainingSettings):
    """How the from-scratch classifier is trained.

    Args:
        architecture: ``encoder``: the segmenter's own encoder, freshly initialised; or one of MONAI's networks.
        size: all images are scaled to this many voxels, array order; ``None``: the median image within
            ``size_voxels``.
        size_voxels: ``None``: 48³ in 3D, 128² in 2D.
    """

    architecture: Literal["encoder", "resnet18", "densenet121"] = "encoder"
    size: tuple[int, ...] | None = None
    size_voxels: int | None = Field(default=None, ge=64)

    def size_voxels_for(self, ndim: int) -> int:
        """Most voxels of the common size for 2D or 3D."""
        return self.size_voxels or (48**3 if ndim == 3 else 128**2)


class PretrainedSettings(ImageTrainingSettings):
    """How an ImageNet network is fine-tuned, from the linear head on its frozen features on.

    Args:
        network_rate: learning rate of the network; ``learning_rate`` is that of the last layer.
        edge: pixels a side of the pictures; ``None``: 224 in 2D, 128 in 3D.
        slices: axial slices of a volume.
    """

    steps: int = Field(default=100, ge=1)
    network_rate: float = Field(default=1e-4, gt=0)
    edge: int | None = Field(default=None, ge=32)
    slices: int = Field(default=6, ge=1)

    def edge_for(self, ndim: int) -> int:
        """Pixels a side for 2D or 3D images."""
        return self.edge or (128 if ndim == 3 else 224)
