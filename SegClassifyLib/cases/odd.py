"""Cases whose voxel size or grey values are far from those of the others: wrong headers, units, series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from SegClassifyLib.cases.findings import Finding

if TYPE_CHECKING:
    from SegClassifyLib.volumes.geometry import Geometry
    from SegClassifyLib.volumes.observation import Observation

# Spacing is worth a word when it is _FAR times the set's median, or as much below, and less than _COMMON of the
# cases are within a factor of _ALIKE of it: thick slices in a tenth of all CT scans are no mistake.
_FAR, _ALIKE, _COMMON = 2.0, 1.5, 0.05
# Contrast (the span of the grey values) is worth a word when it is _WIDE times the median span or as much below,
# brightness when the median grey value is _SHIFT spans off; and both only when they are also _ROBUST robust
# standard deviations off, so that a set of many scanners is not full of remarks.
_WIDE, _SHIFT, _ROBUST = 4.0, 0.5, 5.0
_FEWEST = 5
_MAD = 1.4826
"""Median absolute deviation to standard deviation of a normal distribution."""
_REMEDY = "export it again in the units of the others if that is wrong, or remove the case if it shows something else"
_REMEDY_FOR_MANY = (
    "if that is another scanner or unit, see that every class has such cases, or it is what is learnt"
)


def odd_spacing(grids: Mapping[str, Geometry]) -> Iterator[Finding]:
    """Cases whose voxel size is far from what the others have; sorted, because axes may be stored in any order.

    Args:
        grids: of the images, by case name.
    """
    by_ndim: dict[int, dict[str, Geometry]] = defaultdict(dict)
    for name, grid in grids.items():
        by_ndim[grid.ndim][name] = grid
    for group in by_ndim.values():
        if len(group) < 3:
            continue
        spacings = np.log([sorted(g.spacing) for g in group.values()])
        median = np.median(spacings, axis=0)
        for (name, grid), spacing in zip(group.items(), spacings, strict=True):
            alike = int((np.abs(spacings - spacing) < np.log(_ALIKE)).all(axis=1).sum()) - 1
            if np.abs(spacing - median).max() > np.log(_FAR) and alike < max(1, _COMMON * len(group)):
                own = " x ".join(f"{s:g}" for s in grid.spacing)
                usual = " x ".join(f"{s:.3g}" for s in np.exp(median))
                yield Finding(
                    "warning",
                    "odd spacing",
                    f"Case {name!r} has voxels of {own} mm, far from the usual {usual} mm",
                    "correct its header if that is wrong, or remove the case if it is another kind of image",
                    (name,),
                )


def odd_intensities(observations: Mapping[str, Observation], channels: Sequence[str]) -> Iterator[Finding]:
    """Cases whose grey values are far brighter, darker, wider or narrower than those of the others.

    Args:
        observations: of the images as stored, by case name.
        channels: names, in the images' order.
    """
    if len(observations) < _FEWEST:
        return
    names = list(observations)
    for number, channel in enumerate(channels):
        rows = np.array([observations[name].quantiles[number] for name in names])
        low, middle, high = rows[:, 0], rows[:, rows.shape[1] // 2], rows[:, -1]
        usual = float(np.median(high - low))
        if usual <= 0:
            continue
        # An image of one grey value has no logarithm of its span, and is far from any.
        width = np.log(np.maximum(high - low, 1e-6 * usual) / usual)
        shift = (middle - np.median(middle)) / np.maximum(high - low, usual)
        odd = np.flatnonzero(_far(width, np.log(_WIDE)) | _far(shift, _SHIFT))
        common = _alike(width, shift)[odd] >= max(1, _COMMON * len(names))
        rest = f"far from the usual {np.median(low):.4g} to {np.median(high):.4g}"
        for case in odd[~common]:
            own = f"run from {low[case]:.4g} to {high[case]:.4g}, {rest}"
            what = f"Case {names[case]!r}: the grey values of {channel} {own}"
            yield Finding("warning", "odd intensities", what, _REMEDY, (names[case],))
        brighter = middle[odd] > np.median(middle)
        for many in (odd[common & brighter], odd[common & ~brighter]):
            if len(many):
                own = f"run from about {np.median(low[many]):.4g} to {np.median(high[many]):.4g}, {rest}"
                what = f"{len(many)} cases ({_some(names, many)}): the grey values of {channel} {own}"
                members = tuple(names[i] for i in many)
                yield Finding("info", "odd intensities", what, _REMEDY_FOR_MANY, members)


def _far(values: np.ndarray, least: float) -> np.ndarray:
    """Which of ``values (N,)`` are off their median by ``least`` and by :data:`_ROBUST` robust deviations."""
    off = np.abs(values - np.median(values))
    return off > max(least, _ROBUST * _MAD * float(np.median(off)))


def _alike(width: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """For each case how many others have nearly its span and its brightness, ``(N,)`` int."""
    near = np.abs(width[:, None] - width) < np.log(_ALIKE)
    near &= np.abs(shift[:, None] - shift) < _SHIFT / 2
    return near.sum(1) - 1


def _some(names: Sequence[str], chosen: np.ndarray) -> str:
    shown = ", ".join(names[i] for i in chosen[:3])
    return shown + (" …" if len(chosen) > 3 else "")
