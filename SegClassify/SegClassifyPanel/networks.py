"""Which segmentation networks there are for a training set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from SegClassifyPanel.training_state import Network

if TYPE_CHECKING:
    from SegClassifyLib.worker.model_messages import ModelInfo
    from SegClassifyLib.worker.segmenter_messages import SegmenterRun
    from SegClassifyLib.worker.set_messages import CaseRow, SetInfo


def networks_for(
    info: SetInfo, runs: Sequence[SegmenterRun], models: Sequence[ModelInfo]
) -> tuple[Network, ...]:
    """Those of the set, the newest first, and then the models that take such images."""
    own = [
        Network(
            run.path,
            _("{name}, of this set, {started}").format(name=run.name, started=run.started),
            run.sentence,
            True,
        )
        for run in runs
        if run.usable
    ]
    others = [
        Network(model.path, model.name, _about(model))
        for model in models
        if not model.problem and model.ndim == info.ndim and len(model.channels) == len(info.channels)
    ]
    return (*own, *others)


def trainers(info: SetInfo) -> tuple[CaseRow, ...]:
    """Cases that would train a segmenter."""
    return tuple(
        case
        for case in info.cases
        if case.segmentation == "drawn" and case.role != "classifier" and case.split == "train"
    )


def _about(model: ModelInfo) -> str:
    if not model.labels:
        return ""
    return _("A model that marks {labels}.").format(labels=", ".join(label.name for label in model.labels))
