"""What the sections on cases need of their page and of the logic; more than the sections that train."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from SegClassifyPanel.train_host import TrainHost

if TYPE_CHECKING:
    from SegClassifyLib.worker.model_messages import ModelInfo
    from SegClassifyLib.worker.params import Params
    from SegClassifyLib.worker.set_messages import SetInfo
    from SegClassifyPanel.set_job import SetJob, SetListener
    from SegClassifyPanel.set_logic import NewCase


A = TypeVar("A")


class PanelSets(Protocol):
    """What keeps training sets; the real one is :class:`SegClassifyPanel.set_logic.SetLogic`."""

    def start(self, params: Params[Any], listener: SetListener) -> SetJob:
        """Ask for anything that concerns a set."""

    def start_add(self, folder: str, case: NewCase, listener: SetListener) -> SetJob:
        """Copy a case of the scene into a set."""

    def start_save_segmentation(
        self, folder: str, case: str, volume: str, segmentation: str, listener: SetListener
    ) -> SetJob:
        """Give a case a segmentation of the scene."""


class SetPage(TrainHost, Protocol):
    """The page, as the sections on cases see it."""

    browsed_folder: str

    @property
    def sets(self) -> PanelSets:
        """What keeps training sets."""

    @property
    def install_need(self) -> str:
        """What has to be installed first, as a sentence; empty for nothing."""

    @property
    def chosen_model(self) -> ModelInfo | None:
        """The model that is chosen on the page Classify, if it can be used."""

    @property
    def chosen_volumes(self) -> list[Any]:
        """The volume nodes that are chosen on the page Classify, ``None`` where none is."""

    @property
    def edit_need(self) -> str:
        """What has to be done before another segmentation can be edited; empty for nothing."""

    def ask(self, params: Params[Any], said: str = "", failed: str = "") -> None:
        """Change the set.

        Args:
            params: a request that is answered with ``SetChanged``.
            said: shown when it is done.
            failed: shown before the reason when it is not.
        """

    def request(self, params: Params[A], done: Callable[[A], None], failed: Callable[[str], None]) -> None:
        """Ask the worker; ``failed`` gets a sentence; nobody is told once the page has gone."""

    def take(self, info: SetInfo | None) -> None:
        """The set is like this now."""

    def reload_then(self, done: Callable[[SetInfo | None], None]) -> None:
        """Read the set again, also after the worker was gone; ``None`` if that is not possible."""

    def edit_case(self, name: str) -> None:
        """Load a case and edit its segmentation."""

    def give_class(self, names: Sequence[str]) -> None:
        """Select cases, and let the user type their class."""

    def begin_case(self) -> None:
        """Show the form that adds a case."""

    def update(self) -> None:
        """Enable what can be used now."""
