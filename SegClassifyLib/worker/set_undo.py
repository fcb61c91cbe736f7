"""What a worker did to a training set, so that it can be taken back.

What somebody else changed meanwhile stays as it is: a step then says so instead of overwriting it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from SegClassifyLib.cases import edits
from SegClassifyLib.cases.exchange import Exchange
from SegClassifyLib.cases.reader import find_case
from SegClassifyLib.cases.schema import Case, DatasetFile
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import SegClassifyError, TrainingSetError
from SegClassifyLib.progress import Progress

DEEPEST = 100
"""Steps that are remembered."""

_WORDS = {
    "label_class": "class",
    "group": "group",
    "role": "role",
    "split": "split",
    "segmentation_is_prediction": "state of the segmentation",
    "segmentation": "segmentation",
}


@dataclass(frozen=True)
class TakenBack:
    """The cases that a step was about, and sentences on what stayed as it is."""

    cases: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Step(Protocol):
    """One change."""

    @property
    def words(self) -> str:
        """What it was, as an order ("remove alpha")."""

    def take_back(self, training_set: TrainingSet, progress: Progress) -> TakenBack:
        """Undo it; raises TrainingSetError where others changed too much for that."""


class UndoStack:
    """The last changes of a set, the latest on top."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=DEEPEST)

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def words(self) -> str:
        """What would be taken back; empty for nothing."""
        return self._steps[-1].words if self._steps else ""

    def push(self, step: Step) -> None:
        """Remember a change."""
        self._steps.append(step)

    def take_back(self, training_set: TrainingSet, progress: Progress) -> TakenBack:
        """Undo the latest change.

        Raises:
            TrainingSetError: there is none, or it cannot be undone; it is then forgotten, unless it was the disk
                or the lock that refused and another attempt may do.
            Cancelled: asked to stop; what is left of it can be undone later.
        """
        if not self._steps:
            raise TrainingSetError(
                f"Nothing was changed in {training_set.folder} from here; nothing to undo."
            )
        step = self._steps[-1]
        try:
            done = step.take_back(training_set, progress)
        except TrainingSetError as error:
            if not _may_work_later(error):
                self._steps.remove(step)
            raise
        self._steps.remove(step)
        return done


def _may_work_later(error: SegClassifyError) -> bool:
    return isinstance(error.__cause__, OSError)  # the disk, or a lock that others hold


def about(what: str, cases: Sequence[str]) -> str:
    """ "remove alpha", "remove 3 cases"."""
    return f"{what} {cases[0]}" if len(cases) == 1 else f"{what} {len(cases)} cases"


@dataclass(eq=False)
class Added:
    """Cases that came into the set.

    Args:
        what: "add" or "import".
        cases: as they were then; those that were taken out again go from the list.
        classes: those that came with them.
    """

    what: str
    cases: list[Case]
    classes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """See :class:`Step`."""
        return about(self.what, [c.name for c in self.cases])

    def take_back(self, training_set: TrainingSet, progress: Progress) -> TakenBack:
        """Remove them, but for those that somebody else changed or removed."""
        total, gone, notes = len(self.cases), list[str](), list[str]()
        while self.cases:
            case = self.cases[-1]
            progress.report("Taking back", total - len(self.cases), total, case.name)
            try:
                _require_unchanged(training_set, case)
                training_set.remove(case.name)
                gone.append(case.name)
            except TrainingSetError as error:
                if total == 1 or _may_work_later(error):
                    raise
                notes.append(str(error))
            self.cases.pop()
        _forget_classes(training_set, self.classes)
        return TakenBack(tuple(reversed(gone)), tuple(reversed(notes)))


