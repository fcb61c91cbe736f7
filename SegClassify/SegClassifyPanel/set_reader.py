"""Looks every few seconds whether the training set that is open has changed, while its page is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import qt

from SegClassifyPanel.lib_path import make_importable

make_importable()

from SegClassifyLib.worker.set_messages import OpenSetParams, ReadSetParams, SetInfo, SetLook  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyPanel.set_page import SetPage

PAUSE = 5000
"""Milliseconds between two looks."""


class SetReader:
    """Reads the page's set again.

    Args:
        page: told of changes, and once of a folder that cannot be read.
    """

    def __init__(self, page: SetPage) -> None:
        self._page = page
        self._reading = self._lost = self._seen = False
        self._clock = qt.QTimer()
        self._clock.interval = PAUSE
        self._clock.connect("timeout()", self.look)

    @property
    def running(self) -> bool:
        """Whether it looks by itself."""
        return bool(self._clock.active)

    def enter(self) -> None:
        """The page is seen: look now, and then every few seconds."""
        self._seen = True
        self.look()
        self._run()

    def leave(self) -> None:
        """The page is not seen any more."""
        self._seen = False
        self._clock.stop()

    def taken(self) -> None:
        """The page has a set as it is now."""
        self._lost = False
        self._run()

    def look(self) -> None:
        """Whether somebody changed the set."""
        info = self._page.info
        if info is None or self._reading:
            return
        self._reading = True

        def looked(look: SetLook) -> None:
            self._reading = False
            if look.set is not None:
                self._take_if_same(look.set)
            elif self._lost:
                self._found_again()

        def failed(sentence: str) -> None:
            self._reading = False
            self._not_read(sentence)

        self._page.request(ReadSetParams(info.folder, info.revision), looked, failed)

    def open_again(self, done: Callable[[SetInfo | None], None]) -> None:
        """Read the set now, also where the worker that had it open is gone; ``None`` if that is not possible."""
        if self._page.info is None:
            done(None)
            return

        def opened(info: SetInfo) -> None:
            self._take_if_same(info)
            done(info)

        def failed(sentence: str) -> None:
            self._not_read(sentence)
            done(None)

        self._page.request(OpenSetParams(self._page.info.folder), opened, failed)

    def _run(self) -> None:
        if self._seen and self._page.info is not None:
            self._clock.start()
        else:
            self._clock.stop()

    def _take_if_same(self, info: SetInfo) -> None:
        now = self._page.info
        if now is not None and info.folder == now.folder:
            if self._lost:
                self._found_again()
            self._page.take(info)

    def _found_again(self) -> None:
        self._lost = False
        self._page.say("")

    def _not_read(self, sentence: str) -> None:
        """Said once; the table stays as it was read the last time."""
        if not self._lost:
            self._lost = True
            self._page.say(sentence, True)
