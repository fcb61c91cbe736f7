"""The state of a training on disk: written whole or not at all, the one before kept, nothing executable inside.

A checkpoint is ``checkpoint-0000240-0012.pt`` (step, epoch; weights and optimiser) and a JSON file of the same name
(counters, history, the hash of the former); it exists once its JSON does. ``best.safetensors`` holds the best
weights so far, and ``run.json`` what the training was started with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from SegClassifyLib.atomic import whole_file, write_text
from SegClassifyLib.disk_errors import explain_os_error
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.package.files import sha256_of
from SegClassifyLib.training.history import EpochRecord

FORMAT = 1
"""Raised when the files change; a folder of another format is not resumed."""

_KEPT = 2
_BEST = "best.safetensors"
_RUN = "run.json"


@dataclass(frozen=True)
class Checkpoint:
    """All that a training needs to go on as if it had never stopped.

    Args:
        step: optimiser steps done; between two epochs unless the training was cancelled.
        loss_sum: of the steps since the last completed epoch.
        seconds: of training so far.
        history: of the completed epochs.
        tensors: state dictionaries of network, optimiser and the like: what ``torch.save`` writes and
            ``torch.load(weights_only=True)`` reads.
        finished: nothing is left to do.
    """

    step: int
    loss_sum: float
    seconds: float
    history: tuple[EpochRecord, ...]
    tensors: dict[str, Any]
    finished: bool = False


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint and remove all but the one before.

    Raises:
        TrainingError: the disk is full or the folder cannot be written to; older checkpoints stay.
    """
    data = folder / f"checkpoint-{checkpoint.step:07d}-{len(checkpoint.history):04d}.pt"
    description = data.with_suffix(".json")
    with _disk(folder):
        # The same moment may be written twice; without its JSON a half-new pair does not count.
        description.unlink(missing_ok=True)
        with whole_file(data) as path:
            torch.save(checkpoint.tensors, path)
            digest = sha256_of(path)
        content = {
            "format": FORMAT,
            "step": checkpoint.step,
            "loss_sum": checkpoint.loss_sum,
            "seconds": checkpoint.seconds,
            "finished": checkpoint.finished,
            "sha256": digest,
            "history": [record.to_json() for record in checkpoint.history],
        }
        write_text(description, json.dumps(content, indent=1))
        for old in _descriptions(folder)[_KEPT:]:
            old.unlink()
            old.with_suffix(".pt").unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> tuple[Checkpoint | None, tuple[str, ...]]:
    """The newest checkpoint that is whole, and a sentence about each newer one that is not."""
    notes: list[str] = []
    for description in _descriptions(folder):
        try:
            return _load(description), tuple(notes)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:120]
            notes.append(
                f"The checkpoint {description.stem} is damaged ({reason}); going on from the one before."
            )
    return None, tuple(notes)


def load_history(folder: Path) -> tuple[tuple[EpochRecord, ...], float] | None:
    """Epochs and seconds of the newest checkpoint, without reading its tensors; ``None`` where there is none."""
    for description in _descriptions(folder):
        try:
            content = json.loads(description.read_text(encoding="utf-8"))
            return _history(content), float(content["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def load_finished(folder: Path) -> bool:
    """Whether the newest checkpoint says that nothing is left to do."""
    for description in _descriptions(folder):
        try:
            return bool(json.loads(description.read_text(encoding="utf-8"))["finished"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return False


def save_best(folder: Path, state: dict[str, torch.Tensor], record: EpochRecord) -> None:
    """Keep the weights ``state`` (on the CPU) as the best so far."""
    from safetensors.torch import save_file

    with _disk(folder), whole_file(folder / _BEST) as path:
        save_file(
            {name: tensor.contiguous() for name, tensor in state.items()},
            str(path),
            metadata={"record": json.dumps(record.to_json())},
        )


def load_best(folder: Path) -> tuple[dict[str, torch.Tensor], EpochRecord] | None:
    """The best weights so far with their epoch; ``None`` before the first epoch is complete.

    Raises:
        TrainingError: the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / _BEST
    if not path.exists():
        return None
    try:
        with safe_open(str(path), framework="pt") as file:
            record = EpochRecord(**json.loads(file.metadata()["record"]))
            return {name: file.get_tensor(name) for name in file.keys()}, record  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} is damaged ({error}); delete {folder} and train again.") from error


def save_run(folder: Path, description: dict[str, Any]) -> None:
    """Write what a training was started with: JSON values."""
    with _disk(folder):
        write_text(folder / _RUN, json.dumps({"format": FORMAT, **description}, indent=1))


def load_run(folder: Path) -> dict[str, Any] | None:
    """What :func:`save_run` wrote, or ``None`` where no training was started.

    Raises:
        TrainingError: damaged, or of another format.
    """
    path = folder / _RUN
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        written = content.pop("format")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise TrainingError(f"{path} is damaged ({error}); delete {folder} and train again.") from error
    if written != FORMAT:
        raise TrainingError(
            f"{folder} holds a training of format {written}, this version reads {FORMAT}; train in another folder."
        )
    return dict(content)


def _load(description: Path) -> Checkpoint:
    content = json.loads(description.read_text(encoding="utf-8"))
    data = description.with_suffix(".pt")
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']}")
    if sha256_of(data) != content["sha256"]:
        raise ValueError("its content is not what was written")
    return Checkpoint(
        step=int(content["step"]),
        loss_sum=float(content["loss_sum"]),
        seconds=float(content["seconds"]),
        history=_history(content),
        tensors=torch.load(data, map_location="cpu", weights_only=True),
        finished=bool(content["finished"]),
    )


def _history(content: dict[str, Any]) -> tuple[EpochRecord, ...]:
    return tuple(EpochRecord(**record) for record in content["history"])


def _descriptions(folder: Path) -> list[Path]:
    """Checkpoints, newest first."""
    return sorted(folder.glob("checkpoint-*.json"), reverse=True)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    # torch.save reports a full disk as a RuntimeError, safetensors as one of its own.
    except (OSError, RuntimeError) as error:
        reason = (
            explain_os_error(error, folder) if isinstance(error, OSError) else " ".join(str(error).split())
        )
        raise TrainingError(f"The training cannot be saved to {folder}: {reason}") from error
