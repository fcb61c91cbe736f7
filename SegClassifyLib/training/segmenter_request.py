"""What a person asks for when a segmenter is to be trained, the same from the command line and from the panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.training.segmenter_plan import SegmenterPlan


@dataclass(frozen=True)
class SegmenterRequest:
    """Everything left out is chosen from the data, or has the default of :class:`.settings.SegmenterSettings`.

    Args:
        network: name of a network; empty, or "VNetDS" without arguments: as deep as the images allow.
        network_arguments: of its constructor.
        epochs: budget of each segmenter; 40 where no budget is given.
        minutes: budget of all together.
        loss: what is minimised.
        patch: voxels, D, H, W or H, W.
        folds: fold segmenters.
        max_voxels: of the median model grid.
        seed: of everything random.
    """

    network: str = ""
    network_arguments: dict[str, Any] | None = None
    epochs: int | None = None
    minutes: float | None = None
    loss: Literal["dice_ce", "exp_log"] = "dice_ce"
    patch: tuple[int, ...] = ()
    folds: int | None = None
    max_voxels: int | None = None
    seed: int = 0


def plan_of(request: SegmenterRequest, training_set: TrainingSet) -> SegmenterPlan:
    """The request as a plan.

    Raises:
        TrainingError: a number that makes no sense.
    """
    chosen: dict[str, Any] = {
        "network": _network(request, training_set),
        "training": {
            "epochs": request.epochs,
            "minutes": request.minutes,
            "loss": request.loss,
            "patch": request.patch or None,
            "seed": request.seed,
        },
        "folds": request.folds,
        "max_voxels": request.max_voxels,
    }
    try:
        return SegmenterPlan.model_validate(chosen)
    except ValidationError as error:
        first = error.errors()[0]
        raise TrainingError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.") from error


def _network(request: SegmenterRequest, training_set: TrainingSet) -> NetworkSpec | None:
    """``None`` where the plan is to choose it."""
    if request.network in ("", "VNetDS") and not request.network_arguments:
        return None
    return NetworkSpec(
        name=request.network or "VNetDS",
        ndim=training_set.ndim,
        in_channels=len(training_set.channels),
        out_channels=len(training_set.labels),
        arguments=request.network_arguments or {},
    )
