"""How a case of a training set is put into words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from SegClassifyPanel.class_bars import percent

if TYPE_CHECKING:
    from SegClassifyLib.worker.set_messages import CaseRow

USES = (("both", "train"), ("segmenter", "train"), ("classifier", "train"), ("both", "test"))
"""Role and split behind each entry of the lists "Used for"."""


def use_texts() -> tuple[str, ...]:
    """What is in the lists "Used for", in the order of :data:`USES`."""
    return (
        _("training everything"),
        _("training the segmentation only"),
        _("training the classifier only"),
        _("testing at the very end only"),
    )


def use_of(row: CaseRow) -> int:
    """Which of :data:`USES` a case has."""
    if row.split == "test":
        return 3
    return next(n for n, (role, _split) in enumerate(USES) if role == row.role)


def use_text(row: CaseRow) -> str:
    """What a case is used for, in a word for the table."""
    return (_("both"), _("segmentation"), _("classifier"), _("test"))[use_of(row)]


def segmentation_text(row: CaseRow) -> str:
    """Whether it has one."""
    return {"none": _("no"), "drawn": _("yes"), "predicted": _("predicted")}[row.segmentation]


def segmentation_tip(row: CaseRow) -> str:
    """The same, as a sentence."""
    return {
        "none": _("Nothing is drawn in this case yet."),
        "drawn": _("A person made or checked its segmentation."),
        "predicted": _("A model made its segmentation, and nobody has checked it: click “Edit”."),
    }[row.segmentation]


def is_wrong(row: CaseRow) -> bool:
    """Whether the last training took it for another class than it has."""
    return bool(row.predicted and row.class_name and row.predicted != row.class_name)


def prediction_text(row: CaseRow) -> str:
    """ "glioma 83 %"."""
    return f"{row.predicted} {percent(row.probability)}" if row.predicted else ""


def prediction_tip(row: CaseRow) -> str:
    """The same, as a sentence."""
    if not row.predicted:
        return _("No training has looked at this case yet.")
    if is_wrong(row):
        return _(
            "Without having seen this case, the last training took it for {predicted} ({sure}); its class here is "
            "{class_name}."
        ).format(predicted=row.predicted, sure=percent(row.probability), class_name=row.class_name)
    return _("Without having seen this case, the last training took it for {predicted} ({sure}).").format(
        predicted=row.predicted, sure=percent(row.probability)
    )


def names_text(names: Sequence[str]) -> str:
    """One name in quotation marks, or how many cases there are."""
    return (
        _("“{name}”").format(name=names[0])
        if len(names) == 1
        else _("{count} cases").format(count=len(names))
    )
