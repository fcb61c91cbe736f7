"""What the sections of trainings tell each other: the set, the network of step 1, the classifier of step 2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from SegClassifyLib.worker.classifier_messages import ClassifierTrained
    from SegClassifyLib.worker.set_messages import SetInfo


@dataclass(frozen=True)
class Network:
    """A segmentation network that can be used.

    Args:
        path: of a segmenter's run or of a model package.
        name: in lists.
        note: a few words about it.
        own: whether it was trained on this set.
    """

    path: str
    name: str
    note: str = ""
    own: bool = False


class TrainingState:
    """One for all sections of a page; who changes something calls :meth:`tell`."""

    def __init__(self) -> None:
        self.info: SetInfo | None = None
        self.network: Network | None = None
        self.classifier: ClassifierTrained | None = None
        self._watchers: list[Callable[[], None]] = []

    def watch(self, changed: Callable[[], None]) -> None:
        """Call this after every change."""
        self._watchers.append(changed)

    def choose_network(self, network: Network | None) -> None:
        """Another network, or none, is chosen for step 2."""
        if network != self.network:
            self.network = network
            self.tell()

    def take_classifier(self, classifier: ClassifierTrained | None) -> None:
        """Another classifier, or none, is there."""
        if classifier is not self.classifier:
            self.classifier = classifier
            self.tell()

    def tell(self) -> None:
        """Something changed."""
        for changed in self._watchers:
            changed()
