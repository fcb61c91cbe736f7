"""Training a segmenter: from cases on the model grid to weights, interruptible at any moment."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from SegClassifyLib.errors import Cancelled, TrainingError
from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.preprocessing.spec import PreprocessingSpec
from SegClassifyLib.progress import Progress
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training import checkpoint as disk
from SegClassifyLib.training.checkpoint import Checkpoint
from SegClassifyLib.training.history import EpochRecord
from SegClassifyLib.training.loop import Loop, OnEpoch
from SegClassifyLib.training.run import Run, prepare_run
from SegClassifyLib.training.sample import Sample
from SegClassifyLib.training.settings import SegmenterSettings
from SegClassifyLib.volumes.image import Label

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedSegmenter:
    """What a training gave.

    Args:
        segmenter: with the weights of the best epoch.
        dice: of that epoch on the held-out cases, by label name; empty when none were held out.
        history: all epochs.
        seconds: of training, interruptions left out.
        warnings: sentences on what the user should know about the numbers.
    """

    segmenter: Segmenter
    dice: dict[str, float]
    history: tuple[EpochRecord, ...]
    seconds: float
    warnings: tuple[str, ...] = ()


def train_segmenter(
    samples: Sequence[Sample],
    settings: SegmenterSettings,
    network: NetworkSpec,
    preprocessing: PreprocessingSpec,
    labels: tuple[Label, ...],
    folder: Path,
    progress: Progress | None = None,
    device: str = "cpu",
    start_from: Mapping[str, Tensor] | None = None,
    taps: Sequence[TapSpec] | None = None,
    on_epoch: OnEpoch | None = None,
    late: float = 0.0,
) -> TrainedSegmenter:
    """Train a segmenter, or go on with the training that ``folder`` holds.

    On a CPU, with a budget of epochs and as many threads as before, a training that was killed and resumed ends
    with the same weights, bit for bit, as one that ran through. A budget of minutes depends on the clock, and CUDA
    adds in an order of its own: there the result is as good, not the same.

    Args:
        samples: cases on the model grid; items are read when needed, so the sequence may load lazily.
        settings: how to train.
        network: which network.
        preprocessing: how the samples were made; goes into the segmenter.
        labels: background first, values 0 … L-1.
        folder: for checkpoints and the best weights; kept afterwards, the caller may delete it.
        progress: told of every step; when it cancels, a checkpoint is written first.
        device: "cpu", "cuda", "mps".
        start_from: weights by name to start from, from a network like this one; tensors of another shape (other
            labels or channels) start fresh.
        taps: where features will be read; found by :func:`SegClassifyLib.features.taps.find_taps` where ``None``.
        on_epoch: told of every epoch, those before an interruption first.
        late: seconds of a budget of minutes that went by already, for making ``samples``.

    Raises:
        TrainingError: unusable samples, a folder of another training, a diverging loss, a full disk.
        Cancelled: asked to stop; see :func:`recover_segmenter`.
    """
    progress, called = progress or Progress(), time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0), _own_randomness(device):
            run = prepare_run(
                samples, settings, network, preprocessing, labels, device, start_from, progress, taps
            )
            _claim(folder, run.description)
            return _train(run, folder, progress, on_epoch, late + time.monotonic() - called)
    except Timeout as error:
        raise TrainingError(
            f"Another training is writing to {folder}; wait for it or choose another folder."
        ) from error


def recover_segmenter(folder: Path) -> TrainedSegmenter:
    """The best segmenter so far of a training that was cancelled or killed.

    Raises:
        TrainingError: no epoch was completed, or the folder is damaged.
    """
    run = disk.load_run(folder)
    best = disk.load_best(folder) if run is not None else None
    if run is None or best is None:
        raise TrainingError(f"{folder} holds no segmenter yet: no epoch was completed; train on.")
    state, record = best
    history, seconds = disk.load_history(folder) or ((record,), record.seconds)
    segmenter = Segmenter(
        network=NetworkSpec.model_validate(run["network"]),
        preprocessing=PreprocessingSpec.model_validate(run["preprocessing"]),
        labels=tuple(Label(x["value"], x["name"], tuple(x["colour"])) for x in run["labels"]),
        taps=tuple(TapSpec.model_validate(tap) for tap in run["taps"]),
        state=state,
    )
    return TrainedSegmenter(segmenter, record.dice, history, seconds, tuple(run["warnings"]))


def is_trained(folder: Path) -> bool:
    """Whether a training in this folder has come to its end."""
    return disk.load_finished(folder)


def _train(
    run: Run, folder: Path, progress: Progress, on_epoch: OnEpoch | None, late: float
) -> TrainedSegmenter:
    found, notes = disk.load_checkpoint(folder)
    for note in notes:
        _log.warning(note)
    state = found or Checkpoint(step=0, loss_sum=0.0, seconds=0.0, history=(), tensors={})
    if found is not None:
        run.trainer.restore(found.tensors)
    if on_epoch is not None:
        for record in state.history:
            on_epoch(record)
    if not state.finished:
        loop = Loop(run, folder, progress, state, on_epoch, late)
        try:
            loop.run()
        except Cancelled:
            loop.save()
            raise
    result = recover_segmenter(folder)
    return replace(result, warnings=(*result.warnings, *notes))


def _claim(folder: Path, description: dict[str, Any]) -> None:
    """Write down what is trained here, or refuse to go on with another training."""
    earlier = disk.load_run(folder)
    if earlier is None:
        disk.save_run(folder, description)
        return
    for part in ("settings", "network", "preprocessing", "labels", "cases", "starting weights"):
        if earlier[part] != description[part]:
            detail = _difference(earlier[part], description[part])
            raise TrainingError(
                f"{folder} holds a training with other {part}{detail}; use the same to go on with it, or another "
                "folder to start anew."
            )


def _difference(earlier: Any, now: Any) -> str:
    if not isinstance(earlier, dict) or not isinstance(now, dict):
        return ""
    names = [key for key in now if earlier.get(key) != now[key]]
    return f" ({', '.join(names)})" if names else ""


@contextmanager
def _own_randomness(device: str) -> Iterator[None]:
    """Leave the caller's random numbers as they were."""
    where = torch.device(device)
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        yield
