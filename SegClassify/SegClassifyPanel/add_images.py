"""Which images of the scene may become a case of a training set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from SegClassifyPanel.batch_items import scene_items
from SegClassifyPanel.case_nodes import case_of
from SegClassifyPanel.inputs_section import scene_volumes

if TYPE_CHECKING:
    from SegClassifyLib.worker.set_messages import SetInfo
    from SegClassifyPanel.set_page import SetPage


def free_volumes(info: SetInfo | None, chosen: Sequence[Any]) -> list[Any]:
    """Volumes of the scene that are not in the set yet; of several channels, only such as belong together.

    Args:
        info: the set; ``None`` for none.
        chosen: the volumes that the form has, ``None`` where it has none.
    """
    free = [node for node in scene_volumes() if info is None or not case_of(node, info.folder)]
    if info is None or len(info.channels) < 2:
        return free
    if any(node is not None for node in chosen):
        return []  # the user is choosing: what is added must not be of another patient
    by_id = {node.GetID(): node for node in free}
    places = list(by_id)
    whole = [item.volumes for item in scene_items(info.channels) if all(v in by_id for v in item.volumes)]
    first = min(whole, key=lambda volumes: min(places.index(v) for v in volumes), default=())
    return [by_id[node_id] for node_id in first]


def chosen_elsewhere(info: SetInfo | None, page: SetPage) -> list[Any]:
    """The images that are chosen on the page Classify, where its model has the channels of the set."""
    model = page.chosen_model
    if info is None or model is None:
        return []
    if [c.name.casefold() for c in model.channels] != [c.casefold() for c in info.channels]:
        return []
    return [None if case_of(node, info.folder) else node for node in page.chosen_volumes]


def unmet_images(info: SetInfo, nodes: Sequence[Any]) -> list[str]:
    """Sentences on what is still missing of the images of a case.

    Args:
        info: the set.
        nodes: one a channel, ``None`` where none is chosen.
    """
    found = [
        _("Choose a volume for {channel}.").format(channel=channel)
        for channel, node in zip(info.channels, nodes, strict=True)
        if node is None
    ]
    ids = [node.GetID() for node in nodes if node is not None]
    if len(set(ids)) < len(ids):
        return [*found, _("One volume is chosen twice: choose another one.")]
    cases = {row.name for row in info.cases}
    inside = next((node for node in nodes if case_of(node, info.folder) in cases), None)
    if inside is not None:
        found.append(
            _("“{volume}” is in the training set already, as “{case}”: choose another volume.").format(
                volume=inside.GetName(), case=case_of(inside, info.folder)
            )
        )
    return found
