"""How an image becomes a network's input: a description that people can read and edit."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PREPROCESSING_VERSION = 1
"""Raised whenever the same description would give other numbers; part of every feature cache key."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IntensitySpec(_Frozen):
    """Grey values of one channel, in this order: clip, scale, standardise.

    Args:
        clip: ``percentile`` clips at the ``lower``/``upper`` percentiles (0 to 100) of the channel's voxels,
            ``window`` at the absolute values ``lower``/``upper`` (CT in HU), ``none`` leaves them.
        scale: ``unit`` maps the clipped range to 0..1; ``zscore`` subtracts the mean and divides by the
            standard deviation; ``unit_zscore`` does both in that order; ``none`` neither.
        nonzero: take percentiles, mean and deviation over non-zero voxels only (skull-stripped MR).
        gain, offset: last of all ``x * gain + offset``.
    """

    clip: Literal["percentile", "window", "none"] = "percentile"
    lower: float = 0.5
    upper: float = 99.5
    scale: Literal["unit", "zscore", "unit_zscore", "none"] = "zscore"
    nonzero: bool = False
    gain: float = 1.0
    offset: float = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> IntensitySpec:
        if self.clip != "none" and not self.lower < self.upper:
            raise ValueError("lower must be less than upper")
        return self


class GridSpec(_Frozen):
    """The grid the network works on. Tuples run x, y (, z); 3D axes are first turned to ``orientation``.

    Args:
        orientation: anatomical directions in which the x, y and z indices increase, DICOM letters ("LPS": x to
            the patient's Left, y to Posterior, z to Superior); the nearest axes of oblique images are taken.
            Images of 2D networks are only flipped so that their indices increase along their own world axes.
        spacing: millimetres; ``None`` keeps each image's own.
        fit: scale the image, keeping its shape, so that it just fits into ``size`` (2D pictures without a
            meaningful spacing); needs ``size`` and no ``spacing``.
        size: centre-crop or pad to exactly this many voxels after scaling; ``None`` keeps the extent.
        multiple_of: pad at the far end so that every axis is a multiple (what a network with skips needs).
        pad: ``minimum`` pads with the least value of each channel after intensity scaling, ``edge`` repeats the
            last voxel.
    """

    orientation: str = "LPS"
    spacing: tuple[float, ...] | None = None
    fit: bool = False
    size: tuple[int, ...] | None = None
    multiple_of: int = Field(default=1, ge=1)
    pad: Literal["minimum", "edge"] = "minimum"

    @model_validator(mode="after")
    def _consistent(self) -> GridSpec:
        if self.fit and (self.size is None or self.spacing is not None):
            raise ValueError("fit needs a size and no spacing")
        axes = [frozenset("LR"), frozenset("AP"), frozenset("IS")]
        if len(self.orientation) != 3 or {
            frozenset(a) for a in axes if any(c in a for c in self.orientation)
        } != set(axes):
            raise ValueError(f"orientation {self.orientation!r} is not three letters such as LPS or RAS")
        if self.spacing is not None and min(self.spacing) <= 0:
            raise ValueError("spacing must be positive")
        return self


class ChannelSpec(_Frozen):
    """One input image of a case: its name ("T1c") and how its grey values are scaled."""

    name: str
    intensity: IntensitySpec = IntensitySpec()


class PreprocessingSpec(_Frozen):
    """Everything between an image on its own grid and the network's input tensor.

    Args:
        ndim: 2 or 3, that of the network.
        channels: in the network's order.
        grid: the model grid.
    """

    ndim: Literal[2, 3]
    channels: tuple[ChannelSpec, ...] = Field(min_length=1)
    grid: GridSpec = GridSpec()

    @model_validator(mode="after")
    def _dimensions(self) -> PreprocessingSpec:
        for name in ("spacing", "size"):
            value = getattr(self.grid, name)
            if value is not None and len(value) != self.ndim:
                raise ValueError(f"grid.{name} needs {self.ndim} numbers, has {len(value)}")
        if len({c.name for c in self.channels}) != len(self.channels):
            raise ValueError("channel names must differ")
        return self
