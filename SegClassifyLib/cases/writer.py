"""Changes of a training set that are on the disk whole or not at all, beside other writers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from SegClassifyLib.cases import trash
from SegClassifyLib.cases.document import read_document, write_document
from SegClassifyLib.cases.files import storage_errors
from SegClassifyLib.cases.intake import Incoming
from SegClassifyLib.cases.lock import WriterLock
from SegClassifyLib.cases.reader import TrainingSetReader
from SegClassifyLib.cases.schema import DatasetFile
from SegClassifyLib.errors import TrainingSetError


class TrainingSetWriter(TrainingSetReader):
    """What every change of a :class:`SegClassifyLib.cases.training_set.TrainingSet` goes through.

    Args:
        folder: where ``dataset.json`` is.
        document: its content.
        lock_timeout: seconds to wait for another writer.
    """

    def __init__(self, folder: Path, document: DatasetFile, lock_timeout: float = 30.0) -> None:
        super().__init__(folder, document)
        self._lock = WriterLock(folder, lock_timeout)

    def rewrite(self, edit: Callable[[DatasetFile], DatasetFile]) -> None:
        """Change what ``dataset.json`` says, all of it or nothing.

        Args:
            edit: makes the new content from the newest one; what it raises leaves everything as it was.
        """
        with self._changing() as document:
            self._save(edit(document))

    @contextmanager
    def _changing(self) -> Iterator[DatasetFile]:
        """Hold the lock and give the newest content."""
        with self._lock.held():
            self.reload()
            yield self._document

    def _save(self, document: DatasetFile) -> None:
        with storage_errors(self.folder):
            write_document(self.folder, document)
        self._document = document

    @contextmanager
    def _settling(self) -> Iterator[Callable[[Incoming, str], str]]:
        """Give a function that puts files into the folder; if the block fails they are taken away again."""
        written: list[str] = []

        def settle(incoming: Incoming, stem: str) -> str:
            with storage_errors(self.folder):
                written.append(incoming.settle(self.folder, stem))
            return written[-1]

        try:
            yield settle
        except BaseException:
            # An interrupt can come after dataset.json was replaced: then the files are a case's, and stay.
            with contextlib.suppress(TrainingSetError, OSError):
                in_use = {f for c in read_document(self.folder).cases for f in c.files}
                for text in written:
                    if text not in in_use and trash.is_own(text):
                        (self.folder / text).unlink(missing_ok=True)
            raise
