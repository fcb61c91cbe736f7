"""A model in a few words, for the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from SegClassifyLib.worker.protocol import ModelInfo

_SHORT = 180
_MOST_CLASSES = 6


def facts(model: ModelInfo) -> str:
    """What it takes, what it tells apart, and how well it did: a line each."""
    kind = _("2D images") if model.ndim == 2 else _("3D volumes")
    channels = ", ".join(channel.name for channel in model.channels)
    lines = [_("Takes: {kind} ({channels})").format(kind=kind, channels=channels)]
    if model.classes:
        lines.append(_("Tells apart: {classes}").format(classes=_enough(model.classes)))
    if model.labels:
        names = _enough(tuple(label.name for label in model.labels))
        lines.append(_("Segments: {labels}").format(labels=names))
    if model.balanced_accuracy:
        lines.append(
            _("Right in {share} of cases when it was tested, each class counting the same").format(
                share=model.balanced_accuracy
            )
        )
    return "\n".join(lines)


def _enough(names: tuple[str, ...]) -> str:
    if len(names) <= _MOST_CLASSES + 1:
        return ", ".join(names)
    shown = ", ".join(names[:_MOST_CLASSES])
    return _("{names} and {count} more").format(names=shown, count=len(names) - _MOST_CLASSES)


def first_lines(summary: str) -> str:
    """The beginning of a card: its first paragraph, cut at a word where that is long."""
    first = summary.strip().split("\n\n", 1)[0]
    if len(first) > _SHORT:
        first = first[:_SHORT].rsplit(" ", 1)[0]
    return first if first == summary else first + " …"
