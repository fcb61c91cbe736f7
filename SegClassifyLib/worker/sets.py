"""The training sets that are open in this worker."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from SegClassifyLib.cases.arrivals import arrival, remove_stale
from SegClassifyLib.cases.document import FILE_NAME
from SegClassifyLib.cases.presence import BEAT, Presence, sentence_on
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.worker.set_infos import PREDICTIONS, read_predictions, rows, set_info
from SegClassifyLib.worker.set_messages import CaseRow, SetChanged, SetInfo
from SegClassifyLib.worker.set_undo import Step, UndoStack


class OpenSet:
    """A training set, its note for others, and what can be undone.

    Args:
        folder: of the set.
        program: number of the process that the worker works for.

    Raises:
        TrainingSetError: no set there, or it is damaged or too new.
    """

    def __init__(self, folder: Path, program: int) -> None:
        self.training_set = TrainingSet.open(folder)
        self.undo = UndoStack()
        self.presence = Presence(self.training_set.folder, program)
        if self.presence.enter():
            remove_stale(self.training_set.folder)
        self._content = ""
        self._rows: tuple[CaseRow, ...] = ()

    def info(self) -> SetInfo:
        """As it is on the disk now."""
        # Looked at before it is read: what changes in between is noticed the next time.
        content = self._look()
        if content != self._content:
            self.training_set.reload()
            self._rows = rows(self.training_set, read_predictions(self.training_set.folder))
            self._content = content
        others = sentence_on(self.presence.others())
        return set_info(
            self.training_set, self._rows, self._revision(content, others), others, self.undo.words
        )

    def info_unless(self, revision: str) -> SetInfo | None:
        """The set, or ``None`` where it is still at ``revision``."""
        info = self.info()
        return None if info.revision == revision else info

    def changed(
        self, cases: tuple[str, ...], notes: tuple[str, ...] = (), step: Step | None = None
    ) -> SetChanged:
        """The answer to a change, which can be taken back if ``step`` says how."""
        self.remember(step)
        return SetChanged(self.info(), cases, notes)

    def remember(self, step: Step | None) -> None:
        """Let a change be the next to be taken back."""
        if step is not None:
            self.undo.push(step)

    @contextmanager
    def arrival(self) -> Iterator[Path]:
        """A folder in the set for files on their way into it, for the time of the block."""
        with arrival(self.training_set.folder, self.presence.id) as folder:
            yield folder

    def _look(self) -> str:
        """What tells one state of the set's files from another; sizes and times alone do not, on some disks."""
        digest = hashlib.sha256()
        for name in (FILE_NAME, PREDICTIONS):
            try:
                content = (self.training_set.folder / name).read_bytes()
            except OSError:  # reading it, afterwards, says what is wrong
                content = b""
            digest.update(b"%d " % len(content) + content)
        return digest.hexdigest()

    def _revision(self, content: str, others: str) -> str:
        text = f"{content} {others} {len(self.undo)} {self.undo.words}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class OpenSets:
    """Opens every training set once and keeps the notes for others fresh.

    Args:
        program: number of the process that the worker works for.
    """

    def __init__(self, program: int) -> None:
        self._program = program
        self._open: dict[str, OpenSet] = {}
        self._lock = threading.Lock()
        self._beating = False

    def get(self, folder: str) -> OpenSet:
        """The set in a folder, opened where it is not yet; raises TrainingSetError if there is none."""
        home = _folder(folder)
        key = os.path.realpath(home)
        found = self._open.get(key)
        if found is None:
            found = OpenSet(home, self._program)
            with self._lock:
                self._open[key] = found
            self._keep_beating()
        return found

    def fresh(self, folder: str) -> OpenSet:
        """As :meth:`get`, up to date with the disk."""
        found = self.get(folder)
        found.info()
        return found

    def close(self, folder: str) -> None:
        """The set is no longer open here; one that is not is passed over."""
        with self._lock:
            found = self._open.pop(os.path.realpath(_folder(folder)), None)
        if found is not None:
            found.presence.leave()

    def close_all(self) -> None:
        """No set is open here any more."""
        with self._lock:
            found = list(self._open.values())
            self._open.clear()
        for one in found:
            one.presence.leave()

    def _keep_beating(self) -> None:
        if not self._beating:
            self._beating = True
            threading.Thread(target=self._beat, name="presence", daemon=True).start()

    def _beat(self) -> None:
        pause = threading.Event()
        while not pause.wait(BEAT):
            with self._lock:
                found = list(self._open.values())
            for one in found:
                one.presence.beat()


def _folder(text: str) -> Path:
    path = Path(text).absolute()
    return path.parent if path.name == FILE_NAME else path
