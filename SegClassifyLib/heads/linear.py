"""The linear head: scaling, principal components, L2 logistic regression; the strength is chosen inside."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from SegClassifyLib.errors import TrainingError
from SegClassifyLib.evaluation.folds import make_folds
from SegClassifyLib.evaluation.metrics import balanced_weights, case_log_loss
from SegClassifyLib.features.spec import FeatureName, FeatureTable
from SegClassifyLib.heads.base import (
    HeadState,
    check_features,
    check_same_features,
    class_count,
    names_from_json,
    names_to_json,
    probabilities,
)
from SegClassifyLib.heads.logistic import LinearMap, held_out_path, logistic_path
from SegClassifyLib.heads.scaling import Scaling
from SegClassifyLib.progress import Progress

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


class LinearSettings(BaseModel):
    """How a linear head learns. The defaults were chosen on breast ultrasound and lung nodules, 5 to 25 cases a class.

    Args:
        strengths: values of C (inverse L2 penalty) to choose from, rising.
        expected_strength: C believed in before seeing cases; taken where they are too few for cross-validation.
        belief: summed log loss by which a C ten times away must look better than the expected one; its weight
            fades as cases come in. With 5 cases a class the held-out loss alone picks C nearly at random.
        balance: how far large blocks of features are held down, and
        descriptors: the part that shape and intensity descriptors get (see :meth:`~.scaling.Scaling.of`).
        folds: of the inner cross-validation.
        lean: standard errors by which a stronger penalty may look worse than the best and still be taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strengths: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(0.2, 0.6, 2.0, 6.0, 20.0, 60.0), min_length=1
    )
    expected_strength: float = Field(default=2.0, gt=0)
    belief: float = Field(default=4.0, ge=0)
    balance: float = Field(default=1.0, ge=0, le=1)
    descriptors: float = Field(default=0.4, ge=0, le=1)
    folds: int = Field(default=5, ge=2)
    lean: float = Field(default=0.5, ge=0)


