"""MONAI's preprocessing transforms in our own words, as near as they come."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package.foreign_config import ForeignConfig
from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, IntensitySpec, PreprocessingSpec

_HARMLESS = {
    "LoadImage",
    "EnsureChannelFirst",
    "AsChannelFirst",
    "AddChannel",
    "EnsureType",
    "CastToType",
    "ToTensor",
    "ToDevice",
    "ToNumpy",
    "ConcatItems",
    "DeleteItems",
    "SelectItems",
    "CopyItems",
    "Identity",
    "SqueezeDim",
    "SimulateDelay",
    "SpatialPad",  # to the window's size: ours pads where it must
}
_UNTOUCHED = IntensitySpec(clip="none", scale="none")


@dataclass
class ForeignSteps:
    """What the transforms seen so far amount to.

    Args:
        axcodes: as the bundle gives them: for its first, second and third array axis.
        pixdim: mm along the bundle's array axes; ``None`` where it does not resample.
        size: voxels along the bundle's array axes; ``None`` where it does not crop or pad to a size.
        fit: whether ``size`` is reached by scaling.
        multiple_of: what it pads to.
        intensity: of every channel.
        warnings: sentences on what could not be taken over as it is.
    """

    ndim: int
    channels: int
    axcodes: str | None = None
    pixdim: tuple[float, ...] | None = None
    size: tuple[int, ...] | None = None
    fit: bool = False
    multiple_of: int = 1
    intensity: IntensitySpec = _UNTOUCHED
    warnings: list[str] = field(default_factory=list)


def read_transforms(config: ForeignConfig, ndim: int, channels: int) -> ForeignSteps:
    """Go through the transforms of ``preprocessing`` in a bundle's configuration."""
    steps = ForeignSteps(ndim, channels)
    transforms = _transforms(config)
    if transforms is None:
        steps.warnings.append("The bundle's preprocessing cannot be read: images go in as they are stored.")
        return steps
    for transform in transforms:
        name = _base_name(config.target(transform))
        if name in _HARMLESS or str(transform.get("_disabled_", "")).lower() == "true":
            continue
        reader = _READERS.get(name)
        if reader is None:
            shown = name or "an unnamed transform"
            steps.warnings.append(
                f"The bundle's preprocessing step {shown} is not known here and is left out."
            )
            continue
        try:
            reader(steps, _Arguments(config, transform))
        except (TypeError, ValueError) as error:
            raise ModelPackageError(
                f"{config.path} gives {name} values that make no sense ({error}): this bundle cannot be used."
            ) from error
    return steps


