"""What is still missing before Classify can run, each as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from SegClassifyLib.worker.protocol import ModelInfo


@dataclass(frozen=True)
class ChosenVolume:
    """What has to be known of a volume to say whether it can be classified.

    Args:
        id: of its node.
        name: of its node.
        slices: how many it has; 0 for a volume without voxels.
    """

    id: str
    name: str
    slices: int


def unmet_needs(model: ModelInfo | None, chosen: Sequence[ChosenVolume | None]) -> list[str]:
    """Sentences on what has to be done first; none when all is well.

    Args:
        model: the chosen one.
        chosen: one volume a channel, ``None`` where none is chosen.
    """
    if model is None:
        return [_("Choose a model.")]
    if model.problem:
        return [_("This model cannot be used, for the reason above: choose another one.")]
    needs = [
        _("Choose a volume for {channel}.").format(channel=channel.name)
        for channel, volume in zip(model.channels, chosen, strict=True)
        if volume is None
    ]
    return needs + _chosen_twice(model, chosen) + _unfit(model, chosen)


def _chosen_twice(model: ModelInfo, chosen: Sequence[ChosenVolume | None]) -> list[str]:
    places: dict[str, list[str]] = {}
    names = {volume.id: volume.name for volume in chosen if volume}
    for channel, volume in zip(model.channels, chosen, strict=True):
        if volume:
            places.setdefault(volume.id, []).append(channel.name)
    return [
        _("“{volume}” is chosen for {channels}: choose another volume for all but one.").format(
            volume=names[node_id], channels=_(" and ").join(channels)
        )
        for node_id, channels in places.items()
        if len(channels) > 1
    ]


def _unfit(model: ModelInfo, chosen: Sequence[ChosenVolume | None]) -> list[str]:
    sentences = []
    for volume in dict.fromkeys(v for v in chosen if v):
        if volume.slices == 0:
            text = _("“{volume}” has no voxels: load its image first.")
        elif model.ndim == 3 and volume.slices == 1:
            text = _("“{volume}” is a single 2D image, and this model wants 3D volumes: choose another one.")
        elif model.ndim == 2 and volume.slices > 1:
            text = _(
                "“{volume}” has {slices} slices, and this model wants single 2D images: "
                "cut out one slice with the module Crop Volume, or choose another one."
            )
        else:
            continue
        sentences.append(text.format(volume=volume.name, slices=volume.slices))
    return sentences
