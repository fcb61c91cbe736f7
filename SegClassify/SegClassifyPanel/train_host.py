"""What the sections of the page Train need of their page, and the page of its sections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from SegClassifyLib.worker.model_messages import ModelInfo
    from SegClassifyLib.worker.set_messages import SetInfo


class TrainHost(Protocol):
    """The page, as its sections see it."""

    @property
    def info(self) -> SetInfo | None:
        """The training set that is open."""

    @property
    def device(self) -> str:
        """Name of the device that is chosen on the page Classify, or "auto"."""

    def open_case(self, name: str) -> None:
        """Show a case of the set in the scene; its files are loaded where they are not yet."""

    def open_files(self, paths: Sequence[str], name: str, group: str) -> None:
        """Load the images of a case outside the set, one a channel, and fill the form that adds a case with them."""

    def select_cases(self, names: Sequence[str]) -> None:
        """Select these in the table, and nothing else; the first of them is scrolled to."""

    def reload(self) -> None:
        """Ask for the set now."""

    def say(self, sentence: str, error: bool = False) -> None:
        """The page's line of messages; an empty sentence takes it away."""

    def models(self) -> tuple[ModelInfo, ...]:
        """As the page Classify lists them."""

    def use_model(self, path: str) -> None:
        """List the models again, and choose this one on the page Classify."""


class TrainSection(Protocol):
    """A section of the page."""

    def set_changed(self, info: SetInfo | None) -> None:
        """Another set, or none, is open, or the set changed."""

    def close(self) -> None:
        """Nothing is shown any more: stop clocks, and pass over answers that come later."""
