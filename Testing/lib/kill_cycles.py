"""A worker that changes a training set is killed again and again; what it had answered must be there each time.

For the test of that, and for ``Testing/Benchmarks/kill_cycles.py``, which does it more often.
"""

from __future__ import annotations

import os
import random
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from sets_data import a_case, drawn, new_set, pixels, segmentation

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.worker.client import WorkerClient, WorkerEndedError
from SegClassifyLib.worker.protocol import (
    ChangeCasesParams,
    CloseSetParams,
    OpenSetParams,
    Params,
    RemoveCasesParams,
    SaveSegmentationParams,
    SetChanged,
    UndoSetParams,
)

CLASSES = ("ring", "solid")

LONGEST = 0.15
"""Seconds: about twice what a change takes."""


@dataclass(frozen=True)
class Known:
    """A case as the worker answered it: seeds of its image and segmentation, its class."""

    image: int
    segmentation: int
    class_name: str


@dataclass(frozen=True)
class Cycle:
    """What came of one life of the worker.

    Args:
        how: it ended: "killed" or "pipe closed", as when the program in front of it dies.
        answered: changes.
        seconds: from the last one that was sure to be answered to the end.
        during: the method that it ended in; empty for between two.
        landed: whether that one's change was on the disk nevertheless.
        cases: in the set, then.
    """

    how: str
    answered: int
    seconds: float
    during: str
    landed: bool
    cases: int


class KillCycles:
    """Lives of a worker on one set.

    Args:
        home: an empty folder.
        seed: of what is done and when it ends.
        most: changes that are sure to be answered, at most, in a life.
    """

    def __init__(self, home: Path, seed: int, most: int = 6) -> None:
        self.folder, self._home, self._most = home / "set", home, most
        self._chance = random.Random(seed)
        self._known: dict[str, Known] = {}
        self._before: dict[str, Known] = {}
        self._undone: dict[str, Known] | None = (
            None  # what the set is like after an undo; None for nothing to undo
        )
        self._number = 0
        new = new_set(self.folder)
        TrainingSet.create(self.folder, "Killed", new.channels, new.labels, CLASSES)
        self._reserve = _warm(self.folder)

    def run(self, number: int) -> Cycle:
        """One life, and what it left, compared with what was answered.

        Raises:
            AssertionError: something that was answered is not there, or the set is not in order.
        """
        how = "pipe closed" if number % 4 == 3 else "killed"
        sure, seconds = self._chance.randint(0, self._most), self._chance.uniform(0, LONGEST)
        answered, during = 0, ""
        worker, self._reserve, self._undone = self._reserve, _warm(self.folder), None
        with worker:
            worker.ask(OpenSetParams(str(self.folder)))
            alarm = threading.Timer(seconds, worker.kill if how == "killed" else lambda: _hang_up(worker))
            try:
                while True:
                    if answered == sure:
                        alarm.start()
                    self._before = self._known
                    wanted, params = self._next()
                    self._known, during = wanted, params.METHOD  # so it may be from here on
                    self._check_names(worker.ask(params))
                    self._undone = None if isinstance(params, UndoSetParams) else self._before
                    self._before, during = wanted, ""  # and must be, now that it is answered
                    answered += 1
            except (WorkerEndedError, OSError, ValueError):  # it is dead, or its pipe closed
                alarm.join()
        landed = self._compare()
        return Cycle(how, answered, seconds, during, landed, len(self._known))

    def finish(self) -> None:
        """Sweep up, and look that nothing else is left; raises AssertionError."""
        with self._reserve as worker:
            worker.ask(OpenSetParams(str(self.folder)))
        training_set = TrainingSet.open(self.folder)
        training_set.tidy()
        found = training_set.validate("pixels")
        assert [f.sentence for f in found if f.severity == "error" or f.kind == "orphan file"] == []
        assert not list((self.folder / ".incoming").iterdir())

    def _next(self) -> tuple[dict[str, Known], Params[SetChanged]]:
        """What to ask for, and what the set is like when it was done."""
        chance, known, at = self._chance, self._known, str(self.folder)
        what = chance.choice(("add", "add", "add", "change", "save", "save", "remove", "undo"))
        self._number += 1
        if not known or what == "add":
            name, class_name = f"case{self._number}", chance.choice(CLASSES)
            params = a_case(self.folder, self._home, name, self._number, class_name)
            return {**known, name: Known(self._number, self._number, class_name)}, params
        name = chance.choice(sorted(known))
        if what == "change":
            class_name = CLASSES[known[name].class_name == CLASSES[0]]
            return (
                {**known, name: replace(known[name], class_name=class_name)},
                ChangeCasesParams(at, (name,), class_name),
            )
        if what == "save":
            drawn_now = segmentation(self._home, self._number)
            return (
                {**known, name: replace(known[name], segmentation=self._number)},
                SaveSegmentationParams(at, name, drawn_now),
            )
        if what == "undo" and self._undone is not None:
            return self._undone, UndoSetParams(at)
        return {k: v for k, v in known.items() if k != name}, RemoveCasesParams(at, (name,))

    def _check_names(self, answer: SetChanged) -> None:
        told = {row.name: row.class_name for row in answer.set.cases}
        assert told == {name: case.class_name for name, case in self._known.items()}

    def _compare(self) -> bool:
        """Whether the change that was not answered landed; all others must have."""
        training_set = TrainingSet.open(self.folder)
        names = {case.name for case in training_set.cases}
        there = {name: self._seen(training_set, name) for name in names}
        landed = there == self._known
        assert landed or there == self._before, _difference(there, self._known, self._before)
        errors = [f.sentence for f in training_set.validate("pixels") if f.severity == "error"]
        assert errors == []
        self._known = self._before = there
        return landed

    def _seen(self, training_set: TrainingSet, name: str) -> Known | None:
        """The case as it is on the disk, voxel by voxel, if it is one that was asked for."""
        case = training_set.case(name)
        image = training_set.load_image(case)
        mask = training_set.load_segmentation(case, image)
        for wanted in (self._known.get(name), self._before.get(name)):
            if (
                wanted is not None
                and (image.array[0] == pixels(wanted.image)).all()
                and (mask.array == drawn(wanted.segmentation)).all()
                and case.label_class == wanted.class_name
            ):
                return wanted
        return None


def _difference(there: object, *wanted: object) -> str:
    return f"the disk holds {there}, which is neither of {wanted}"


def _warm(folder: Path) -> WorkerClient:
    """A worker that has imported what it needs, or is about to, while the one before it is looked after."""
    worker = WorkerClient(env={**os.environ, "OMP_NUM_THREADS": "1"})
    params = CloseSetParams(str(folder))
    worker.start(params.METHOD, params.to_json())
    return worker


def _hang_up(worker: WorkerClient) -> None:
    """End the pipe that the worker hears from, as when the program at its other end dies."""
    assert worker.process.stdin is not None
    worker.process.stdin.close()
