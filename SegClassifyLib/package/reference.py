"""What the training images were like, so that an image unlike them can be pointed out in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, FiniteFloat, model_validator

from SegClassifyLib.package.grey_values import describe_grey_values, shifted_hounsfield
from SegClassifyLib.volumes.image import LabelMap
from SegClassifyLib.volumes.observation import QUANTILES, Observation


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Range(_Frozen):
    """Least and greatest value over the training cases."""

    low: FiniteFloat
    high: FiniteFloat

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise ValueError("low must not exceed high")
        return self

    def misses(self, value: float, slack: float) -> bool:
        """Whether ``value`` lies more than the factor ``slack`` (> 1) outside; for positive quantities."""
        return value * slack < self.low or value > self.high * slack


class ChannelReference(_Frozen):
    """Grey values of one channel: the range of each of :data:`QUANTILES` over the training cases."""

    name: str
    quantiles: tuple[Range, ...]


class LabelReference(_Frozen):
    """Volume (mm³; mm² in 2D) of one label over the training cases that have it."""

    name: str
    volume: Range
    present_in: int


class TrainingReference(_Frozen):
    """The training images in numbers; empty where nothing is known.

    Args:
        cases: how many were seen.
        spacing: range along x, y (, z), mm.
        field_of_view: range of size times spacing along x, y (, z), mm.
        channels: grey values, in the model's order.
        labels: volumes of the reference segmentations' labels.
        right_handed: whether the grids' axes were; ``None`` where it is not known, or differed.
    """

    cases: int = 0
    spacing: tuple[Range, ...] = ()
    field_of_view: tuple[Range, ...] = ()
    channels: tuple[ChannelReference, ...] = ()
    labels: tuple[LabelReference, ...] = ()
    right_handed: bool | None = None

    def differences(self, seen: Observation) -> tuple[str, ...]:
        """Sentences on what sets an image apart from the training images; empty when nothing does."""
        found: list[str] = []
        # A single slice stored as a volume has one axis more than the 2D images of training.
        axes = "xyz"[: min(len(seen.spacing), len(self.spacing))]
        for axis, value, known in zip(axes, seen.spacing, self.spacing, strict=False):
            if known.misses(value, 1.5):
                found.append(
                    f"The voxel spacing along {axis} is {value:.3g} mm; in training it was {span(known)} mm."
                )
        for axis, value, known in zip(axes, seen.field_of_view, self.field_of_view, strict=False):
            if known.misses(value, 1.5):
                found.append(
                    f"The image covers {value:.0f} mm along {axis}; in training it was {span(known, 0)} mm."
                )
        for quantiles, reference in zip(seen.quantiles, self.channels, strict=False):
            if _strange(quantiles, reference) or shifted_hounsfield(quantiles, reference):
                low, high = reference.quantiles[0], reference.quantiles[-1]
                usual = f"from {span(low)} to {span(high)}"
                found.append(describe_grey_values(quantiles, reference, usual))
        if (
            self.right_handed is not None
            and len(seen.spacing) == 3
            and seen.right_handed != self.right_handed
        ):
            found.append(
                "One axis of the image is counted the other way round than in all training images, usually because "
                "left and right were exchanged in its header: make sure that its left is left."
            )
        return tuple(found)

    def odd_volumes(self, label_map: LabelMap) -> tuple[str, ...]:
        """Sentences on labels that are far larger or smaller than in training; empty when none is."""
        geometry = label_map.geometry
        known = {label.name: label for label in self.labels}
        voxel, unit = float(np.prod(geometry.spacing)), "mm²" if geometry.ndim == 2 else "mm³"
        found = []
        for label in label_map.labels:
            if label.value == 0 or label.name not in known:
                continue
            size = int(np.count_nonzero(label_map.array == label.value)) * voxel
            usual = known[label.name].volume
            if size and usual.misses(size, 2.0):
                digits = 0 if min(size, usual.low) >= 10 else None
                own = span(Range(low=size, high=size), digits)
                known_range = span(usual, digits)
                found.append(f"{label.name} measures {own} {unit}; in training it was {known_range} {unit}.")
        return tuple(found)


def summarise(observations: Sequence[Observation], channels: Sequence[str]) -> TrainingReference:
    """The training reference of some cases; all must have the dimensions and channels of the first."""
    if not observations:
        return TrainingReference()
    names = sorted({name for o in observations for name in o.volumes})
    hands = {o.right_handed for o in observations}
    return TrainingReference(
        cases=len(observations),
        spacing=_ranges(o.spacing for o in observations),
        field_of_view=_ranges(o.field_of_view for o in observations),
        channels=tuple(
            ChannelReference(name=name, quantiles=_ranges(o.quantiles[c] for o in observations))
            for c, name in enumerate(channels)
        ),
        labels=tuple(_label_reference(name, observations) for name in names),
        right_handed=hands.pop() if len(hands) == 1 else None,
    )


def _label_reference(name: str, observations: Sequence[Observation]) -> LabelReference:
    volumes = [o.volumes[name] for o in observations if name in o.volumes]
    return LabelReference(
        name=name, volume=Range(low=min(volumes), high=max(volumes)), present_in=len(volumes)
    )


def _ranges(rows: Iterable[tuple[float, ...]]) -> tuple[Range, ...]:
    table = np.asarray(list(rows), dtype=float)
    return tuple(Range(low=float(c.min()), high=float(c.max())) for c in table.T)


def _strange(quantiles: tuple[float, ...], reference: ChannelReference) -> bool:
    """Brightness or contrast beyond twice what training showed: the whole span, or the median far off it."""
    low, median, high = (
        reference.quantiles[0],
        reference.quantiles[len(QUANTILES) // 2],
        reference.quantiles[-1],
    )
    span = high.high - low.low
    if span <= 0:
        return quantiles[-1] != high.high
    widest = quantiles[-1] - quantiles[0]
    narrowest = max(0.0, high.low - low.high)
    off = max(median.low - quantiles[2], quantiles[2] - median.high, 0.0)
    return widest > 2 * span or widest * 2 < narrowest or off > span


def span(known: Range, digits: int | None = None) -> str:
    """A range in words: "0.8 to 1.2", or the one value it holds."""
    low, high = (f"{v:.{digits}f}" if digits is not None else f"{v:.3g}" for v in (known.low, known.high))
    return low if low == high else f"{low} to {high}"
