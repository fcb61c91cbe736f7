"""What an explanation is: a number for every voxel, numbers for what has no place, and a base; they add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from SegClassifyLib.evidence.layers import Layer
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import LabelMap

Kind = Literal["exact", "integrated gradients"]
Reference = Literal["training", "image"]
Unit = Literal["ml", "cm2", "100 pixels", "1000 voxels"]


@dataclass(frozen=True)
class Part:
    """What all features of one source, region and statistic contribute together.

    Args:
        source: a tap, "image" for grey values, "probability" for the labels' own probabilities, "shape" or "intensity".
        region: "all", a label, or "margin of <label>".
        statistic: "mean", "spread", "volume", …
        channel: of the image, for "intensity"; -1 for all channels together.
        value: in logits; above 0 speaks for the class.
        in_map: whether it is spread over the voxels of the map.
    """

    source: str
    region: str
    statistic: str
    channel: int
    value: float
    in_map: bool


@dataclass(frozen=True)
class EvidenceMap:
    """Where the logit of one class comes from.

    ``array.sum() + listed + base`` is ``logit``, up to rounding.

    Args:
        class_name: the class explained.
        against: the class whose logit is subtracted; ``None`` for the logit itself, which, as the logits of a linear
            classifier add up to nothing, compares with all classes.
        kind: how it was made.
        logit: what the classifier says, before calibration.
        reference: what a case without evidence is: "training", the average training case (linear, conv), or "image",
            this image without differences between its regions (fine-tuned).
        base: what the classifier says of that.
        array: ``(D, H, W)`` or ``(H, W)`` float32, logits a voxel, on the model grid.
        geometry: the model grid.
        shown: ``(D, H, W)`` or ``(H, W)`` float32, logits per ``unit``, on the image's own grid: smooth, and times
            ``voxel`` it adds up to what ``array`` adds up to.
        native: the image's own grid.
        unit: of volume, or of area for 2D models: "100 pixels" or "1000 voxels" of pictures, whose size in mm is not
            known.
        voxel: size of a voxel of ``shown``, in ``unit``.
        layers: what ``array`` is the sum of: each tap on its own grid.
        parts: by name, the largest first; those not in the map have no place in the image, or are listed by choice.
    """

    class_name: str
    against: str | None
    kind: Kind
    logit: float
    reference: Reference
    base: float
    array: np.ndarray
    geometry: Geometry
    shown: np.ndarray
    native: Geometry
    unit: Unit
    voxel: float
    layers: tuple[Layer, ...]
    parts: tuple[Part, ...]

    @property
    def listed(self) -> float:
        """The sum of what is not in the map."""
        return sum(part.value for part in self.parts if not part.in_map)

    @property
    def total(self) -> float:
        """The sum of everything; what it is short of ``logit`` is rounding."""
        return float(self.array.sum(dtype=np.float64)) + self.listed + self.base


@dataclass(frozen=True)
class Explanation:
    """All maps of one image.

    Args:
        image: what to call it.
        model: name of the model.
        classes: of the model.
        channels: of the model, for the names of descriptors.
        logits: ``(K,)`` of the classifier, before calibration.
        maps: one for each class asked for.
        label_map: what was segmented, on the image's own grid.
        device: where the network ran.
        notes: sentences on how it was run.
        warnings: sentences on why to believe the answer less, as those of
            :class:`~SegClassifyLib.classify.result.Classification`.
    """

    image: str
    model: str
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    logits: tuple[float, ...]
    maps: tuple[EvidenceMap, ...]
    label_map: LabelMap
    device: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
