"""One image in a few numbers: what is compared when an image is said to be unlike the training images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from SegClassifyLib.volumes.image import Image, Label, LabelMap
from SegClassifyLib.volumes.sides import sides
from SegClassifyLib.volumes.texture import texture

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
"""Of each channel's grey values, before any scaling."""

_SAMPLE = 200_000


@dataclass(frozen=True)
class Observation:
    """One image in the same numbers.

    Args:
        spacing, field_of_view: mm along x, y (, z).
        quantiles: one tuple a channel, at :data:`QUANTILES`.
        volumes: mm³ (mm²) by label name, labels that are there only.
        texture: one tuple a channel, see :func:`.texture.texture`; empty where it was not measured.
        right_handed: whether the grid's axes are, as those of DICOM series; the opposite in a 3D image means that one
            axis, usually left-right, is counted the other way round.
        sides: one tuple a channel, see :func:`.sides.sides`; empty where it was not measured.
    """

    spacing: tuple[float, ...]
    field_of_view: tuple[float, ...]
    quantiles: tuple[tuple[float, ...], ...]
    volumes: dict[str, float]
    texture: tuple[tuple[float, ...], ...] = ()
    right_handed: bool = True
    sides: tuple[tuple[float, ...], ...] = ()


def observe(image: Image, label_map: LabelMap | None = None, labels: Sequence[Label] = ()) -> Observation:
    """Measure one case.

    Args:
        image: on its own grid, grey values as stored.
        label_map: its reference segmentation, any grid.
        labels: names of the integers in ``label_map``; by default the label map's own.
    """
    geometry = image.geometry
    flat = image.array.reshape(len(image.array), -1)
    flat = flat[:, :: max(1, flat.shape[1] // _SAMPLE)]
    quantiles = tuple(tuple(float(q) for q in np.quantile(c, QUANTILES)) for c in flat)
    volumes: dict[str, float] = {}
    if label_map is not None:
        voxel = float(np.prod(label_map.geometry.spacing))
        for label in labels or label_map.labels:
            voxels = int(np.count_nonzero(label_map.array == label.value))
            if label.value != 0 and voxels:
                volumes[label.name] = voxels * voxel
    extent = tuple(n * s for n, s in zip(geometry.size, geometry.spacing, strict=True))
    rough = tuple(
        texture(channel, geometry, levels[-1] - levels[0])
        for channel, levels in zip(image.array, quantiles, strict=True)
    )
    right_handed = geometry.ndim == 2 or bool(np.linalg.det(geometry.matrix) > 0)
    halves = tuple(
        sides(channel, geometry, levels[0], levels[-1])
        for channel, levels in zip(image.array, quantiles, strict=True)
    )
    return Observation(tuple(geometry.spacing), extent, quantiles, volumes, rough, right_handed, halves)


def observation_from_json(content: dict[str, Any]) -> Observation:
    """Back from ``dataclasses.asdict`` and JSON."""
    return Observation(
        tuple(content["spacing"]),
        tuple(content["field_of_view"]),
        tuple(tuple(row) for row in content["quantiles"]),
        dict(content["volumes"]),
        tuple(tuple(row) for row in content.get("texture", ())),
        bool(content.get("right_handed", True)),
        tuple(tuple(row) for row in content.get("sides", ())),
    )
