"""All volumes of the scene into a training set, one case after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.batch_items import BatchItem, scene_items
from SegClassifyPanel.case_nodes import case_of, mark_nodes
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.patient import patient_of
from SegClassifyPanel.set_job import SetJob, SetListener
from SegClassifyPanel.set_logic import NewCase

make_importable()

from SegClassifyLib.worker.set_messages import SetChanged, SetInfo  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyPanel.set_page import PanelSets


class SceneImport:
    """Adds what is found when it is made; a case that cannot be added is noted, and the others go on.

    Args:
        info: the set.
        sets: adds.
        show: told what happens now, and how far it is.
        taken: called after each case that is in.
        done: called at the end with the names of the cases that are in, and sentences on those that are not.
    """

    def __init__(
        self,
        info: SetInfo,
        sets: PanelSets,
        show: Callable[[str, float | None], None],
        taken: Callable[[SetChanged], None],
        done: Callable[[tuple[str, ...], tuple[str, ...]], None],
    ) -> None:
        self._folder, self._sets = info.folder, sets
        self._show, self._taken, self._done = show, taken, done
        self._items = [item for item in scene_items(info.channels) if not self._is_in(item)]
        self._next = 0
        self._added: list[str] = []
        self._notes: list[str] = []
        self._job: SetJob | None = None
        self._stopping = False

    @property
    def count(self) -> int:
        """How many cases there are to add."""
        return len(self._items)

    def start(self) -> None:
        """Add the first one; the others follow."""
        if self._stopping or self._next >= len(self._items):
            self._done(tuple(self._added), tuple(self._notes))
            return
        item = self._items[self._next]
        self._next += 1
        self._phase(item.name, 0.0)
        volume = slicer.mrmlScene.GetNodeByID(item.volumes[0])
        case = NewCase(item.name, item.volumes, group=patient_of(volume, item.name) if volume else item.name)
        listener = SetListener(
            lambda changed: self._is_added(item, changed),
            lambda sentence: self._is_not(item, sentence),
            self.start,
            lambda _text, fraction: self._phase(item.name, fraction or 0.0),
        )
        self._job = self._sets.start_add(self._folder, case, listener)

    def cancel(self) -> None:
        """Stop; what is in stays."""
        self._stopping = True
        if self._job is not None:
            self._job.cancel()

    def _is_in(self, item: BatchItem) -> bool:
        return any(case_of(slicer.mrmlScene.GetNodeByID(node_id), self._folder) for node_id in item.volumes)

    def _phase(self, name: str, fraction: float) -> None:
        text = _("Adding {name} ({number} of {count})").format(
            name=name, number=self._next, count=len(self._items)
        )
        self._show(text, (self._next - 1 + fraction) / len(self._items))

    def _is_added(self, item: BatchItem, changed: SetChanged) -> None:
        self._added += changed.cases
        self._notes += changed.notes
        for name in changed.cases:
            mark_nodes(self._folder, name, item.volumes)
        self._taken(changed)
        self.start()

    def _is_not(self, item: BatchItem, sentence: str) -> None:
        self._notes.append(_("{case} was not added: {reason}").format(case=item.name, reason=sentence))
        self.start()