def to_spec(steps: ForeignSteps, names: list[str], divisor: int) -> PreprocessingSpec:
    """The steps as a preprocessing specification.

    MONAI's arrays run x, y, z and ours z, y, x. In 3D the letters and numbers are therefore reversed, which leaves
    the array that the network sees the same; in 2D the reader of the bundle turns the network's kernels instead.
    """
    three = steps.ndim == 3
    if three and steps.axcodes is None:
        steps.warnings.append("The bundle does not say how it orients images: RAS is assumed.")

    def turned(values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        return tuple(reversed(values)) if values is not None and three else values

    grid = GridSpec(
        orientation=(steps.axcodes or "RAS")[::-1] if three else "LPS",
        spacing=None if steps.fit else turned(steps.pixdim),
        fit=steps.fit,
        size=turned(steps.size),
        multiple_of=math.lcm(divisor, steps.multiple_of),
    )
    ndim: Literal[2, 3] = 3 if three else 2
    return PreprocessingSpec(
        ndim=ndim, channels=tuple(ChannelSpec(name=n, intensity=steps.intensity) for n in names), grid=grid
    )


class _Arguments:
    """Arguments of one transform, each resolved only when it is asked for."""

    def __init__(self, config: ForeignConfig, transform: dict[str, Any]) -> None:
        self._config, self._transform = config, transform

    def get(self, name: str, default: Any = None) -> Any:
        return self._config.argument(self._transform, name, default)

    def number(self, name: str, default: float | None) -> float | None:
        value = self.get(name, default)
        return None if value is None else float(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.get(name, default)
        return value.strip().lower() == "true" if isinstance(value, str) else bool(value)

    def axes(self, name: str, ndim: int) -> tuple[float, ...]:
        value = self.get(name)
        values = value if isinstance(value, list) else [value] * ndim
        if len(values) != ndim:
            raise ValueError(f"{name} {value} for {ndim} axes")
        return tuple(-1.0 if v is None else float(v) for v in values)


def _transforms(config: ForeignConfig) -> list[dict[str, Any]] | None:
    preprocessing = config.raw("preprocessing")
    listed = preprocessing.get("transforms") if isinstance(preprocessing, dict) else preprocessing
    if isinstance(listed, str) and listed.lstrip("$").startswith("@"):
        listed = config.raw(listed.lstrip("$")[1:])
    if not isinstance(listed, list) or not all(isinstance(t, dict) for t in listed):
        return None
    return listed


def _base_name(target: str) -> str:
    """The name "Spacing" of "Spacingd", "SpacingD", "SpacingDict"."""
    for ending in ("Dict", "d", "D"):
        base = target.removesuffix(ending)
        if base != target and (base in _READERS or base in _HARMLESS):
            return base
    return target


def _orientation(steps: ForeignSteps, a: _Arguments) -> None:
    code = a.get("axcodes")
    if a.flag("as_closest_canonical"):
        code = "RAS"
    if not isinstance(code, str):
        raise ValueError(f"axcodes {code!r}")
    steps.axcodes = code.upper()


def _spacing(steps: ForeignSteps, a: _Arguments) -> None:
    pixdim = a.axes("pixdim", steps.ndim)
    if min(pixdim) <= 0:
        steps.warnings.append(
            f"The bundle resamples some axes only (pixdim {pixdim}): none is resampled here."
        )
        return
    steps.pixdim = pixdim


def _size(steps: ForeignSteps, a: _Arguments) -> None:
    name = "roi_size" if a.get("roi_size") is not None else "spatial_size"
    size = a.axes(name, steps.ndim)
    if min(size) > 0:
        steps.size = tuple(int(n) for n in size)


def _resize(steps: ForeignSteps, a: _Arguments) -> None:
    size = a.axes("spatial_size", steps.ndim)
    if min(size) <= 0:
        raise ValueError(f"spatial_size {size}")
    steps.size, steps.fit = tuple(int(n) for n in size), True
    if len(set(steps.size)) > 1 or steps.ndim == 3:
        steps.warnings.append(
            "The bundle stretches images to one size; here they keep their shape within it."
        )


def _divisible(steps: ForeignSteps, a: _Arguments) -> None:
    steps.multiple_of = math.lcm(steps.multiple_of, *(max(1, int(k)) for k in a.axes("k", steps.ndim)))


def _range(steps: ForeignSteps, a: _Arguments) -> None:
    a_min, a_max = a.number("a_min", None), a.number("a_max", None)
    if a_min is None or a_max is None or not a_min < a_max:
        raise ValueError(f"a_min {a_min}, a_max {a_max}")
    low, high = a.number("b_min", None), a.number("b_max", None)
    low, high = (0.0, 1.0) if low is None or high is None else (low, high)
    if steps.intensity != _UNTOUCHED:
        steps.warnings.append(
            "The bundle maps a grey-value range after another scaling: the range is left out."
        )
    elif a.flag("clip"):
        steps.intensity = IntensitySpec(
            clip="window", lower=a_min, upper=a_max, scale="unit", gain=high - low, offset=low
        )
    else:
        gain = (high - low) / (a_max - a_min)
        steps.intensity = _UNTOUCHED.model_copy(update={"gain": gain, "offset": low - a_min * gain})


def _percentiles(steps: ForeignSteps, a: _Arguments) -> None:
    low, high = a.number("b_min", 0.0), a.number("b_max", 1.0)
    low, high = (0.0, 1.0) if low is None or high is None else (low, high)
    if steps.intensity != _UNTOUCHED:
        steps.warnings.append(
            "The bundle scales by percentiles after another scaling: the first one is left out."
        )
    if not a.flag("clip"):
        steps.warnings.append(
            "The bundle does not clip at its percentiles; here grey values are clipped there."
        )
    _joint_statistics(steps, a)
    steps.intensity = IntensitySpec(
        clip="percentile",
        lower=float(a.get("lower")),
        upper=float(a.get("upper")),
        scale="unit",
        gain=high - low,
        offset=low,
    )


def _unit(steps: ForeignSteps, a: _Arguments) -> None:
    low, high = a.number("minv", 0.0), a.number("maxv", 1.0)
    if a.get("factor") is not None or low is None or high is None:
        steps.warnings.append("The bundle multiplies grey values by a factor: that is left out.")
        return
    if steps.intensity.clip == "window":
        steps.warnings.append(
            "The bundle scales from least to greatest value after clipping; here from the limits."
        )
    _joint_statistics(steps, a)
    steps.intensity = steps.intensity.model_copy(
        update={"scale": "unit", "nonzero": False, "gain": high - low, "offset": low}
    )


def _zscore(steps: ForeignSteps, a: _Arguments) -> None:
    mean, deviation = a.get("subtrahend"), a.get("divisor")
    before = steps.intensity
    if mean is not None or deviation is not None:
        gain = 1.0 / float(1.0 if deviation is None else deviation)
        offset = -float(0.0 if mean is None else mean) * gain
        steps.intensity = before.model_copy(
            update={"gain": before.gain * gain, "offset": before.offset * gain + offset}
        )
        return
    _joint_statistics(steps, a)
    nonzero = a.flag("nonzero")
    if nonzero:
        steps.warnings.append(
            "The bundle leaves voxels of value 0 at 0 when it standardises; here they move along."
        )
    # Mean 0 and deviation 1 are the same whatever straight line the values went through before.
    scale = "unit_zscore" if before.scale == "unit" else "zscore"
    steps.intensity = before.model_copy(
        update={"scale": scale, "nonzero": nonzero, "gain": 1.0, "offset": 0.0}
    )


def _joint_statistics(steps: ForeignSteps, a: _Arguments) -> None:
    if steps.channels > 1 and not a.flag("channel_wise"):
        steps.warnings.append("The bundle scales all channels together; here each is scaled on its own.")


def _foreground(steps: ForeignSteps, a: _Arguments) -> None:
    steps.warnings.append("The bundle crops to the foreground; here the whole image goes in.")


_READERS: dict[str, Callable[[ForeignSteps, _Arguments], None]] = {
    "Orientation": _orientation,
    "Spacing": _spacing,
    "CenterSpatialCrop": _size,
    "ResizeWithPadOrCrop": _size,
    "Resize": _resize,
    "DivisiblePad": _divisible,
    "CropForeground": _foreground,
    "ScaleIntensityRange": _range,
    "ScaleIntensityRangePercentiles": _percentiles,
    "ScaleIntensity": _unit,
    "NormalizeIntensity": _zscore,
}