@dataclass(eq=False)
class Changed:
    """Cases of which something else was said.

    Args:
        before: the cases before the change.
        update: field → value that they all got.
        classes: those that came with it.
    """

    before: tuple[Case, ...]
    update: Mapping[str, Any]
    classes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """See :class:`Step`."""
        return about("change", [c.name for c in self.before])

    def take_back(self, training_set: TrainingSet, progress: Progress) -> TakenBack:
        """Give all of them their former values, or none."""
        progress.check()
        former = {c.name: {key: getattr(c, key) for key in self.update} for c in self.before}

        def edit(document: DatasetFile) -> DatasetFile:
            for name in former:
                _require_values(find_case(document, name, training_set.folder), self.update)
            changed = edits.with_changes(document, training_set.folder, former, "add")
            return edits.without_unused(changed, self.classes)

        training_set.rewrite(edit)
        return TakenBack(tuple(former))


@dataclass(eq=False)
class Removed:
    """Cases that left the set; those that came back go from the list."""

    cases: list[Case] = field(default_factory=list)

    @property
    def words(self) -> str:
        """See :class:`Step`."""
        return about("remove", [c.name for c in self.cases])

    def take_back(self, training_set: TrainingSet, progress: Progress) -> TakenBack:
        """Bring them back."""
        total, back, notes = len(self.cases), list[str](), list[str]()
        while self.cases:
            case = self.cases[0]
            progress.report("Taking back", total - len(self.cases), total, case.name)
            try:
                training_set.restore(case.name)
                back.append(case.name)
            except TrainingSetError as error:
                if total == 1 or _may_work_later(error):
                    raise
                notes.append(str(error))
            self.cases.pop(0)
        return TakenBack(tuple(back), tuple(notes))


@dataclass(eq=False)
class Redrawn:
    """A case that got another segmentation."""

    exchange: Exchange

    @property
    def words(self) -> str:
        """See :class:`Step`."""
        return f"segmentation of {self.exchange.after.name}"

    def take_back(self, training_set: TrainingSet, progress: Progress) -> TakenBack:
        """Give it the former one."""
        progress.check()
        return TakenBack((training_set.return_segmentation(self.exchange).name,))


@dataclass(eq=False)
class Renamed:
    """A class with another name, or that was removed where ``new`` is empty.

    Args:
        old, new: names.
        classes: all of the set, before.
    """

    old: str
    new: str
    classes: tuple[str, ...]

    @property
    def words(self) -> str:
        """See :class:`Step`."""
        return f"rename class {self.old}" if self.new else f"remove class {self.old}"

    def take_back(self, training_set: TrainingSet, progress: Progress) -> TakenBack:
        """Give it its former name, or place."""
        progress.check()

        def edit(document: DatasetFile) -> DatasetFile:
            if self.new:
                return edits.with_renamed_class(document, self.new, self.old)
            document = edits.with_new_class(document, self.old)
            order = {name: n for n, name in enumerate(self.classes)}
            classes = document.segclassify.classes
            return document.with_classes(tuple(sorted(classes, key=lambda c: order.get(c, len(order)))))

        training_set.rewrite(edit)
        cases = tuple(c.name for c in training_set.cases if self.new and c.label_class == self.old)
        return TakenBack(cases)


def _require_unchanged(training_set: TrainingSet, then: Case) -> None:
    training_set.reload()
    now = training_set.case(then.name)
    _require_values(now, {key: getattr(then, key) for key in _WORDS})
    if now.image_hash != then.image_hash:
        raise TrainingSetError(f"Case {now.name!r} holds another image meanwhile; it stays as it is.")


def _require_values(case: Case, values: Mapping[str, Any]) -> None:
    """Raise a TrainingSetError unless a case still has these values."""
    for key, value in values.items():
        if getattr(case, key) != value:
            raise TrainingSetError(
                f"The {_WORDS[key]} of case {case.name!r} was changed by somebody else meanwhile; it stays as it is."
            )


def _forget_classes(training_set: TrainingSet, classes: Sequence[str]) -> None:
    if classes:
        training_set.rewrite(lambda document: edits.without_unused(document, classes))
