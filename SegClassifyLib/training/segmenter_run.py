"""Trainings of segmenters kept in a training set's folder, so that a later day, or another process, can go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from SegClassifyLib.atomic import write_text
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.package.library import folder_name
from SegClassifyLib.progress import Progress
from SegClassifyLib.training import checkpoint as disk
from SegClassifyLib.training.family import MODEL_FOLDER, save_family
from SegClassifyLib.training.history import EpochRecord, best_epoch
from SegClassifyLib.training.segmenter_from_set import OnPartEpoch, train_settled
from SegClassifyLib.training.segmenter_making import load_making, part_folder, part_name
from SegClassifyLib.training.segmenter_plan import SegmenterPlan, settle_plan
from SegClassifyLib.training.start import open_start

FORMAT = 1
"""Raised when ``run.json`` changes so that older versions would misread it."""

_FILE = "run.json"
_LOCK = ".lock"
_LONGEST = 40
"""Letters of a segmenter's name in a folder's: Windows takes paths of 260."""

_PATIENCE = 1.0
"""Seconds: who only looks whether a training runs holds its lock for a moment."""

_GLANCE = 0.06
"""Seconds that who looks waits for another one who looks."""

State = Literal["running", "paused", "finished"]


class RunFile(BaseModel):
    """``run.json``: what was asked for.

    Args:
        format: see :data:`FORMAT`.
        name: of the segmenter.
        started: local day and time, ISO 8601.
        plan: with nothing left to choose.
        cases: names of those that train.
        start_from: path of a model package or run; empty for none.
        finished: whether all of it is done.
        left_out: fold segmenters that were not done when the best so far was kept; ``None`` where it never was.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = FORMAT
    name: str
    started: str
    plan: SegmenterPlan
    cases: tuple[str, ...]
    start_from: str = ""
    finished: bool = False
    left_out: int | None = None


@dataclass(frozen=True)
class RunState:
    """A training as it is on the disk.

    Args:
        path: its folder.
        asked: its ``run.json``.
        state: "running" also where another process trains it.
        epochs: of each part that was begun, the full segmenter's first.
    """

    path: Path
    asked: RunFile
    state: State
    epochs: tuple[tuple[str, tuple[EpochRecord, ...]], ...]

    @property
    def usable(self) -> bool:
        """Whether there is a package: finished, or kept."""
        return self.asked.finished or self.asked.left_out is not None

    @property
    def best(self) -> EpochRecord | None:
        """Of the full segmenter's epochs."""
        return best_epoch(self.epochs[0][1]) if self.epochs else None

    @property
    def seconds(self) -> float:
        """Of training so far, all parts together."""
        return sum(history[-1].seconds for _, history in self.epochs if history)

    @property
    def sentence(self) -> str:
        """Its state in words."""
        told = {"running": "Being trained", "paused": "Paused", "finished": "Finished"}[self.state]
        if self.best is None:
            return f"{told}; no epoch is completed yet."
        dice = self.best.mean_dice
        quality = "" if dice is None else f", Dice {dice:.2f}"
        part = self.epochs[-1][0] if self.state != "finished" else ""
        where = f", in the segmenter of {part}" if part else ""
        kept = "" if self.asked.left_out is None or self.asked.finished else f" {_kept(self.asked)}"
        return f"{told} after {_duration(self.seconds)}{quality}{where}.{kept}"


def begin_run(
    training_set: TrainingSet,
    plan: SegmenterPlan,
    name: str = "",
    start_from: str = "",
    device: str = "cpu",
    progress: Progress | None = None,
    on_epoch: OnPartEpoch | None = None,
) -> Path:
    """Train a new segmenter in a folder of its own, which is returned.

    Arguments and errors are those of :func:`.segmenter_from_set.train_segmenter_from_set`; ``start_from`` is the path
    of a model package or of another training.
    """
    name = name.strip() or f"{training_set.name} segmenter"
    start = open_start(start_from) if start_from else None
    settled = settle_plan(training_set, plan, start, progress=progress)
    asked = RunFile(
        name=name,
        started=datetime.now().isoformat(timespec="seconds"),
        plan=settled.plan,
        cases=tuple(c.name for c in settled.cases),
        start_from=start_from,
    )
    folder = _new_folder(runs_folder(training_set), name)
    with _locked(folder):
        _write(folder, asked)
        train_settled(training_set, folder, settled, name, device, progress, start, on_epoch)
        _write(folder, asked.model_copy(update={"finished": True}))
    return folder


