"""Shows a case of the training set in the slice views: loads it once, and hides the segmentations of other cases."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.case_nodes import CASE, load_case, load_volume
from SegClassifyPanel.chunks import Chunks, Steps
from SegClassifyPanel.slice_views import show_in_slices
from SegClassifyPanel.volumes import VolumeError

if TYPE_CHECKING:
    from SegClassifyLib.worker.set_messages import CaseRow, SetInfo
    from SegClassifyPanel.set_page import SetPage

Then = Callable[["SetInfo", "CaseRow"], None]


class CaseView:
    """Loads one case at a time; asked for another one, it goes on with that.

    Args:
        page: the page it works for.
    """

    def __init__(self, page: SetPage) -> None:
        self._page = page
        self._loading: Chunks | None = None

    def show(self, name: str, then: Then | None = None) -> None:
        """Show a case.

        Args:
            name: of the case.
            then: called when it is shown.
        """
        info = self._page.info
        row = next((row for row in info.cases if row.name == name), None) if info is not None else None
        if info is None or row is None:
            return

        def done(nodes: tuple[list[str], str]) -> None:
            self._page.say("")
            _show(info.folder, *nodes)
            if then is not None:
                then(info, row)

        self._start(load_case(info, row), done, name)

    def load(self, paths: Sequence[str], name: str, done: Callable[[list[Any]], None]) -> None:
        """Load image files that are in no set; ``done`` gets the volume nodes."""

        def steps() -> Steps[list[Any]]:
            volumes = []
            for number, path in enumerate(paths):
                yield number / len(paths)
                volumes.append(load_volume(path, name if len(paths) == 1 else f"{name} {number + 1}"))
            return volumes

        def loaded(volumes: list[Any]) -> None:
            self._page.say("")
            show_in_slices(volumes[0])
            done(volumes)

        self._start(steps(), loaded, name)

    def cancel(self) -> None:
        """Load no further."""
        if self._loading is not None:
            self._loading.stop()
            self._loading = None

    close = cancel

    def _start(self, steps: Steps[Any], done: Callable[[Any], None], name: str) -> None:
        self.cancel()
        self._page.say(_("Loading “{case}”…").format(case=name))

        def finished(result: Any) -> None:
            self._loading = None
            done(result)

        def failed(error: Exception) -> None:
            self._loading = None
            if not isinstance(error, VolumeError):
                logging.error("SegClassify: a case cannot be shown", exc_info=error)
            self._page.say(_("“{case}” cannot be shown. {reason}").format(case=name, reason=error), True)

        self._loading = Chunks(steps, finished, failed)


def _show(folder: str, volumes: Sequence[str], segmentation: str) -> None:
    first = slicer.mrmlScene.GetNodeByID(volumes[0])
    if first is not None:
        show_in_slices(first)
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        if node.GetAttribute(CASE):
            node.SetDisplayVisibility(node.GetID() == segmentation)
