"""The head of a fine-tuned model: an affine map on the features of the tuned segmenter stored beside it."""

from __future__ import annotations

import numpy as np

from SegClassifyLib.features.spec import FeatureName, FeatureTable
from SegClassifyLib.heads.base import (
    HeadState,
    check_same_features,
    names_from_json,
    names_to_json,
    probabilities,
)


class FineTunedHead:
    """Class logits ``x @ weight.T + bias`` of pooled features ``x``.

    Args:
        names: of the F features.
        weight: ``(K, F)`` float64.
        bias: ``(K,)`` float64.
    """

    kind = "fine-tuned"

    def __init__(self, names: tuple[FeatureName, ...], weight: np.ndarray, bias: np.ndarray) -> None:
        self.names = names
        self.weight = np.asarray(weight, np.float64)
        self.bias = np.asarray(bias, np.float64)
        self.n_classes = len(self.bias)

    def logits(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64."""
        check_same_features(table, self.names)
        return np.asarray(table.X, np.float64) @ self.weight.T + self.bias

    def predict_proba(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64, rows summing to 1."""
        return probabilities(self.logits(table))

    def coefficients(self) -> tuple[np.ndarray, np.ndarray]:
        """``(K, F)`` weights and ``(K,)`` offsets."""
        return self.weight, self.bias

    def to_state(self) -> HeadState:
        """As plain arrays."""
        return HeadState(
            self.kind, {"names": names_to_json(self.names)}, {"weight": self.weight, "bias": self.bias}
        )

    @classmethod
    def from_state(cls, state: HeadState) -> FineTunedHead:
        """Back from :meth:`to_state`."""
        names = names_from_json(state.config["names"])
        weight, bias = state.arrays["weight"], state.arrays["bias"]
        if weight.shape != (len(bias), len(names)):
            raise ValueError(f"weights {weight.shape} for {len(bias)} classes and {len(names)} features")
        return cls(names, weight, bias)
