"""What is said about where an answer comes from. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from SegClassifyLib.worker.job_messages import FileSource, VolumeSource
from SegClassifyLib.worker.params import Params
from SegClassifyLib.worker.plain import PlainData


@dataclass(frozen=True)
class EvidenceReason(PlainData):
    """One thing that speaks for a class, or against it.

    Args:
        words: what, such as "inside tumour, decoder scale 2".
        value: in logits; below 0 it speaks against the class.
        share: of the sizes of all of them, 0 to 1.
    """

    words: str
    value: float
    share: float


@dataclass(frozen=True)
class EvidenceResult(PlainData):
    """Where the logit of one class comes from.

    Args:
        name: as asked.
        model: name of the model.
        class_name: the class explained.
        against: the class it is compared with; "" for all others.
        kind: "exact" where all voxels, and what has no place, add up to the logit, or "integrated gradients".
        logit: what the classifier says, before calibration.
        base: what it says of a case without evidence.
        sentences: the explanation in words.
        reasons: the largest first.
        map_file: .npy, float32, on the grid of the first image and of the shape of its array: logits per ``unit``,
            above 0 where the image speaks for the class.
        full_colour: size of the values at which colours should be full.
        unit: "ml"; "cm2" for a 2D model; "100 pixels" ("1000 voxels" in 3D) of files such as PNG, whose size in mm is
            not known.
        device: where the network ran.
        notes: sentences on how it was run otherwise than asked.
    """

    name: str
    model: str
    class_name: str
    against: str
    kind: str
    logit: float
    base: float
    sentences: tuple[str, ...]
    reasons: tuple[EvidenceReason, ...]
    map_file: str
    full_colour: float
    unit: str
    device: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class EvidenceParams(Params[EvidenceResult]):
    """``evidence``: where in an image an answer comes from. A job, like ``classify``.

    Args:
        model: path of a model package.
        images: one a channel, in the model's order, as for ``classify``.
        output: folder for the map; made when needed.
        name: what to call the case; files in ``output`` begin with it.
        class_name: the class to explain; "" takes the likeliest.
        against: what speaks for the class rather than for this one; "" for all others together.
        device: "auto", or the name of a device.
    """

    METHOD: ClassVar[str] = "evidence"
    ANSWER: ClassVar[Any] = EvidenceResult

    model: str
    images: tuple[VolumeSource | FileSource, ...]
    output: str
    name: str
    class_name: str = ""
    against: str = ""
    device: str = "auto"
