"""What can learn classes: all that evaluation, and choosing between heads, ask of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.progress import Progress

if TYPE_CHECKING:
    from typing_extensions import Self


class Learner(Protocol):
    """Learns from a feature table and answers with logits; classes are numbers ``0 … K-1``.

    Heads are learners, and so is what learns from more than the table (the images of its rows, for one).
    """

    kind: str

    def fresh(self) -> Self:
        """Unfitted, with the same settings, for another fold."""

    def fit(
        self,
        table: FeatureTable,
        y: np.ndarray,
        groups: np.ndarray,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from N cases and return self.

        Args:
            table: features of N cases.
            y: classes ``(N,)`` int, every one of ``0 … K-1`` present, K at least 2.
            groups: patients ``(N,)``, never split by any choice made inside.
            seed: the same seed gives the same answers on the same machine.
            progress: told how far it is; may cancel.

        Raises:
            TrainingError: nothing can be learned from these cases.
        """

    def logits(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64; their softmax are the probabilities, for two classes as for many."""