def resume_run(
    training_set: TrainingSet,
    folder: Path,
    device: str = "cpu",
    progress: Progress | None = None,
    on_epoch: OnPartEpoch | None = None,
) -> None:
    """Go on with a training as it was begun, with the cases it was begun with.

    Raises:
        TrainingError: it is being trained, it has ended, or a case was changed meanwhile.
    """
    read_run(folder)  # before a lock is put into a folder that holds something else
    with _locked(folder):
        asked = read_run(folder)
        if asked.finished:
            raise TrainingError(
                f"The training of {asked.name} has ended: start a new one from it to train it further."
            )
        start = open_start(asked.start_from) if asked.start_from else None
        settled = settle_plan(training_set, asked.plan, start, asked.cases, progress)
        train_settled(training_set, folder, settled, asked.name, device, progress, start, on_epoch)
        _write(folder, asked.model_copy(update={"finished": True}))


def keep_run(folder: Path) -> RunState:
    """Make the best so far of a paused training usable; it can still go on.

    Raises:
        TrainingError: it is being trained, or no epoch was completed.
    """
    read_run(folder)
    with _locked(folder):
        asked = read_run(folder)
        if not asked.finished:
            family, left_out = load_making(folder).best_so_far(folder)
            save_family(family, folder)
            _write(folder, asked.model_copy(update={"left_out": left_out}))
    return look_at_run(folder)


def list_runs(training_set: TrainingSet) -> list[RunState]:
    """The trainings of a set's segmenters, the newest first; folders without a readable ``run.json`` are left out."""
    found = []
    for path in runs_folder(training_set).glob(f"*/{_FILE}"):
        try:
            found.append(look_at_run(path.parent))
        except TrainingError:  # of a newer version, or damaged: nothing can be done with it here
            continue
    return sorted(found, key=lambda run: (run.asked.started, run.path.name), reverse=True)


def look_at_run(folder: Path) -> RunState:
    """A training as it is.

    Raises:
        TrainingError: there is none in ``folder``.
    """
    asked = read_run(folder)
    state: State = "running" if is_running(folder) else "finished" if asked.finished else "paused"
    folds = asked.plan.folds or 0
    histories = []
    for part in range(1 + folds):
        known = disk.load_history(part_folder(folder, part))
        if known is not None:
            histories.append((part_name(part, folds), known[0]))
    return RunState(folder, asked, state, tuple(histories))


def is_running(folder: Path) -> bool:
    """Whether this or another process trains it now."""
    try:
        with FileLock(folder / _LOCK, timeout=_GLANCE):
            return False
    except Timeout:
        return True
    except OSError:  # a folder that may only be read: nobody trains there
        return False


def read_run(folder: Path) -> RunFile:
    """``run.json``.

    Raises:
        TrainingError: there is none, or it is damaged or too new.
    """
    path = folder / _FILE
    try:
        asked = RunFile.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TrainingError(f"{folder} holds no training of a segmenter: choose another one.") from error
    except (OSError, ValidationError) as error:
        raise TrainingError(f"{path} is damaged: delete {folder} and train again.") from error
    if asked.format > FORMAT:
        raise TrainingError(f"{folder} was written by a newer SegClassify: update SegClassify.")
    return asked


def usable_package(folder: Path) -> Path | None:
    """Path of a training's model package; ``None`` while there is none."""
    path = folder / MODEL_FOLDER
    return path if path.is_dir() else None


def runs_folder(training_set: TrainingSet) -> Path:
    """Where the trainings of a set's segmenters are."""
    return training_set.folder / "trainings" / "segmenters"


def _new_folder(parent: Path, name: str) -> Path:
    """``20260301-140500 name``, or with a number behind it."""
    stem = f"{datetime.now():%Y%m%d-%H%M%S} {folder_name(name)[:_LONGEST]}"
    with disk_errors(parent, TrainingError):
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            folder = parent / (stem if number == 1 else f"{stem} {number}")
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                continue
    raise TrainingError(f"{parent} holds too many trainings of that name: choose another one.")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with disk_errors(folder, TrainingError):
        try:
            lock = FileLock(folder / _LOCK).acquire(timeout=_PATIENCE)
        except Timeout as error:
            raise TrainingError(
                f"{folder.name} is being trained, here or in another 3D Slicer: pause it there first."
            ) from error
    with lock:
        yield


def _write(folder: Path, asked: RunFile) -> None:
    with disk_errors(folder, TrainingError):
        write_text(folder / _FILE, asked.model_dump_json(indent=1))


def _kept(asked: RunFile) -> str:
    folds = asked.plan.folds or 0
    if not asked.left_out:
        return "Its best so far was kept."
    return (
        f"Its best so far was kept without {asked.left_out} of {folds} fold segmenters, whose training has not ended: "
        "cases that trained it and would need those are left out of the classifier."
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
