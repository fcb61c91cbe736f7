"""The linear head: scaling, whitening by degrees, L2 logistic regression; the strength is chosen inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from SegClassifyLib.errors import TrainingError
from SegClassifyLib.evaluation.folds import Fold, make_folds
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
from SegClassifyLib.heads.components import Components
from SegClassifyLib.heads.logistic import LinearMap, held_out_path, logistic_path
from SegClassifyLib.heads.scaling import Scaling
from SegClassifyLib.heads.whitening import Whitening
from SegClassifyLib.progress import Progress

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


class LinearSettings(BaseModel):
    """How a linear head learns. The defaults were chosen on breast ultrasound and lung nodules, 5 to 25 cases a class.

    The head is the weighted mean of one regression for each degree of whitening. Nothing is lost by that: a mean of
    linear maps is a linear map.

    Args:
        strengths: values of C (inverse L2 penalty) to choose from, rising.
        expected_strength: C believed in before seeing cases; taken where they are too few for cross-validation.
        belief: summed log loss by which a C ten times away must look better than the expected one; its weight
            fades as cases come in. With 5 cases a class the held-out loss alone picks C nearly at random.
        balance: how far large blocks of features are held down, and
        descriptors: the part that shape and intensity descriptors get (see :meth:`~.scaling.Scaling.of`).
        folds: of the inner cross-validation.
        lean: standard errors by which a stronger penalty may look worse than the best and still be taken.
        whitening: degrees, see :class:`.whitening.Whitening`; the first alone is taken where there are fewer than
        whitened_from: cases, those without a class included: too few to know the small components.
        kept_variance: part of it that the principal components hold.
        trust: how much a degree with less held-out loss counts: its weight is exp(-trust * summed loss).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strengths: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(0.2, 0.6, 2.0, 6.0, 20.0, 60.0), min_length=1
    )
    expected_strength: float = Field(default=2.0, gt=0)
    belief: float = Field(default=4.0, ge=0)
    balance: float = Field(default=1.0, ge=0, le=1)
    descriptors: float = Field(default=0.3, ge=0, le=1)
    folds: int = Field(default=5, ge=2)
    lean: float = Field(default=0.5, ge=0)
    whitening: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(default=(0.0, 0.5, 1.0), min_length=1)
    whitened_from: int = Field(default=40, ge=2)
    kept_variance: float = Field(default=0.98, gt=0, le=1)
    trust: float = Field(default=1.0, ge=0)


@dataclass(frozen=True)
class _Member:
    """The regression for one degree of whitening.

    Args:
        power: the degree.
        strength: C that was chosen.
        loss: least mean held-out loss; 0 where there were too few cases to hold some out.
        map: of the scaled features.
    """

    power: float
    strength: float
    loss: float
    map: LinearMap


class LinearHead:
    """A linear map from features to class logits; the default head.

    Args:
        settings: how it learns.
        background: features of cases without a class, with all the columns that the head will be trained on. They
            say how features vary, and nothing of the classes; cases that the head is tested on must not be there.

    Example:
        >>> head = LinearHead().fit(table, y, groups)      # doctest: +SKIP
        >>> head.predict_proba(table)[0]                   # doctest: +SKIP
        array([0.9, 0.1])
    """

    kind = "linear"

    def __init__(
        self, settings: LinearSettings | None = None, background: FeatureTable | None = None
    ) -> None:
        self.settings = settings or LinearSettings()
        self.background = background
        self.n_classes = 0
        self.names: tuple[FeatureName, ...] = ()
        self.strength_ = float("nan")
        self.shares_: dict[float, float] = {}
        self._scaling: Scaling | None = None
        self._map: LinearMap | None = None

    def fresh(self) -> LinearHead:
        """An unfitted head with the same settings and background."""
        return LinearHead(self.settings, self.background)

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
            rows = self._rows(table)
            self._scaling = Scaling.of(rows, table.names, self.settings.balance, self.settings.descriptors)
            components = Components.of(self._scaling.apply(rows), self.settings.kept_variance)
            folds = self._folds(y, np.asarray(groups), seed)
            members = [
                self._member(components, power, y, np.asarray(groups), folds)
                for power in self._powers(len(rows))
            ]
        self._blend(members, len(y))
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
            "whitening": [[power, share] for power, share in self.shares_.items()],
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
        head.shares_ = {float(power): float(share) for power, share in state.config.get("whitening", ())}
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

    def _rows(self, table: FeatureTable) -> np.ndarray:
        """The cases, and after them those without a class ``(N + M, F)``."""
        if self.background is None or not len(self.background):
            return table.X
        return np.concatenate([table.X, self.background.select(table.names).X])

    def _powers(self, rows: int) -> tuple[float, ...]:
        return self.settings.whitening if rows >= self.settings.whitened_from else self.settings.whitening[:1]

    def _member(
        self,
        components: Components,
        power: float,
        y: np.ndarray,
        groups: np.ndarray,
        folds: Sequence[Fold],
    ) -> _Member:
        whitening = Whitening.of(components, power)
        own = whitening.own(len(y))
        strength, loss = self._choose_strength(own, y, groups, folds)
        (found,) = logistic_path(own, y, [strength])
        return _Member(power, strength, loss, whitening.back(found))

    def _blend(self, members: list[_Member], cases: int) -> None:
        """The weighted mean of all members; the strength told is that of the weightiest."""
        loss = np.array([m.loss for m in members])
        shares = np.exp(-self.settings.trust * cases * (loss - loss.min()))
        shares /= shares.sum()
        self.strength_ = members[int(shares.argmax())].strength
        self.shares_ = {m.power: float(share) for m, share in zip(members, shares, strict=True)}
        self._map = LinearMap(
            np.tensordot(shares, np.stack([m.map.weights for m in members]), 1),
            np.tensordot(shares, np.stack([m.map.bias for m in members]), 1),
        )

    def _folds(self, y: np.ndarray, groups: np.ndarray, seed: int) -> Sequence[Fold]:
        """To choose strengths and degrees on; none where there is nothing to choose, or nothing to hold out."""
        if len(self.settings.strengths) == 1 and len(self.settings.whitening) == 1:
            return ()
        try:
            return make_folds(y, groups, self.settings.folds, seed)
        except TrainingError:  # a class of one patient
            return ()

    def _choose_strength(
        self, Z: np.ndarray, y: np.ndarray, groups: np.ndarray, folds: Sequence[Fold]
    ) -> tuple[float, float]:
        """C with the least held-out loss, near the expected one and leaning to stronger penalties; the least loss."""
        settings, strengths = self.settings, np.array(sorted(self.settings.strengths))
        if not folds:
            return (float(strengths[0]) if len(strengths) == 1 else settings.expected_strength), 0.0
        loss = np.zeros((len(strengths), len(y)))
        for fold in folds:
            logits = held_out_path(Z[fold.train], y[fold.train], strengths, Z[fold.test])
            for row, proba in zip(loss, probabilities(logits), strict=True):
                row[fold.test] = case_log_loss(y[fold.test], proba)
        away = np.log10(strengths / settings.expected_strength)
        doubt = settings.belief * away[:, None] ** 2 / len(y)
        weighed = loss * balanced_weights(y) + doubt
        return float(strengths[_lean(weighed, groups, settings.lean)]), float(weighed.mean(1).min())


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
