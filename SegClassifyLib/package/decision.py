"""From a case's features to class probabilities: a model's head together with its calibration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.evaluation.calibrate import Calibration
from SegClassifyLib.features.spec import CaseFeatures, FeatureTable
from SegClassifyLib.heads.base import Head, load_head
from SegClassifyLib.package.model import Model


class Decision:
    """The classifier of a model, ready to be asked.

    Args:
        model: with a head.

    Raises:
        ModelPackageError: the model has no classifier, or one that cannot be opened.

    Example:
        >>> decision = Decision(model)                                      # doctest: +SKIP
        >>> decision.probabilities(decision.table([features]))              # doctest: +SKIP
        array([[0.9, 0.1]])
    """

    def __init__(self, model: Model) -> None:
        if model.head is None:
            raise ModelPackageError(
                f"{model.name} has no classifier: train one first, or choose a model that has one."
            )
        self.head: Head = load_head(model.head)
        self.wants_maps = model.head.kind == "conv"
        self.calibration = Calibration(model.temperature, model.doubt)
        self._name = model.name

    def table(self, cases: Sequence[CaseFeatures]) -> FeatureTable:
        """Features of cases as the head wants them; raises as :meth:`columns`."""
        return self.columns(FeatureTable.stack(list(cases)))

    def columns(self, table: FeatureTable) -> FeatureTable:
        """The columns that the head was trained on, in its order; maps only where it looks at maps.

        Raises:
            ModelPackageError: the segmenter does not give one of them.
        """
        if not self.wants_maps and table.maps:
            table = FeatureTable(table.names, table.X, {}, table.cases)
        wanted = getattr(self.head, "names", None)
        if wanted is None:
            return table
        try:
            return table.select(wanted)
        except KeyError as error:
            raise ModelPackageError(
                f"The classifier of {self._name} wants the feature {error.args[0]}, which its segmenter does not "
                "give: train the classifier again."
            ) from error

    def probabilities(self, table: FeatureTable) -> np.ndarray:
        """Calibrated probabilities ``(N, K)`` float64 of a table that :meth:`columns` gave."""
        return self.calibration.apply(self.head.logits(table))
