"""A sensible preprocessing for a training set, chosen from its images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, IntensitySpec, PreprocessingSpec
from SegClassifyLib.volumes.dimensions import flatten
from SegClassifyLib.volumes.image import Image
from SegClassifyLib.volumes.orient import to_orientation

MAX_VOXELS = {2: 256 * 256, 3: 128 * 128 * 128}
"""Median model grid, at most, by dimensions: what two processor cores run through in seconds."""

_ORIENTATION = "LPS"
_AIR = -500.0


@dataclass(frozen=True)
class _Look:
    """What the plan needs of one image, axes turned to the model's orientation."""

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    quantiles: np.ndarray


def plan_preprocessing(
    images: Iterable[Image],
    channels: Sequence[str],
    ndim: int,
    multiple_of: int = 1,
    max_voxels: int | None = None,
) -> PreprocessingSpec:
    """Choose grid and intensity scaling.

    Volumes get their median spacing, coarser where the median volume would exceed ``max_voxels``. Pictures without
    a spacing (all 1 mm, several sizes) are fitted into one square. Channels that reach below -500 are taken for CT
    in HU and get one fixed window for all cases; others are clipped at percentiles and standardised one by one.

    Args:
        images: some or all of the training images; looked at one after the other.
        channels: names, in order.
        ndim: of the network; single-slice volumes are flattened for 2.
        multiple_of: what the network needs each axis to be a multiple of.
        max_voxels: of the median model grid; :data:`MAX_VOXELS` where not given.
    """
    looks = [_look(flatten(i) if i.geometry.ndim > ndim else i) for i in images]
    limit = max_voxels or MAX_VOXELS[ndim]
    sizes = np.asarray([look.size for look in looks], dtype=float)
    spacings = np.asarray([look.spacing for look in looks])
    if ndim == 2 and np.allclose(spacings, 1.0) and len(np.unique(sizes, axis=0)) > 1:
        edge = min(float(np.median(sizes.max(1))), limit**0.5)
        side = max(multiple_of, round(edge / multiple_of) * multiple_of)
        grid = GridSpec(orientation=_ORIENTATION, fit=True, size=(side, side), multiple_of=multiple_of)
    else:
        spacing = _spacing(sizes, spacings, limit)
        grid = GridSpec(orientation=_ORIENTATION, spacing=spacing, multiple_of=multiple_of)
    quantiles = np.stack([look.quantiles for look in looks])
    specs = tuple(
        ChannelSpec(name=name, intensity=_intensity(quantiles[:, c])) for c, name in enumerate(channels)
    )
    return PreprocessingSpec(ndim=ndim, channels=specs, grid=grid)


def _look(image: Image) -> _Look:
    _, turned = to_orientation(np.empty(image.geometry.shape, np.bool_), image.geometry, _ORIENTATION)
    rows = []
    for channel in image.array:
        sample = channel.ravel()[:: max(1, channel.size // 100_000)]
        rows.append(np.percentile(sample, [0, 0.5, 99.5, 100]))
    return _Look(turned.size, turned.spacing, np.asarray(rows))


def _spacing(sizes: np.ndarray, spacings: np.ndarray, limit: int) -> tuple[float, ...]:
    """Median spacing, its finest axes made coarser together until the median volume has ``limit`` voxels."""
    spacing = np.median(spacings, axis=0)
    extent = np.median(sizes * spacings, axis=0)
    while np.prod(extent / spacing) > limit:
        finest = spacing <= spacing.min() * 1.05
        spacing = np.where(finest, spacing * 1.05, spacing)
    return tuple(float(f"{s:.4g}") for s in spacing)


def _intensity(quantiles: np.ndarray) -> IntensitySpec:
    """From the 0, 0.5, 99.5 and 100 % quantiles of each case, ``(N, 4)``."""
    if np.median(quantiles[:, 0]) < _AIR:
        low, high = float(np.median(quantiles[:, 1])), float(np.median(quantiles[:, 2]))
        return IntensitySpec(
            clip="window", lower=round(low), upper=max(round(high), round(low) + 1), scale="unit_zscore"
        )
    return IntensitySpec(clip="percentile", lower=0.5, upper=99.5, scale="zscore")