class LinearHead:
    """A linear map from features to class logits; the default head.

    Args:
        settings: how it learns.

    Example:
        >>> head = LinearHead().fit(table, y, groups)      # doctest: +SKIP
        >>> head.predict_proba(table)[0]                   # doctest: +SKIP
        array([0.9, 0.1])
    """

    kind = "linear"

    def __init__(self, settings: LinearSettings | None = None) -> None:
        self.settings = settings or LinearSettings()
        self.n_classes = 0
        self.names: tuple[FeatureName, ...] = ()
        self.strength_ = float("nan")
        self._scaling: Scaling | None = None
        self._map: LinearMap | None = None

    def fresh(self) -> LinearHead:
        """An unfitted head with the same settings."""
        return LinearHead(self.settings)

    def fit(
        self,
        table: FeatureTable,
        y: np.ndarray,
        groups: np.ndarray,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> LinearHead:
        """Learn from N cases; see :class:`~SegClassifyLib.evaluation.learner.Learner`."""
        progress = progress or Progress()
        y = np.asarray(y, np.int64)
        self.n_classes = class_count(y)
        check_features(table)
        progress.report("Training the linear classifier")
        self.names = table.names
        # Matrices of a hundred rows: on a busy machine BLAS threads wait for each other ten times as long as they work.
        with _threads().limit(limits=1, user_api="blas"):
            self.strength_ = self._choose_strength(table, y, np.asarray(groups), seed)
            self._scaling = self._learn_scaling(table.X, table.names)
            self._map = logistic_path(self._scaling.apply(table.X), y, [self.strength_])[0]
        return self

    def logits(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64.

        Raises:
            ModelPackageError: other features than those it was trained on.
        """
        scaling, linear = self._fitted()
        check_same_features(table, self.names)
        return linear(scaling.apply(table.X))

    def predict_proba(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64, rows summing to 1."""
        return probabilities(self.logits(table))

    def coefficients(self) -> tuple[np.ndarray, np.ndarray]:
        """``W (K, F)`` and ``b (K,)`` float64 with ``logits = x @ W.T + b`` in the features' own units.

        Exact as long as no feature is more than 8 standard deviations from its training mean; beyond, logits
        are those of the clipped feature.
        """
        scaling, linear = self._fitted()
        weights = linear.weights * (scaling.weight / scaling.spread)
        return weights, linear.bias - weights @ scaling.shift

    def to_state(self) -> HeadState:
        """Settings and names as JSON; shift, spread, weight, coefficients and bias as arrays."""
        scaling, linear = self._fitted()
        config = {
            "settings": self.settings.model_dump(mode="json"),
            "names": names_to_json(self.names),
            "strength": self.strength_,
        }
        arrays = {
            "shift": scaling.shift,
            "spread": scaling.spread,
            "weight": scaling.weight,
            "coefficients": linear.weights,
            "bias": linear.bias,
        }
        return HeadState(self.kind, config, arrays)

    @classmethod
    def from_state(cls, state: HeadState) -> LinearHead:
        """The head that was stored."""
        head = cls(LinearSettings.model_validate(state.config["settings"]))
        head.names = names_from_json(state.config["names"])
        head.strength_ = float(state.config["strength"])
        columns, arrays = (len(head.names),), state.arrays
        head._scaling = Scaling(arrays["shift"], arrays["spread"], arrays["weight"])
        head._map = LinearMap(arrays["coefficients"], arrays["bias"])
        head.n_classes = len(head._map.bias)
        shapes = {arrays["shift"].shape, arrays["spread"].shape, arrays["weight"].shape}
        if shapes != {columns} or head._map.weights.shape != (head.n_classes, *columns):
            raise ValueError(f"arrays do not fit {columns[0]} features")
        return head

    def _fitted(self) -> tuple[Scaling, LinearMap]:
        if self._scaling is None or self._map is None:
            raise RuntimeError("LinearHead.fit has not been called")
        return self._scaling, self._map

    def _choose_strength(self, table: FeatureTable, y: np.ndarray, groups: np.ndarray, seed: int) -> float:
        """C with the least held-out loss, near the expected one and leaning to stronger penalties."""
        settings, strengths = self.settings, np.array(sorted(self.settings.strengths))
        if len(strengths) == 1:
            return float(strengths[0])
        try:
            folds = make_folds(y, groups, settings.folds, seed)
        except TrainingError:  # a class of one patient: nothing to hold out
            return settings.expected_strength
        loss = np.zeros((len(strengths), len(y)))
        for fold in folds:
            scaling = self._learn_scaling(table.X[fold.train], table.names)
            train, test = scaling.apply(table.X[fold.train]), scaling.apply(table.X[fold.test])
            logits = held_out_path(train, y[fold.train], strengths, test)
            for row, proba in zip(loss, probabilities(logits), strict=True):
                row[fold.test] = case_log_loss(y[fold.test], proba)
        away = np.log10(strengths / settings.expected_strength)
        doubt = settings.belief * away[:, None] ** 2 / len(y)
        return float(strengths[_lean(loss * balanced_weights(y) + doubt, groups, settings.lean)])

    def _learn_scaling(self, X: np.ndarray, names: tuple[FeatureName, ...]) -> Scaling:
        return Scaling.of(X, names, self.settings.balance, self.settings.descriptors)


@cache
def _threads() -> ThreadpoolController:
    """Looks through all libraries of the process, which takes as long as learning from ten cases: done once."""
    # Whatever brings threads of its own must be there before it is looked for.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _lean(loss: np.ndarray, groups: np.ndarray, lean: float) -> int:
    """First row of ``(strengths, N)`` losses that is not worse than the best by ``lean`` standard errors.

    The error is that of the paired difference, over groups: what two penalties make of the same patients.
    """
    best = int(loss.mean(1).argmin())
    codes = np.unique(groups, return_inverse=True)[1].reshape(-1)
    for row in range(best):
        worse = np.bincount(codes, weights=loss[row] - loss[best])
        error = worse.std(ddof=1) * np.sqrt(len(worse)) if len(worse) > 1 else 0.0
        if worse.sum() <= lean * error:
            return row
    return best
